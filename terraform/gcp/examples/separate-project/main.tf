# Two sets of credentials: who administers the databases' project has none for the vault's.
provider "google" {
  project = var.project_id
}

provider "google" {
  alias                       = "vault"
  project                     = var.vault_project_id
  impersonate_service_account = var.vault_administrator
}

locals {
  vault_bucket = "${var.vault_project_id}-vault"
  lock_days    = 35
}

module "vault" {
  source    = "../../vault"
  providers = { google = google.vault }

  project_id       = var.vault_project_id
  bucket           = local.vault_bucket
  location         = "EU"
  lock_days        = local.lock_days
  lock_permanently = true
  hosts            = module.pgseal.hosts
  finalizer_member = module.pgseal.finalizer
  restore_members  = module.pgseal.restore_members
  operator_members = module.pgseal.operator_members
}

module "pgseal" {
  source = "../.."

  project_id              = var.project_id
  region                  = "europe-west1"
  location                = "EU"
  recovery_window_days    = 30
  vault_managed_elsewhere = true
  vault_bucket            = local.vault_bucket
  lock_days               = local.lock_days
  staging_bucket          = "${var.project_id}-pgseal-staging"
  function_package        = { path = var.function_zip }
  servers                 = { main = {} }
  alarm_emails            = [var.alarm_email]
}
