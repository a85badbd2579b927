# Statements of both buckets' policies. They are data, so that they can be printed for a bucket that is somebody else's
# and evaluated in tests. The one rule that is easily got wrong: a negated operator (StringNotEquals) also matches a
# request that has not got the key at all. Where "not sent" is fine, Null says so.
locals {
  # Who is excepted from a rule. aws:PrincipalArn of a role's session is the role's ARN.
  finalizer  = [var.finalizer_role_arn]
  operator   = var.operator_role_arn == null ? [] : [var.operator_role_arn]
  restore    = var.restore_role_arn == null ? [] : [var.restore_role_arn]
  expire     = var.expire_role_arn == null ? [] : [var.expire_role_arn]
  breakglass = var.breakglass_role_arn == null ? [] : [var.breakglass_role_arn]

  # The conditions, or the pieces of them, that except those principals; none when there is nobody to except.
  except_finalizer     = { ArnNotLike = { "aws:PrincipalArn" = concat(local.finalizer, local.breakglass) } }
  except_operator      = length(local.operator) + length(local.breakglass) == 0 ? {} : { ArnNotLike = { "aws:PrincipalArn" = concat(local.operator, local.breakglass) } }
  except_restore       = length(local.restore) + length(local.breakglass) == 0 ? {} : { ArnNotLike = { "aws:PrincipalArn" = concat(local.restore, local.breakglass) } }
  except_expire        = length(local.expire) + length(local.breakglass) == 0 ? {} : { ArnNotLike = { "aws:PrincipalArn" = concat(local.expire, local.breakglass) } }
  except_administrator = length(var.administrator_arns) + length(local.breakglass) == 0 ? {} : { ArnNotLike = { "aws:PrincipalArn" = concat(var.administrator_arns, local.breakglass) } }
  except_breakglass    = length(local.breakglass) == 0 ? {} : { ArnNotLike = { "aws:PrincipalArn" = local.breakglass } }

  # Encryption: with the bucket's own key or not at all with one that is named. Each is a statement of its own, because
  # the conditions of one statement must all hold.
  deny_encryption = { for name, bucket in { vault = local.vault, staging = local.staging } : name => concat([
    {
      Sid       = "NoCustomerProvidedKeys"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObject"]
      Resource  = ["${bucket}/*"]
      Condition = { Null = { "s3:x-amz-server-side-encryption-customer-algorithm" = "false" } }
    },
    {
      Sid       = "NoOtherEncryption"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObject"]
      Resource  = ["${bucket}/*"]
      Condition = {
        Null            = { "s3:x-amz-server-side-encryption" = "false" }
        StringNotEquals = { "s3:x-amz-server-side-encryption" = local.kms ? "aws:kms" : "AES256" }
      }
    },
    {
      Sid       = "NoOtherKey"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObject"]
      Resource  = ["${bucket}/*"]
      Condition = merge(
        { Null = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" } },
        local.kms ? { StringNotEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = var.kms_key_arn } } : {},
      )
    },
    ], local.kms ? [{
      # aws:kms without a key means the account's key aws/s3, not the bucket's.
      Sid       = "NoUnnamedKey"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObject"]
      Resource  = ["${bucket}/*"]
      Condition = {
        Null         = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "true" }
        StringEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
      }
    }] : [])
  }

  deny_plain_http = { for name, bucket in { vault = local.vault, staging = local.staging } : name => [{
    Sid       = "OnlyTLS"
    Effect    = "Deny"
    Principal = "*"
    Action    = ["s3:*"]
    Resource  = [bucket, "${bucket}/*"]
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }] }

  # A host's credentials are good inside its network only.
  host_arns = [for id in(length(var.host_account_ids) > 0 ? var.host_account_ids : ["*"]) : "arn:${var.partition}:iam::${id}:role/${var.host_role_pattern}"]
  deny_elsewhere = { for name, bucket in { vault = local.vault, staging = local.staging } : name => length(var.host_vpc_endpoint_ids) == 0 ? [] : [{
    Sid       = "HostsOnlyThroughTheirEndpoint"
    Effect    = "Deny"
    Principal = "*"
    Action    = ["s3:*"]
    Resource  = [bucket, "${bucket}/*"]
    Condition = {
      ArnLike         = { "aws:PrincipalArn" = local.host_arns }
      StringNotEquals = { "aws:SourceVpce" = var.host_vpc_endpoint_ids }
    }
  }] }

  # Hosts of other accounts need both: their own account's policy (module hosts) and these. One statement serves any
  # number of servers, because the principal's tag stands in the resource.
  cross_account  = length(var.host_account_ids) > 0
  host_condition = { ArnLike = { "aws:PrincipalArn" = local.host_arns } }
  host_accounts  = { AWS = [for id in var.host_account_ids : "arn:${var.partition}:iam::${id}:root"] }
}
