data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # ARNs are written from names, not taken from resources, so that a plan shows every policy in full.
  role      = { for who in ["finalizer", "restore", "operator", "expire", "breakglass"] : who => "arn:${local.partition}:iam::${local.account}:role/${var.name}-${who}" }
  vault     = "arn:${local.partition}:s3:::${var.vault_bucket}"
  staging   = "arn:${local.partition}:s3:::${var.staging_bucket}"
  queue     = "arn:${local.partition}:sqs:${local.region}:${local.account}:${var.name}"
  dead      = "arn:${local.partition}:sqs:${local.region}:${local.account}:${var.name}-dead-letter"
  log_group = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/lambda/${var.name}-finalizer"

  root        = var.prefix == "" ? "" : "${var.prefix}/"
  vault_url   = trimsuffix("s3://${var.vault_bucket}/${var.prefix}", "/")
  staging_url = trimsuffix("s3://${var.staging_bucket}/${var.prefix}", "/")

  retention_days = {
    min = coalesce(var.request_retention_days.min, var.lock_days)
    max = coalesce(var.request_retention_days.max, max(2 * var.lock_days, 30))
  }
}

module "buckets" {
  source = "./buckets"

  vault_name                    = var.vault_bucket
  create_vault                  = var.create_vault
  staging_name                  = var.staging_bucket
  staging_force_destroy         = var.staging_force_destroy
  prefix                        = var.prefix
  partition                     = local.partition
  lock_mode                     = var.lock_mode
  lock_days                     = var.lock_days
  retention_days                = local.retention_days
  staging_expire_days           = var.staging_expire_days
  abort_incomplete_uploads_days = var.abort_incomplete_uploads_days
  noncurrent_version_days       = var.noncurrent_version_days
  allowed_storage_classes       = var.allowed_storage_classes
  kms_key_arn                   = var.kms_key_arn
  finalizer_role_arn            = local.role.finalizer
  operator_role_arn             = length(var.operator_trusted_arns) > 0 ? local.role.operator : null
  restore_role_arn              = length(var.restore_trusted_arns) > 0 ? local.role.restore : null
  expire_role_arn               = length(var.expire_trusted_arns) > 0 ? local.role.expire : null
  breakglass_role_arn           = length(var.breakglass_trusted_arns) > 0 ? local.role.breakglass : null
  administrator_arns            = var.administrator_arns
  host_account_ids              = var.host_account_ids
  host_role_pattern             = "${var.name}-host-*"
  host_vpc_endpoint_ids         = var.host_vpc_endpoint_ids
  host_actions                  = concat(var.hosts_may_set_retention ? ["s3:PutObjectRetention"] : [], var.hosts_may_tag ? ["s3:PutObjectTagging"] : [])
  tags                          = var.tags
}

# The hosts' roles in this account. With hosts in an account of their own, call ./hosts with that account's provider.
module "hosts" {
  source = "./hosts"
  count  = length(var.host_account_ids) == 0 ? 1 : 0

  name                 = var.name
  servers              = { for server, s in var.servers : server => { role_name = s.role_name, trusted_arns = s.trusted_arns, assume_role_policy = s.assume_role_policy } }
  vault_name           = var.vault_bucket
  staging_name         = var.staging_bucket
  prefix               = var.prefix
  partition            = local.partition
  kms_key_arn          = var.kms_key_arn
  may_set_retention    = var.hosts_may_set_retention
  may_tag              = var.hosts_may_tag
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}
