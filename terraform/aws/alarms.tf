# What each alarm means and what to do: docs/operations.md.

resource "aws_sns_topic" "alarms" {
  count = var.alarm_topic_arns == null ? 1 : 0

  name = "${var.name}-alarms"
  tags = var.tags
}

resource "aws_sns_topic_policy" "alarms" {
  count = var.alarm_topic_arns == null ? 1 : 0

  arn = aws_sns_topic.alarms[0].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:${local.partition}:sns:${local.region}:${local.account}:${var.name}-alarms"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_topic_arns == null ? var.alarm_emails : []

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  topics    = var.alarm_topic_arns == null ? aws_sns_topic.alarms[*].arn : var.alarm_topic_arns
  namespace = "pgseal/${var.name}"

  # Patterns of the function's log, which has one JSON object a line (slog): "verdict" stands in the one line that each
  # call of the finalizer ends with, "finding" in those of an audit that found something.
  log_metrics = {
    Rejected = "{ $.verdict = \"rejected\" }"
    Conflict = "{ $.verdict = \"conflict\" }"
    Findings = "{ ($.finding = \"tampered\") || ($.finding = \"damaged\") }"
    Errors   = "{ ($.level = \"ERROR\") && ($.verdict NOT EXISTS) && ($.finding NOT EXISTS) }"
  }

  log_alarms = {
    rejected = { metric = "Rejected", threshold = 1, text = "A backup was uploaded and the finalizer refuses to seal it." }
    conflict = { metric = "Conflict", threshold = 1, text = "Another backup.info stands where a backup was to be sealed." }
    findings = { metric = "Findings", threshold = 1, text = "A sealed backup is damaged, or was tampered with." }
    errors   = { metric = "Errors", threshold = var.error_threshold, text = "The finalizer could not do its work, again and again." }
  }
}

resource "aws_cloudwatch_log_metric_filter" "count" {
  for_each = local.log_metrics

  name           = "${var.name}-${lower(each.key)}"
  log_group_name = aws_cloudwatch_log_group.finalizer.name
  pattern        = each.value

  metric_transformation {
    namespace     = local.namespace
    name          = each.key
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

# One metric per server that was ever sealed. A dimension excludes a default value: silence is missing data. A host can have
# an old backup finalized again whenever it likes; seals older than a day do not count.
resource "aws_cloudwatch_log_metric_filter" "sealed" {
  name           = "${var.name}-sealed"
  log_group_name = aws_cloudwatch_log_group.finalizer.name
  pattern        = "{ ($.verdict = \"sealed\") && ($.seal_age_s < 86400) }"

  metric_transformation {
    namespace  = local.namespace
    name       = "Sealed"
    value      = "1"
    unit       = "Count"
    dimensions = { server = "$.server" }
  }
}

resource "aws_cloudwatch_metric_alarm" "log" {
  for_each = local.log_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.text} See docs/operations.md of pgseal."
  namespace           = local.namespace
  metric_name         = each.value.metric
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
  tags                = var.tags

  depends_on = [aws_cloudwatch_log_metric_filter.count]
}

resource "aws_cloudwatch_metric_alarm" "dead_letter" {
  alarm_name          = "${var.name}-dead-letter"
  alarm_description   = "The finalizer was woken ${var.max_receives} times for the same thing and failed each time. See docs/operations.md of pgseal."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letter.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "stuck" {
  alarm_name          = "${var.name}-stuck"
  alarm_description   = "A marker has waited in the queue for longer than ${var.max_event_age_minutes} minutes. See docs/operations.md of pgseal."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.events.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 60 * var.max_event_age_minutes
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "function_errors" {
  alarm_name          = "${var.name}-function-errors"
  alarm_description   = "The function ended in errors: it cannot start, runs out of time or memory, or the sweep fails. See docs/operations.md of pgseal."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.finalizer.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.error_threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
  tags                = var.tags
}

# The schedule has invoked nothing for two hours, or two intervals if that is more.
resource "aws_cloudwatch_metric_alarm" "sweep" {
  alarm_name          = "${var.name}-sweep"
  alarm_description   = "The sweep was not started. See docs/operations.md of pgseal."
  namespace           = "AWS/Events"
  metric_name         = "Invocations"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.sweep.name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = max(2, ceil(2 * var.sweep_interval_minutes / 60))
  datapoints_to_alarm = max(2, ceil(2 * var.sweep_interval_minutes / 60))
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
  tags                = var.tags
}

# An hour without a seal has no data, which counts as breaching; so many hours in a row are the alarm. CloudWatch allows
# seven days in all when a period is an hour (PutMetricAlarm, 2026-11). It looks a few periods further back than it must
# and takes what data there is, so the alarm may come some hours late.
resource "aws_cloudwatch_metric_alarm" "no_sealed_backup" {
  for_each = { for server, s in var.servers : server => coalesce(s.max_backup_age_hours, var.max_backup_age_hours) }

  alarm_name          = "${var.name}-no-sealed-backup-${each.key}"
  alarm_description   = "No backup of ${each.key} was sealed in ${each.value} hours. See docs/operations.md of pgseal."
  namespace           = local.namespace
  metric_name         = "Sealed"
  dimensions          = { server = each.key }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = each.value
  datapoints_to_alarm = each.value
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
  tags                = var.tags

  depends_on = [aws_cloudwatch_log_metric_filter.sealed]
}
