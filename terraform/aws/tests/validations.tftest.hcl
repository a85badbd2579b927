# What the provider lets through, and the variables do not. Mocked: nothing of a plan is looked at.

# OpenTofu makes up what a resource computes when it plans, so ARNs have to look like some.
mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:111122223333:pgseal-alarms" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::111122223333:policy/pgseal-host" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/pgseal-finalizer" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:pgseal-finalizer" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:111122223333:rule/pgseal-sweep" }
  }
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}

override_data {
  target = data.aws_partition.current
  values = { partition = "aws" }
}

override_data {
  target = data.aws_region.current
  values = { name = "eu-central-1" }
}

variables {
  vault_bucket         = "example-vault"
  staging_bucket       = "example-staging"
  recovery_window_days = 30
  lock_days            = 35
  function_package     = { path = "tests/fixtures/function.zip" }
  servers              = { main = {} }
}

# Everything at once that is wrong in itself: each variable is named.
run "values" {
  command = plan

  variables {
    name                     = "Pgseal!"
    servers                  = { ".hidden" = {} }
    prefix                   = "a//b"
    kms_key_arn              = "alias/backup"
    tags                     = { "pgseal-server" = "main" }
    vault_bucket             = "Has.Dots"
    lock_mode                = "COMPLIANT"
    allowed_storage_classes  = ["DEEP_ARCHIVE"]
    noncurrent_version_days  = 0
    function_package         = {}
    function_architecture    = "arm"
    function_memory_mb       = 64
    function_timeout_seconds = 901
    function_concurrency     = 1
    function_environment     = { PGSEAL_VAULT_URL = "s3://elsewhere" }
    log_retention_days       = 91
    max_receives             = 1
    wal_check                = "sometimes"
    wal_deadline_hours       = 0
    sweep_interval_minutes   = 1
    host_account_ids         = ["main"]
    host_vpc_endpoint_ids    = ["vpc-1"]
    restore_trusted_arns     = ["*"]
    operator_trusted_arns    = ["arn:aws:iam::111122223333:role/*"]
    expire_trusted_arns      = ["111122223333"]
    breakglass_trusted_arns  = ["*"]
    administrator_arns       = ["arn:aws:iam::111122223333:role/*"]
    max_backup_age_hours     = 169
    max_event_age_minutes    = 1
    error_threshold          = 0
  }

  expect_failures = [
    var.name, var.servers, var.prefix, var.kms_key_arn, var.tags, var.vault_bucket, var.lock_mode, var.allowed_storage_classes,
    var.noncurrent_version_days, var.function_package, var.function_architecture, var.function_memory_mb,
    var.function_timeout_seconds, var.function_concurrency, var.function_environment, var.log_retention_days,
    var.max_receives, var.wal_check, var.wal_deadline_hours, var.sweep_interval_minutes, var.host_account_ids,
    var.host_vpc_endpoint_ids, var.restore_trusted_arns, var.operator_trusted_arns, var.expire_trusted_arns,
    var.breakglass_trusted_arns, var.administrator_arns, var.max_backup_age_hours, var.max_event_age_minutes, var.error_threshold,
  ]
}

run "lock_shorter_than_the_window" {
  command = plan

  variables {
    lock_days = 32
  }

  expect_failures = [var.lock_days]
}

run "staging_shorter_than_the_wait" {
  command = plan

  variables {
    staging_expire_days = 3
  }

  expect_failures = [var.staging_expire_days]
}

run "one_bucket_for_both" {
  command = plan

  variables {
    staging_bucket = "example-vault"
  }

  expect_failures = [var.staging_bucket]
}

run "limits_the_wrong_way_round" {
  command = plan

  variables {
    request_retention_days = { min = 60, max = 40 }
  }

  expect_failures = [var.request_retention_days]
}

run "a_lock_at_the_seal_beyond_the_limit" {
  command = plan

  variables {
    seal_retention_days = 71
  }

  expect_failures = [var.seal_retention_days]
}

run "uploads_ended_while_they_run" {
  command = plan

  variables {
    lock_days                     = 40
    backup_duration_days          = 4
    abort_incomplete_uploads_days = 4
  }

  expect_failures = [var.abort_incomplete_uploads_days]
}

run "a_prefix_of_pgseals_own" {
  command = plan

  variables {
    prefix = "a/_pgseal"
  }

  expect_failures = [var.prefix]
}

# An alarm for a week, a server of a long name, and 200 servers: all fit.
run "what_fits" {
  command = plan

  variables {
    servers = merge({ for n in range(200) : "server-${n}" => {} }, { weekly = { max_backup_age_hours = 168 } })
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.no_sealed_backup) == 201 && aws_cloudwatch_metric_alarm.no_sealed_backup["weekly"].evaluation_periods == 168
    error_message = "There is not one alarm for each server."
  }

  assert {
    condition     = length(module.buckets.vault_policy) < 6000
    error_message = "The vault's policy grows with the servers."
  }
}
