provider "azurerm" {
  features {}

  subscription_id     = var.subscription_id
  storage_use_azuread = true
}

locals {
  location = "westeurope"
  group    = "pgseal"
  # Accounts and their services that get an address in the network.
  endpoints = {
    vault          = { account = "vault", service = "blob" }
    staging        = { account = "staging", service = "blob" }
    function       = { account = "function", service = "blob" }
    function-queue = { account = "function", service = "queue" }
  }
}

resource "azurerm_resource_group" "pgseal" {
  name     = local.group
  location = local.location
}

resource "azurerm_virtual_network" "pgseal" {
  name                = "pgseal"
  resource_group_name = azurerm_resource_group.pgseal.name
  location            = local.location
  address_space       = ["10.20.0.0/16"]
}

resource "azurerm_subnet" "endpoints" {
  name                 = "endpoints"
  resource_group_name  = azurerm_resource_group.pgseal.name
  virtual_network_name = azurerm_virtual_network.pgseal.name
  address_prefixes     = ["10.20.1.0/24"]
}

resource "azurerm_subnet" "function" {
  name                 = "function"
  resource_group_name  = azurerm_resource_group.pgseal.name
  virtual_network_name = azurerm_virtual_network.pgseal.name
  address_prefixes     = ["10.20.2.0/24"]

  delegation {
    name = "functions"

    service_delegation {
      name    = "Microsoft.App/environments"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

# Closed to everybody from outside, but for Azure's own services that are let in by name: Event Grid delivers with its identity.
module "pgseal" {
  source = "../.."

  resource_group_name  = azurerm_resource_group.pgseal.name
  location             = local.location
  vault_account        = "${var.account_prefix}vault"
  staging_account      = "${var.account_prefix}staging"
  function_account     = "${var.account_prefix}func"
  recovery_window_days = 30
  lock_days            = 35
  function_package     = { path = var.function_zip }
  function_subnet_id   = azurerm_subnet.function.id
  network              = { default_action = "Deny" }
  servers              = { main = {} }
  alarm_emails         = [var.alarm_email]
}

resource "azurerm_private_dns_zone" "storage" {
  for_each = toset(["blob", "queue"])

  name                = "privatelink.${each.value}.core.windows.net"
  resource_group_name = azurerm_resource_group.pgseal.name
}

resource "azurerm_private_dns_zone_virtual_network_link" "storage" {
  for_each = azurerm_private_dns_zone.storage

  name                 = "pgseal-${each.key}"
  private_dns_zone_id  = each.value.id
  virtual_network_id   = azurerm_virtual_network.pgseal.id
  registration_enabled = false
}

resource "azurerm_private_endpoint" "storage" {
  for_each = local.endpoints

  name                = "pgseal-${each.key}"
  resource_group_name = azurerm_resource_group.pgseal.name
  location            = local.location
  subnet_id           = azurerm_subnet.endpoints.id

  private_service_connection {
    name                           = "pgseal-${each.key}"
    private_connection_resource_id = module.pgseal.account_ids[each.value.account]
    subresource_names              = [each.value.service]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "storage"
    private_dns_zone_ids = [azurerm_private_dns_zone.storage[each.value.service].id]
  }
}
