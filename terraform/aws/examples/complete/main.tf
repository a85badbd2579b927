provider "aws" {
  region = var.region

  default_tags {
    tags = { service = "backup" }
  }
}

data "aws_caller_identity" "current" {}

# Every option that is a decision, in one account: several servers, people, a key of one's own, limits, alarms.
module "pgseal" {
  source = "../.."

  name = "pgseal-prod"

  vault_bucket   = "${var.company}-prod-vault"
  staging_bucket = "${var.company}-prod-staging"
  prefix         = "postgres/prod"
  kms_key_arn    = aws_kms_key.backup.arn
  lock_mode      = "COMPLIANCE"
  lock_days      = 42
  tags           = { team = "dba" }

  recovery_window_days = 35
  longest_gap_days     = 3
  backup_duration_days = 2

  # Hosts may lock for longer than the default (--retention 60d), and no longer than a year.
  hosts_may_set_retention = true
  request_retention_days  = { min = 42, max = 365 }
  allowed_storage_classes = ["STANDARD", "STANDARD_IA", "GLACIER_IR"]

  servers = {
    # An EC2 instance.
    main = {}
    # Machines with a role of their own, which becomes pgseal-prod-host-orders by sts:AssumeRole.
    orders = { trusted_arns = [var.patroni_role_arn] }
    # A pod of EKS, by its service account (IRSA): a whole trust policy.
    reporting = { assume_role_policy = data.aws_iam_policy_document.irsa.json, max_backup_age_hours = 168 }
  }
  wal_check          = "require,reporting=off"
  wal_deadline_hours = 48

  function_package         = { s3_bucket = var.artifacts_bucket, s3_key = "pgseal/aws-arm64.zip", s3_object_version = var.artifact_version }
  function_memory_mb       = 1024
  function_timeout_seconds = 600
  function_concurrency     = 20
  function_environment     = { PGSEAL_ABANDON_AFTER = "1h" }
  sweep_interval_minutes   = 30
  staging_expire_days      = 60
  log_retention_days       = 365

  restore_trusted_arns    = [var.dba_role_arn]
  operator_trusted_arns   = [var.dba_role_arn]
  expire_trusted_arns     = [var.janitor_role_arn]
  breakglass_trusted_arns = [var.security_role_arn]
  administrator_arns      = [var.terraform_role_arn]

  alarm_topic_arns      = [aws_sns_topic.oncall.arn]
  max_backup_age_hours  = 30
  max_event_age_minutes = 30
}

resource "aws_sns_topic" "oncall" {
  name = "dba-oncall"
}

resource "aws_kms_key" "backup" {
  description             = "PostgreSQL backups"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  lifecycle {
    # Without the key no backup can be read, whatever its lock says.
    prevent_destroy = true
  }
}

# The account administers the key; whoever uses it does so by identity policies, through Amazon S3 alone.
resource "aws_kms_key_policy" "backup" {
  key_id = aws_kms_key.backup.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TheAccountAdministers"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      }],
      module.pgseal.kms_key_statements,
    )
  })
}

data "aws_iam_policy_document" "irsa" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${element(split("oidc-provider/", var.oidc_provider_arn), 1)}:sub"
      values   = ["system:serviceaccount:reporting:postgres"]
    }
  }
}
