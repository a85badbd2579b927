# Plans with the real provider and no account: what an API would have to answer is overridden. Policies are written from
# names, so that the plan holds every one of them in full. The Go test of package awspolicy keeps them as
# awspolicy/policies.json and evaluates them; what is asserted here is what that does not see.

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}

variables {
  vault_bucket         = "example-vault"
  staging_bucket       = "example-staging"
  recovery_window_days = 30
  lock_days            = 35
  function_package     = { path = "tests/fixtures/function.zip" }
  servers              = { main = {}, other = { trusted_arns = ["arn:aws:iam::111122223333:role/patroni"] } }
}

# As little as can be: no people, no exceptions.
run "minimal" {
  command = plan
}

# Everybody is there, and every option that grants something is on.
run "complete" {
  command = plan

  variables {
    restore_trusted_arns    = ["arn:aws:iam::111122223333:role/dba"]
    operator_trusted_arns   = ["arn:aws:iam::111122223333:role/dba"]
    expire_trusted_arns     = ["arn:aws:iam::111122223333:role/janitor"]
    breakglass_trusted_arns = ["arn:aws:iam::111122223333:role/ciso"]
    administrator_arns      = ["arn:aws:iam::111122223333:role/terraform"]
    hosts_may_set_retention = true
    hosts_may_tag           = true
    seal_retention_days     = 60
    host_vpc_endpoint_ids   = ["vpce-0123456789abcdef0"]
    kms_key_arn             = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    allowed_storage_classes = ["STANDARD", "GLACIER_IR"]
  }

  assert {
    condition     = aws_s3_bucket_notification.staging.bucket == "example-staging" && one(aws_s3_bucket_notification.staging.queue).filter_prefix == "barman/_pgseal/complete/" && one(aws_s3_bucket_notification.staging.queue).events == toset(["s3:ObjectCreated:*"])
    error_message = "Markers in staging, and only they, have to wake the function."
  }

  assert {
    condition     = one(aws_s3_bucket_notification.staging.queue).queue_arn == aws_lambda_event_source_mapping.events.event_source_arn
    error_message = "Staging notifies another queue than the one that the function reads."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.events.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "Without ReportBatchItemFailures what the function could not do counts as done."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.events.redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:eu-central-1:111122223333:pgseal-dead-letter", maxReceiveCount = 5 } && aws_sqs_queue.dead_letter.name == "pgseal-dead-letter"
    error_message = "What fails five times has to go to the dead-letter queue."
  }

  assert {
    condition     = aws_sqs_queue.events.visibility_timeout_seconds >= 6 * aws_lambda_function.finalizer.timeout
    error_message = "A message comes again while the function still works on it."
  }

  assert {
    condition     = aws_sqs_queue.dead_letter.message_retention_seconds == 14 * 24 * 3600 && aws_sqs_queue.events.message_retention_seconds < aws_sqs_queue.dead_letter.message_retention_seconds
    error_message = "Dead letters have to lie for two weeks."
  }

  assert {
    condition     = one(one(aws_lambda_function_event_invoke_config.finalizer.destination_config).on_failure).destination == "arn:aws:sqs:eu-central-1:111122223333:pgseal-dead-letter" && aws_lambda_function_event_invoke_config.finalizer.maximum_retry_attempts == 2
    error_message = "A sweep that fails has to be tried again, and then to be found in the dead-letter queue."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.sweep.schedule_expression == "rate(60 minutes)" && aws_lambda_permission.sweep.principal == "events.amazonaws.com" && aws_lambda_permission.sweep.action == "lambda:InvokeFunction"
    error_message = "The schedule has to start the function every hour."
  }

  assert {
    condition     = aws_lambda_function.finalizer.reserved_concurrent_executions == 10 && aws_cloudwatch_log_group.finalizer.retention_in_days == 90 && aws_lambda_function.finalizer.memory_size == 512
    error_message = "Memory, concurrency or the log's retention is not as the variables say."
  }

  assert {
    condition = alltrue([for name, value in {
      PGSEAL_VAULT_URL        = "s3://example-vault/barman"
      PGSEAL_STAGING_URL      = "s3://example-staging/barman"
      PGSEAL_WAL_DEADLINE     = "72h"
      PGSEAL_MIN_RETENTION    = "34d"
      PGSEAL_SEAL_RETENTION   = "60d"
      PGSEAL_VAULT_ENCRYPTION = "aws:kms:arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    } : one(aws_lambda_function.finalizer.environment).variables[name] == value])
    error_message = "The function's settings are not those of the variables."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letter.threshold == 0 && aws_cloudwatch_metric_alarm.dead_letter.comparison_operator == "GreaterThanThreshold" && aws_cloudwatch_metric_alarm.dead_letter.dimensions.QueueName == "pgseal-dead-letter"
    error_message = "One dead letter has to be an alarm."
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.no_sealed_backup) == ["main", "other"]
    error_message = "Each server needs an alarm of its own when its backups stay away."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.no_sealed_backup : alarm.treat_missing_data == "breaching" && alarm.period == 3600 && alarm.evaluation_periods == 26 && alarm.datapoints_to_alarm == 26])
    error_message = "No data for 26 hours has to be an alarm."
  }

  assert {
    condition     = alltrue([for name in ["rejected", "conflict", "findings"] : aws_cloudwatch_metric_alarm.log[name].threshold == 1])
    error_message = "One rejection, conflict or finding has to be an alarm."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.count["Rejected"].pattern == "{ $.verdict = \"rejected\" }" && aws_cloudwatch_log_metric_filter.count["Conflict"].pattern == "{ $.verdict = \"conflict\" }"
    error_message = "The filters are not for the words that the finalizer logs."
  }

  assert {
    condition     = one(aws_cloudwatch_log_metric_filter.sealed.metric_transformation).dimensions.server == "$.server"
    error_message = "Seals have to be counted for each server."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.sweep.treat_missing_data == "breaching"
    error_message = "A schedule that does not run has to be an alarm."
  }

  assert {
    condition     = !strcontains(aws_iam_role.finalizer.assume_role_policy, "AWS") && alltrue([for role in module.hosts[0].trust : !strcontains(role, "TagSession")])
    error_message = "Somebody else may become the finalizer, or a host another server's."
  }
}

# The hosts are in another account.
run "own_account" {
  command = plan

  variables {
    host_account_ids        = ["444455556666"]
    hosts_may_set_retention = true
  }
}

# The rules of the end-to-end tests: people and break-glass, no limits to the length of a lock.
run "e2e" {
  command = plan

  variables {
    restore_trusted_arns    = ["arn:aws:iam::111122223333:role/dba"]
    operator_trusted_arns   = ["arn:aws:iam::111122223333:role/dba"]
    breakglass_trusted_arns = ["arn:aws:iam::111122223333:role/ciso"]
    recovery_window_days    = 0
    longest_gap_days        = 0
    lock_days               = 1
    request_retention_days  = { min = 0, max = 36500 }
  }
}

# The same with hosts that choose their locks.
run "e2e_retention" {
  command = plan

  variables {
    restore_trusted_arns    = ["arn:aws:iam::111122223333:role/dba"]
    operator_trusted_arns   = ["arn:aws:iam::111122223333:role/dba"]
    breakglass_trusted_arns = ["arn:aws:iam::111122223333:role/ciso"]
    recovery_window_days    = 0
    longest_gap_days        = 0
    lock_days               = 1
    request_retention_days  = { min = 0, max = 36500 }
    hosts_may_set_retention = true
  }
}
