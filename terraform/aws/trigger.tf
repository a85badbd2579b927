# A marker in staging -> notification -> queue -> function. What fails is delivered again, and after max_receives tries
# lies in the dead-letter queue for two weeks. A schedule wakes the function as well: it finds what no event told of.

resource "aws_sqs_queue" "events" {
  name = var.name
  # While one call runs, its message must not come again; six times is what AWS asks for (Lambda developer guide, "Using
  # Lambda with Amazon SQS", 2026-09).
  visibility_timeout_seconds = 6 * var.function_timeout_seconds
  # The dead-letter queue counts from here on, so what is left there lies ten days at least.
  message_retention_seconds = 4 * 24 * 3600
  sqs_managed_sse_enabled   = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = local.dead
    maxReceiveCount     = var.max_receives
  })

  tags = var.tags

  depends_on = [aws_sqs_queue.dead_letter]
}

resource "aws_sqs_queue" "dead_letter" {
  name                      = "${var.name}-dead-letter"
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letter" {
  queue_url = aws_sqs_queue.dead_letter.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue]
  })
}

locals {
  queue_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyStagingSends"
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.queue
        Condition = {
          ArnEquals    = { "aws:SourceArn" = local.staging }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      },
      {
        Sid       = "OnlyTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local.queue
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  dead_letter_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TheScheduleSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.dead
        Condition = {
          ArnEquals    = { "aws:SourceArn" = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.name}-sweep" }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      },
      {
        Sid       = "OnlyTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = local.dead
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sqs_queue_policy" "events" {
  queue_url = aws_sqs_queue.events.id
  policy    = local.queue_policy
}

resource "aws_sqs_queue_policy" "dead_letter" {
  queue_url = aws_sqs_queue.dead_letter.id
  policy    = local.dead_letter_policy
}

# On staging only: the function writes to the vault, and must not wake itself. Its own objects in staging, the verdicts,
# are outside the prefix.
resource "aws_s3_bucket_notification" "staging" {
  bucket = module.buckets.staging_name

  queue {
    id            = "pgseal-complete"
    queue_arn     = local.queue
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "${local.root}_pgseal/complete/"
  }

  depends_on = [aws_sqs_queue_policy.events]
}

resource "aws_lambda_event_source_mapping" "events" {
  event_source_arn = local.queue
  function_name    = aws_lambda_function.finalizer.arn
  # One backup a call: a large one must not take the time of others.
  batch_size              = 1
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.function_concurrency == -1 ? 10 : max(2, var.function_concurrency - 1)
  }

  tags = var.tags

  depends_on = [aws_iam_role_policy.finalizer, aws_sqs_queue.events]
}

resource "aws_cloudwatch_event_rule" "sweep" {
  name                = "${var.name}-sweep"
  description         = "pgseal: looks for backups whose event was lost, that wait for WAL, or that were given up."
  schedule_expression = "rate(${var.sweep_interval_minutes} minutes)"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule = aws_cloudwatch_event_rule.sweep.name
  arn  = aws_lambda_function.finalizer.arn

  dead_letter_config {
    arn = local.dead
  }

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 10
  }

  depends_on = [aws_sqs_queue_policy.dead_letter]
}

resource "aws_lambda_permission" "sweep" {
  statement_id   = "pgseal-sweep"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.finalizer.function_name
  principal      = "events.amazonaws.com"
  source_arn     = aws_cloudwatch_event_rule.sweep.arn
  source_account = local.account
}

# The schedule invokes asynchronously: Lambda tries again twice, and then hands the event to the dead-letter queue.
resource "aws_lambda_function_event_invoke_config" "finalizer" {
  function_name                = aws_lambda_function.finalizer.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = local.dead
    }
  }

  depends_on = [aws_iam_role_policy.finalizer, aws_sqs_queue.dead_letter]
}
