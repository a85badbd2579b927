provider "azurerm" {
  features {}

  subscription_id     = var.subscription_id
  storage_use_azuread = true
}

module "pgseal" {
  source = "../.."

  resource_group_name   = "pgseal"
  create_resource_group = true
  location              = "westeurope"
  vault_account         = "${var.account_prefix}vault"
  staging_account       = "${var.account_prefix}staging"
  function_account      = "${var.account_prefix}func"
  recovery_window_days  = 7
  lock_days             = 14
  function_package      = { path = var.function_zip }
  servers               = { main = {} }
  alarm_emails          = [var.alarm_email]
}
