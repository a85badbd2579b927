provider "google" {
  project = var.project_id
}

locals {
  region = "europe-west1"
}

resource "google_kms_key_ring" "pgseal" {
  name     = "pgseal"
  location = local.region
}

resource "google_kms_crypto_key" "pgseal" {
  name            = "pgseal"
  key_ring        = google_kms_key_ring.pgseal.id
  rotation_period = "7776000s"

  lifecycle {
    prevent_destroy = true
  }
}

module "pgseal" {
  source = "../.."

  name       = "pgbackup"
  project_id = var.project_id
  region     = local.region
  location   = local.region
  prefix     = "postgres"

  vault_bucket        = "${var.project_id}-vault"
  vault_storage_class = "NEARLINE"
  vault_kms_key       = google_kms_crypto_key.pgseal.id

  recovery_window_days = 30
  longest_gap_days     = 2
  backup_duration_days = 1
  lock_days            = 35
  lock_permanently     = true

  staging_bucket      = "${var.project_id}-staging"
  staging_kms_key     = google_kms_crypto_key.pgseal.id
  staging_expire_days = 60

  servers = {
    main      = {}
    reporting = {}
    # A machine elsewhere, known by its workload identity.
    branch = { member = "principal://iam.googleapis.com/projects/1234567890/locations/global/workloadIdentityPools/db/subject/branch" }
  }
  restore_members     = ["group:dba@example.com"]
  operator_members    = ["group:dba@example.com"]
  expire_members      = ["serviceAccount:expire@${var.project_id}.iam.gserviceaccount.com"]
  break_glass_members = ["group:on-call@example.com"]

  function_package       = { path = var.function_zip }
  function_memory_mb     = 1024
  function_cpu           = "0.583"
  function_max_instances = 20
  wal_check              = "require,reporting=off"
  wal_deadline_hours     = 48
  sweep_interval_minutes = 30
  function_environment   = { PGSEAL_ABANDON_AFTER = "1h" }

  alarm_emails         = [var.alarm_email]
  max_backup_age_hours = 26
  log_retention_days   = 365
  labels               = { service = "backup" }
}
