# One policy for all hosts: the server is the tag pgseal-server of whoever asks. Nobody can change it by assuming the
# role, because the trust policies here allow sts:AssumeRole and not sts:TagSession.
locals {
  vault   = "arn:${var.partition}:s3:::${var.vault_name}"
  staging = "arn:${var.partition}:s3:::${var.staging_name}"
  root    = var.prefix == "" ? "" : "${var.prefix}/"
  server  = "$${aws:PrincipalTag/pgseal-server}"

  own_vault   = [for dir in ["base", "wals"] : "${local.vault}/${local.root}${local.server}/${dir}/*"]
  own_staging = [for dir in ["", "_pgseal/progress/", "_pgseal/complete/"] : "${local.staging}/${local.root}${dir}${local.server}/*"]

  statements = concat([
    {
      Sid      = "CreateInTheVault"
      Effect   = "Allow"
      Action   = concat(["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], var.may_set_retention ? ["s3:PutObjectRetention"] : [], var.may_tag ? ["s3:PutObjectTagging"] : [])
      Resource = local.own_vault
    },
    {
      Sid      = "ReadOwnObjects"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion"]
      Resource = local.own_vault
    },
    {
      Sid      = "WriteOwnRecords"
      Effect   = "Allow"
      Action   = concat(["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:GetObject"], var.may_tag ? ["s3:PutObjectTagging"] : [])
      Resource = local.own_staging
    },
    {
      Sid      = "ReadOwnVerdicts"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${local.staging}/${local.root}_pgseal/verdict/${local.server}/*"]
    },
    {
      # Without a condition on s3:prefix: a HEAD or GET of an object that is not there carries no prefix, and Amazon S3 then
      # answers 403 for 404. So a host sees the names of other servers' objects, and nothing of what is in them.
      Sid      = "ListAndLook"
      Effect   = "Allow"
      Action   = ["s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning", "s3:ListBucket"]
      Resource = [local.vault, local.staging]
    },
    {
      # The vault's policy says so too; a host that is given more by mistake stays as harmless.
      Sid      = "NeverTheSeal"
      Effect   = "Deny"
      Action   = ["s3:PutObject"]
      Resource = ["${local.vault}/*/backup.info", "${local.vault}/*/annotations/*"]
    },
    {
      Sid      = "NeverAVerdict"
      Effect   = "Deny"
      Action   = ["s3:PutObject"]
      Resource = [for dir in ["verdict", "sweep", "drill"] : "${local.staging}/${local.root}_pgseal/${dir}/*"]
    },
    {
      Sid    = "NeverDeleteOrUnlock"
      Effect = "Deny"
      Action = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]
      # In staging too: its lifecycle rule clears it.
      Resource = ["${local.vault}/*", "${local.staging}/*"]
    },
    ], var.kms_key_arn == null ? [] : [{
      Sid      = "UseTheKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [var.kms_key_arn]
  }])

  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })

  role_names = { for server, host in var.servers : server => coalesce(host.role_name, "${var.name}-host-${server}") }
}

resource "aws_iam_policy" "host" {
  name        = "${var.name}-host"
  description = "pgseal: a database host creates objects below its own server's name (its tag pgseal-server), and seals, replaces and deletes nothing."
  policy      = local.policy
  tags        = var.tags
}

resource "aws_iam_role" "host" {
  for_each = var.servers

  name        = local.role_names[each.key]
  description = "pgseal: the database host of server ${each.key}."
  assume_role_policy = coalesce(each.value.assume_role_policy, jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = "sts:AssumeRole"
      Principal = { for kind, who in {
        AWS     = each.value.trusted_arns
        Service = length(each.value.trusted_arns) > 0 ? [] : ["ec2.amazonaws.com"]
      } : kind => who if length(who) > 0 }
    }]
  }))
  permissions_boundary = var.permissions_boundary
  tags                 = merge(var.tags, { "pgseal-server" = each.key })

  lifecycle {
    precondition {
      condition     = length(local.role_names[each.key]) <= 64
      error_message = "The role's name ${local.role_names[each.key]} is longer than 64 characters: give server ${each.key} a role_name that begins with ${var.name}-host-."
    }
  }
}

resource "aws_iam_role_policy_attachment" "host" {
  for_each = var.servers

  role       = aws_iam_role.host[each.key].name
  policy_arn = aws_iam_policy.host.arn
}

resource "aws_iam_instance_profile" "host" {
  for_each = { for server, host in var.servers : server => host if length(host.trusted_arns) == 0 && host.assume_role_policy == null }

  name = local.role_names[each.key]
  role = aws_iam_role.host[each.key].name
  tags = var.tags
}
