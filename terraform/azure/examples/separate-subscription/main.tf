# Two sets of credentials: who administers the databases' subscription has none for the vault's.
provider "azurerm" {
  features {}

  subscription_id     = var.subscription_id
  storage_use_azuread = true
}

provider "azurerm" {
  features {}

  alias               = "vault"
  subscription_id     = var.vault_subscription_id
  storage_use_azuread = true
}

locals {
  vault_account = "${var.account_prefix}vault"
  lock_days     = 35
}

resource "azurerm_resource_group" "vault" {
  provider = azurerm.vault

  name     = "pgseal-vault"
  location = "westeurope"
}

module "vault" {
  source    = "../../vault"
  providers = { azurerm = azurerm.vault }

  resource_group_name    = azurerm_resource_group.vault.name
  location               = azurerm_resource_group.vault.location
  account_name           = local.vault_account
  lock_days              = local.lock_days
  lock_permanently       = true
  hosts                  = module.pgseal.hosts
  finalizer_principal_id = module.pgseal.finalizer_principal_id
  restore_principal_ids  = module.pgseal.restore_principal_ids
  operator_principal_ids = module.pgseal.operator_principal_ids
}

module "pgseal" {
  source = "../.."

  resource_group_name     = "pgseal"
  create_resource_group   = true
  location                = "westeurope"
  vault_managed_elsewhere = true
  vault_account           = local.vault_account
  staging_account         = "${var.account_prefix}staging"
  function_account        = "${var.account_prefix}func"
  recovery_window_days    = 30
  lock_days               = local.lock_days
  function_package        = { path = var.function_zip }
  servers                 = { main = {} }
  alarm_emails            = [var.alarm_email]
}
