# Object Lock switches versioning on and never lets it be suspended; to say so here keeps the plan honest.
resource "aws_s3_bucket_versioning" "vault" {
  count = var.create_vault ? 1 : 0

  bucket = aws_s3_bucket.vault[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "vault" {
  count = var.create_vault ? 1 : 0

  bucket = aws_s3_bucket_versioning.vault[0].bucket

  rule {
    default_retention {
      mode = var.lock_mode
      days = var.lock_days
    }
  }
}

resource "aws_s3_bucket_public_access_block" "vault" {
  count = var.create_vault ? 1 : 0

  bucket                  = aws_s3_bucket.vault[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Without ACLs whatever another account's host uploads belongs to the bucket's owner.
resource "aws_s3_bucket_ownership_controls" "vault" {
  count = var.create_vault ? 1 : 0

  bucket = aws_s3_bucket.vault[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "vault" {
  count = var.create_vault ? 1 : 0

  bucket = aws_s3_bucket.vault[0].id

  rule {
    bucket_key_enabled = local.kms

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.kms ? "aws:kms" : "AES256"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

# No rule here expires current versions: on a locked object that makes a delete marker, which hides the backup and lets
# a second backup.info be created. Versions that are not current exist only where an annotation was replaced or where
# somebody put a delete marker; they go when their lock has ended.
resource "aws_s3_bucket_lifecycle_configuration" "vault" {
  count = var.create_vault ? 1 : 0

  bucket = aws_s3_bucket_versioning.vault[0].bucket

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_incomplete_uploads_days
    }
  }

  rule {
    id     = "remove-noncurrent-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_version_days
    }
  }
}

resource "aws_s3_bucket_policy" "vault" {
  count = var.create_vault ? 1 : 0

  bucket = aws_s3_bucket_public_access_block.vault[0].bucket
  policy = local.vault_policy

  # The policy refuses changes of lock, versioning and lifecycle, so these come first.
  depends_on = [
    aws_s3_bucket_lifecycle_configuration.vault,
    aws_s3_bucket_object_lock_configuration.vault,
    aws_s3_bucket_ownership_controls.vault,
    aws_s3_bucket_server_side_encryption_configuration.vault,
  ]

  lifecycle {
    precondition {
      condition     = length(local.vault_policy) <= 20480
      error_message = "The vault's policy is longer than the 20 KB that Amazon S3 takes: give fewer principals, or shorter patterns for them."
    }
  }
}
