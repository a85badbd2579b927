resource "aws_cloudwatch_log_group" "finalizer" {
  name              = "/aws/lambda/${var.name}-finalizer"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_lambda_function" "finalizer" {
  function_name = "${var.name}-finalizer"
  description   = "pgseal: checks complete backups in ${local.vault_url} and seals them."
  role          = aws_iam_role.finalizer.arn
  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = [var.function_architecture]

  filename          = var.function_package.path
  source_code_hash  = var.function_package.path == null ? null : filebase64sha256(var.function_package.path)
  s3_bucket         = var.function_package.s3_bucket
  s3_key            = var.function_package.s3_key
  s3_object_version = var.function_package.s3_object_version

  memory_size                    = var.function_memory_mb
  timeout                        = var.function_timeout_seconds
  reserved_concurrent_executions = var.function_concurrency

  environment {
    variables = merge({
      PGSEAL_VAULT_URL        = local.vault_url
      PGSEAL_STAGING_URL      = local.staging_url
      PGSEAL_WAL_CHECK        = var.wal_check
      PGSEAL_WAL_DEADLINE     = "${var.wal_deadline_hours}h"
      PGSEAL_VAULT_ENCRYPTION = var.kms_key_arn == null ? "AES256" : "aws:kms:${var.kms_key_arn}"
      # A lock counts whole days from the object's creation; one day of grace for the time an upload takes.
      PGSEAL_MIN_RETENTION = "${max(min(var.lock_days, local.retention_days.min) - 1, 0)}d"
    }, var.seal_retention_days == null ? {} : { PGSEAL_SEAL_RETENTION = "${var.seal_retention_days}d" }, var.function_environment)
  }

  tags = var.tags

  depends_on = [aws_cloudwatch_log_group.finalizer, aws_iam_role_policy.finalizer]
}
