provider "azurerm" {
  features {}

  subscription_id     = var.subscription_id
  storage_use_azuread = true
}

module "pgseal" {
  source = "../.."

  name                  = "pgbackup"
  resource_group_name   = "pgbackup"
  create_resource_group = true
  location              = "westeurope"
  prefix                = "postgres"
  tags                  = { service = "backup" }

  vault_account          = "${var.account_prefix}vault"
  vault_container        = "backups"
  vault_replication_type = "GZRS"
  vault_access_tier      = "Cool"
  vault_customer_key     = var.customer_key
  recovery_window_days   = 30
  longest_gap_days       = 2
  backup_duration_days   = 1
  lock_days              = 35
  lock_permanently       = true

  staging_account     = "${var.account_prefix}staging"
  staging_container   = "staging"
  staging_expire_days = 60
  function_account    = "${var.account_prefix}func"

  servers = {
    main      = {}
    reporting = {}
    # A machine that has an identity already.
    branch = { principal_id = "11111111-2222-3333-4444-555555555555" }
  }
  restore_principal_ids     = { dba = var.dba_group_id }
  operator_principal_ids    = { dba = var.dba_group_id }
  expire_principal_ids      = { janitor = "66666666-7777-8888-9999-000000000000" }
  break_glass_principal_ids = { oncall = "99999999-8888-7777-6666-555555555555" }

  function_package       = { path = var.function_zip }
  function_memory_mb     = 2048
  function_max_instances = 60
  wal_check              = "require,reporting=off"
  wal_deadline_hours     = 48
  sweep_interval_minutes = 30
  function_environment   = { PGSEAL_ABANDON_AFTER = "1h" }

  network = { default_action = "Deny", ip_ranges = ["203.0.113.0/24"] }

  alarm_emails         = [var.alarm_email]
  max_backup_age_hours = 26
  log_retention_days   = 365
}
