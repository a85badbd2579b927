provider "google" {
  project = var.project_id
}

module "pgseal" {
  source = "../.."

  project_id           = var.project_id
  region               = "europe-west1"
  location             = "EU"
  vault_bucket         = "${var.project_id}-pgseal-vault"
  staging_bucket       = "${var.project_id}-pgseal-staging"
  lock_days            = 14
  recovery_window_days = 7
  function_package     = { path = var.function_zip }
  servers              = { main = {} }
  alarm_emails         = [var.alarm_email]
}
