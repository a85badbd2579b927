# The identities in the vault's account. Those of the hosts are in ./hosts.
locals {
  reads = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:GetObjectTagging"]
  looks = ["s3:GetBucketLocation", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning", "s3:ListBucket"]

  # Where the finalizer may set a lock: nowhere, on its seal (when hosts may choose a lock, the seal gets the same), or on
  # everything (to extend what is there).
  lockable = var.seal_retention_days != null ? ["${local.vault}/${local.root}*"] : var.hosts_may_set_retention ? ["${local.vault}/${local.root}*/base/*/backup.info"] : []

  kms_write = var.kms_key_arn == null ? [] : [{ Sid = "UseTheKey", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [var.kms_key_arn] }]

  read_statements = [
    { Sid = "ReadBoth", Effect = "Allow", Action = local.reads, Resource = ["${local.vault}/${local.root}*", "${local.staging}/${local.root}*"] },
    { Sid = "ListBoth", Effect = "Allow", Action = concat(local.looks, ["s3:ListBucketVersions"]), Resource = [local.vault, local.staging] },
  ]

  policies = {
    finalizer = concat([
      { Sid = "Seal", Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.vault}/${local.root}*/base/*/backup.info"] },
      { Sid = "Speak", Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.staging}/${local.root}_pgseal/verdict/*", "${local.staging}/${local.root}_pgseal/sweep/*"] },
      { Sid = "EndAbandonedUploads", Effect = "Allow", Action = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], Resource = ["${local.vault}/${local.root}*", "${local.staging}/${local.root}*"] },
      { Sid = "FindAbandonedUploads", Effect = "Allow", Action = ["s3:ListBucketMultipartUploads"], Resource = [local.vault, local.staging] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${local.log_group}:*"] },
      { Sid = "TakeEvents", Effect = "Allow", Action = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], Resource = [local.queue] },
      { Sid = "GiveUpEvents", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = [local.dead] },
      { Sid = "NothingElseInTheVault", Effect = "Deny", Action = ["s3:PutObject"], NotResource = ["${local.vault}/*/backup.info", "${local.staging}/${local.root}_pgseal/*"] },
      { Sid = "DeleteNothing", Effect = "Deny", Action = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"], Resource = ["*"] },
      ], local.read_statements, local.kms_write,
      length(local.lockable) == 0 ? [] : [{ Sid = "Lock", Effect = "Allow", Action = ["s3:PutObjectRetention"], Resource = local.lockable }],
    )

    # Besides reading, what came of a drill: in staging alone. That it may be written is tried before by an upload that is
    # begun and ended.
    restore = concat(local.read_statements, local.kms_write, [
      { Sid = "ProveDrills", Effect = "Allow", Action = ["s3:PutObject", "s3:AbortMultipartUpload"], Resource = ["${local.staging}/${local.root}_pgseal/drill/*"] },
    ])

    operator = concat(local.read_statements, local.kms_write, [
      { Sid = "Keep", Effect = "Allow", Action = ["s3:PutObject", "s3:DeleteObject"], Resource = ["${local.vault}/${local.root}*/base/*/annotations/keep"] },
    ])

    expire = [
      { Sid = "ListVersions", Effect = "Allow", Action = concat(local.looks, ["s3:ListBucketVersions"]), Resource = [local.vault] },
      { Sid = "ReadLocks", Effect = "Allow", Action = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:GetObjectLegalHold"], Resource = ["${local.vault}/${local.root}*"] },
      { Sid = "DeleteReleasedVersions", Effect = "Allow", Action = ["s3:DeleteObjectVersion"], Resource = ["${local.vault}/${local.root}*"] },
      { Sid = "NeverADeleteMarker", Effect = "Deny", Action = ["s3:DeleteObject", "s3:BypassGovernanceRetention"], Resource = ["*"] },
    ]

    breakglass = [
      { Sid = "Everything", Effect = "Allow", Action = ["s3:*"], Resource = [local.vault, "${local.vault}/*", local.staging, "${local.staging}/*"] },
    ]
  }

  # Who may become whom. An identity with nobody to become it is not made.
  people = { for who, arns in {
    restore    = var.restore_trusted_arns
    operator   = var.operator_trusted_arns
    expire     = var.expire_trusted_arns
    breakglass = var.breakglass_trusted_arns
  } : who => arns if length(arns) > 0 }

  purpose = {
    restore    = "reads backups and verdicts, and writes what came of drills"
    operator   = "reads, and keeps backups with barman-cloud-backup-keep"
    expire     = "deletes object versions whose lock has ended, by version id"
    breakglass = "is excepted from the vault's rules; every use of it deserves an alarm"
  }
}

resource "aws_iam_role" "finalizer" {
  name                 = "${var.name}-finalizer"
  description          = "pgseal: the function; reads both buckets, writes backup.info and verdicts."
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "finalizer" {
  name   = "finalizer"
  role   = aws_iam_role.finalizer.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.policies.finalizer })
}

resource "aws_iam_role" "person" {
  for_each = local.people

  name                 = "${var.name}-${each.key}"
  description          = "pgseal: ${local.purpose[each.key]}."
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = each.value }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "person" {
  for_each = local.people

  name   = each.key
  role   = aws_iam_role.person[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.policies[each.key] })
}
