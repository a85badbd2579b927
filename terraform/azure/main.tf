locals {
  root        = var.prefix == "" ? "" : "${var.prefix}/"
  vault_url   = trimsuffix("https://${var.vault_account}.blob.core.windows.net/${var.vault_container}/${var.prefix}", "/")
  staging_url = trimsuffix("https://${var.staging_account}.blob.core.windows.net/${var.staging_container}/${var.prefix}", "/")
  group       = var.create_resource_group ? azurerm_resource_group.this[0].name : var.resource_group_name
}

resource "azurerm_resource_group" "this" {
  count = var.create_resource_group ? 1 : 0

  name     = var.resource_group_name
  location = var.location
  tags     = var.tags
}

# The vault, unless it is managed elsewhere: by a call of ./vault with the provider of its own subscription.
module "vault" {
  source = "./vault"
  count  = var.vault_managed_elsewhere ? 0 : 1

  name                      = var.name
  resource_group_name       = local.group
  location                  = var.location
  account_name              = var.vault_account
  create_account            = var.create_vault
  account_id                = var.vault_account_id
  container                 = var.vault_container
  replication_type          = var.vault_replication_type
  access_tier               = var.vault_access_tier
  prefix                    = var.prefix
  lock_days                 = var.lock_days
  lock_permanently          = var.lock_permanently
  customer_key              = var.vault_customer_key
  network                   = var.network
  hosts                     = local.hosts
  hosts_may_tag             = var.hosts_may_tag
  finalizer_principal_id    = azurerm_user_assigned_identity.finalizer.principal_id
  restore_principal_ids     = local.restore
  operator_principal_ids    = local.operator
  expire_principal_ids      = var.expire_principal_ids
  break_glass_principal_ids = var.break_glass_principal_ids
  tags                      = var.tags
}

# Staging: without a policy, and emptied by age. Nothing in it is needed to restore.
resource "azurerm_storage_account" "staging" {
  name                     = var.staging_account
  resource_group_name      = local.group
  location                 = var.location
  account_kind             = "StorageV2"
  account_tier             = "Standard"
  account_replication_type = var.staging_replication_type
  tags                     = var.tags

  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  local_user_enabled               = false
  https_traffic_only_enabled       = true
  min_tls_version                  = "TLS1_2"
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false
  # A flat account tells of a new blob when it is whole.
  is_hns_enabled                = false
  public_network_access_enabled = var.network.public_access

  network_rules {
    default_action             = var.network.default_action
    bypass                     = ["AzureServices"]
    ip_rules                   = var.network.ip_ranges
    virtual_network_subnet_ids = var.network.subnet_ids
  }

  blob_properties {
    versioning_enabled = false
  }
}

resource "azurerm_storage_container" "staging" {
  name                  = var.staging_container
  storage_account_id    = azurerm_storage_account.staging.id
  container_access_type = "private"
}

resource "azurerm_storage_management_policy" "staging" {
  storage_account_id = azurerm_storage_account.staging.id

  rule {
    name    = "expire"
    enabled = true

    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["${var.staging_container}/"]
    }

    actions {
      base_blob {
        delete_after_days_since_modification_greater_than = var.staging_expire_days
      }
    }
  }

  depends_on = [azurerm_storage_container.staging]
}
