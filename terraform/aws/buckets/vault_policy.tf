locals {
  keep = "${local.vault}/*/annotations/keep"
  seal = "${local.vault}/*/backup.info"

  # The rules that hold for everybody, whatever an identity is allowed.
  vault_deny = concat(
    local.deny_plain_http.vault,
    [
      {
        Sid       = "OnlyTheFinalizerSeals"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutObject"]
        Resource  = [local.seal]
        Condition = local.except_finalizer
      },
      {
        # A seal is one PUT: parts could be sent long before the conditions hold.
        Sid       = "TheSealIsOnePut"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutObject"]
        Resource  = [local.seal]
        Condition = merge({ Bool = { "s3:ObjectCreationOperation" = "false" } }, local.except_breakglass)
      },
      {
        # Requests that start a multipart upload or send a part carry no condition and create no object; the one that
        # completes it does. The operator's note is the one key that is replaced.
        Sid         = "OnlyConditionalCreates"
        Effect      = "Deny"
        Principal   = "*"
        Action      = ["s3:PutObject"]
        NotResource = [local.keep]
        Condition = merge({
          Null = { "s3:if-none-match" = "true" }
          Bool = { "s3:ObjectCreationOperation" = "true" }
        }, local.except_breakglass)
      },
      {
        Sid       = "OnlyTheOperatorKeeps"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutObject", "s3:DeleteObject"]
        Resource  = [local.keep]
        Condition = local.except_operator
      },
      {
        # A delete without a version puts a delete marker on top: it hides a locked object, and lets a create-only
        # write succeed once more.
        Sid         = "NobodyHides"
        Effect      = "Deny"
        Principal   = "*"
        Action      = ["s3:DeleteObject"]
        NotResource = [local.keep]
        Condition   = local.except_breakglass
      },
      {
        Sid       = "NobodyDeletesVersions"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:DeleteObjectVersion"]
        Resource  = ["${local.vault}/*"]
        Condition = local.except_expire
      },
      {
        # Replication into the vault would put versions on top without any condition.
        Sid       = "NobodyBypasses"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:BypassGovernanceRetention", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
        Resource  = ["${local.vault}/*"]
        Condition = local.except_breakglass
      },
      {
        Sid       = "NobodyUnlocks"
        Effect    = "Deny"
        Principal = "*"
        Action = concat([
          "s3:DeleteBucket",
          "s3:PutBucketObjectLockConfiguration",
          "s3:PutBucketVersioning",
          "s3:PutLifecycleConfiguration",
          ], length(var.administrator_arns) == 0 ? [] : [
          "s3:DeleteBucketPolicy",
          "s3:PutBucketAcl",
          "s3:PutBucketOwnershipControls",
          "s3:PutBucketPolicy",
          "s3:PutBucketPublicAccessBlock",
          "s3:PutEncryptionConfiguration",
          "s3:PutReplicationConfiguration",
        ])
        Resource  = [local.vault]
        Condition = local.except_administrator
      },
      {
        Sid       = "OnlyAllowedStorageClasses"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutObject"]
        Resource  = ["${local.vault}/*"]
        Condition = {
          Null            = { "s3:x-amz-storage-class" = "false" }
          StringNotEquals = { "s3:x-amz-storage-class" = var.allowed_storage_classes }
        }
      },
      {
        Sid       = "NoOtherLockMode"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutObject", "s3:PutObjectRetention"]
        Resource  = ["${local.vault}/*"]
        Condition = {
          Null            = { "s3:object-lock-mode" = "false" }
          StringNotEquals = { "s3:object-lock-mode" = var.lock_mode }
        }
      },
      {
        # Whole days that remain; the day begun is not counted, hence one less.
        Sid       = "NoShorterLock"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutObject", "s3:PutObjectRetention"]
        Resource  = ["${local.vault}/*"]
        Condition = { NumericLessThan = { "s3:object-lock-remaining-retention-days" = tostring(var.retention_days.min - 1) } }
      },
      {
        Sid       = "NoLongerLock"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:PutObject", "s3:PutObjectRetention"]
        Resource  = ["${local.vault}/*"]
        Condition = { NumericGreaterThan = { "s3:object-lock-remaining-retention-days" = tostring(var.retention_days.max) } }
      },
    ],
    local.deny_encryption.vault,
    local.deny_elsewhere.vault,
  )

  vault_allow = !local.cross_account ? [] : [
    {
      Sid       = "HostsOfOtherAccountsCreate"
      Effect    = "Allow"
      Principal = local.host_accounts
      Action    = concat(["s3:AbortMultipartUpload", "s3:GetObject", "s3:GetObjectVersion", "s3:ListMultipartUploadParts", "s3:PutObject"], var.host_actions)
      Resource  = [for dir in ["base", "wals"] : "${local.vault}/${local.root}$${aws:PrincipalTag/pgseal-server}/${dir}/*"]
      Condition = local.host_condition
    },
    {
      Sid       = "HostsOfOtherAccountsLook"
      Effect    = "Allow"
      Principal = local.host_accounts
      Action    = ["s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning", "s3:ListBucket"]
      Resource  = [local.vault]
      Condition = local.host_condition
    },
  ]

  vault_statements = concat(local.vault_deny, local.vault_allow)
  vault_policy     = jsonencode({ Version = "2012-10-17", Statement = [for s in local.vault_statements : { for k, v in s : k => v if try(length(v), 1) > 0 }] })
}
