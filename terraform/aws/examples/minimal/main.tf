provider "aws" {
  region = var.region
}

# One server on an EC2 instance, everything in one account. docs/trust.md says what one account costs.
module "pgseal" {
  source = "../.."

  vault_bucket         = "${var.company}-pgseal-vault"
  staging_bucket       = "${var.company}-pgseal-staging"
  recovery_window_days = 30
  lock_days            = 35
  function_package     = { path = var.function_package }
  servers              = { main = {} }
  alarm_emails         = var.alarm_emails
}
