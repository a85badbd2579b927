# A plan with the real provider, which needs no account: nothing here is read from one.

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  vault_name         = "example-vault"
  staging_name       = "example-staging"
  lock_days          = 35
  retention_days     = { min = 35, max = 70 }
  finalizer_role_arn = "arn:aws:iam::111122223333:role/pgseal-finalizer"
}

run "buckets" {
  command = plan

  assert {
    condition     = aws_s3_bucket.vault[0].object_lock_enabled && aws_s3_bucket_versioning.vault[0].versioning_configuration[0].status == "Enabled"
    error_message = "The vault has no Object Lock."
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.vault[0].rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.vault[0].rule[0].default_retention[0].days == 35
    error_message = "The vault's default lock is not as asked."
  }

  assert {
    condition     = alltrue([for block in [aws_s3_bucket_public_access_block.vault[0], aws_s3_bucket_public_access_block.staging] : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "A bucket can be made public."
  }

  assert {
    condition     = alltrue([for controls in [aws_s3_bucket_ownership_controls.vault[0], aws_s3_bucket_ownership_controls.staging] : controls.rule[0].object_ownership == "BucketOwnerEnforced"])
    error_message = "Objects can belong to others than the bucket's owner."
  }

  assert {
    condition     = alltrue([for encryption in [aws_s3_bucket_server_side_encryption_configuration.vault[0], aws_s3_bucket_server_side_encryption_configuration.staging] : one(encryption.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"])
    error_message = "A bucket is not encrypted."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.vault[0].rule : length(rule.expiration) == 0 && length(rule.transition) == 0])
    error_message = "A rule of the vault's makes delete markers on locked objects, or moves them to where they cannot be read."
  }

  assert {
    condition     = contains([for rule in aws_s3_bucket_lifecycle_configuration.vault[0].rule : try(rule.abort_incomplete_multipart_upload[0].days_after_initiation, 0)], 7) && contains([for rule in aws_s3_bucket_lifecycle_configuration.vault[0].rule : try(rule.noncurrent_version_expiration[0].noncurrent_days, 0)], 1)
    error_message = "Incomplete uploads or noncurrent versions stay in the vault for ever."
  }

  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.staging.rule).expiration[0].days == 30 && one(aws_s3_bucket_lifecycle_configuration.staging.rule).abort_incomplete_multipart_upload[0].days_after_initiation == 7
    error_message = "Staging is never cleared."
  }

  assert {
    condition     = !aws_s3_bucket.vault[0].force_destroy && !aws_s3_bucket.staging.force_destroy
    error_message = "A bucket is destroyed with what is in it."
  }
}

# A vault that is there already: nothing of it is owned.
run "adopted" {
  command = plan

  variables {
    create_vault = false
  }

  assert {
    condition     = length(concat(aws_s3_bucket.vault, aws_s3_bucket_policy.vault, aws_s3_bucket_lifecycle_configuration.vault, aws_s3_bucket_object_lock_configuration.vault)) + length(concat(aws_s3_bucket_versioning.vault, aws_s3_bucket_public_access_block.vault, aws_s3_bucket_ownership_controls.vault, aws_s3_bucket_server_side_encryption_configuration.vault)) == 0
    error_message = "Something of the adopted vault is managed here."
  }

  assert {
    condition     = length(jsondecode(output.vault_policy).Statement) > 10
    error_message = "The statements to merge are not there."
  }
}

run "one_bucket_for_both" {
  command = plan

  variables {
    staging_name = "example-vault"
  }

  expect_failures = [var.staging_name]
}

# Many principals in the policy end at the 20 KB of Amazon S3; 200 servers do not, because they are none.
run "too_long_a_policy" {
  command = plan

  variables {
    administrator_arns = [for n in range(400) : "arn:aws:iam::111122223333:role/some-long-name-of-an-administrator-${n}"]
  }

  expect_failures = [aws_s3_bucket_policy.vault]
}
