locals {
  # What only the finalizer says, and what only who restores can know.
  spoken = ["${local.staging}/${local.root}_pgseal/verdict/*", "${local.staging}/${local.root}_pgseal/sweep/*"]
  proofs = ["${local.staging}/${local.root}_pgseal/drill/*"]

  staging_deny = concat(
    local.deny_plain_http.staging,
    [{
      Sid       = "OnlyTheFinalizerSpeaks"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObject"]
      Resource  = local.spoken
      Condition = local.except_finalizer
      }, {
      Sid       = "OnlyWhoRestoresProves"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:PutObject"]
      Resource  = local.proofs
      Condition = local.except_restore
      }, {
      Sid       = "NobodyDeletesAVerdict"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      Resource  = concat(local.spoken, local.proofs)
      Condition = local.except_breakglass
    }],
    local.deny_encryption.staging,
    local.deny_elsewhere.staging,
  )

  staging_allow = !local.cross_account ? [] : [
    {
      Sid       = "HostsOfOtherAccountsStage"
      Effect    = "Allow"
      Principal = local.host_accounts
      Action    = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
      Resource  = [for dir in ["", "_pgseal/progress/", "_pgseal/complete/"] : "${local.staging}/${local.root}${dir}$${aws:PrincipalTag/pgseal-server}/*"]
      Condition = local.host_condition
    },
    {
      Sid       = "HostsOfOtherAccountsReadVerdicts"
      Effect    = "Allow"
      Principal = local.host_accounts
      Action    = ["s3:GetObject"]
      Resource  = ["${local.staging}/${local.root}_pgseal/verdict/$${aws:PrincipalTag/pgseal-server}/*"]
      Condition = local.host_condition
    },
    {
      Sid       = "HostsOfOtherAccountsLookAtStaging"
      Effect    = "Allow"
      Principal = local.host_accounts
      Action    = ["s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning", "s3:ListBucket"]
      Resource  = [local.staging]
      Condition = local.host_condition
    },
  ]

  staging_statements = concat(local.staging_deny, local.staging_allow)
  staging_policy     = jsonencode({ Version = "2012-10-17", Statement = [for s in local.staging_statements : { for k, v in s : k => v if try(length(v), 1) > 0 }] })
}
