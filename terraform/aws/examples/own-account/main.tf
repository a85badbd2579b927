# The account of the databases.
provider "aws" {
  region = var.region
}

# The vault's account, in which nobody who administers the databases may do anything.
provider "aws" {
  alias  = "vault"
  region = var.region

  assume_role {
    role_arn = var.vault_account_role_arn
  }
}

data "aws_caller_identity" "databases" {}

# Both buckets, the function and its alarms are in the vault's account: who administers the databases can change neither
# the vault's policy nor the code that seals.
module "vault" {
  source    = "../.."
  providers = { aws = aws.vault }

  vault_bucket         = "${var.company}-pgseal-vault"
  staging_bucket       = "${var.company}-pgseal-staging"
  recovery_window_days = 30
  lock_days            = 35
  function_package     = { path = var.function_package }
  servers              = { for server in var.servers : server => {} }
  host_account_ids     = [data.aws_caller_identity.databases.account_id]
  administrator_arns   = [var.vault_account_role_arn]
}

# The hosts' roles are in the account of the databases.
module "hosts" {
  source = "../../hosts"

  servers      = { for server in var.servers : server => {} }
  vault_name   = "${var.company}-pgseal-vault"
  staging_name = "${var.company}-pgseal-staging"
}
