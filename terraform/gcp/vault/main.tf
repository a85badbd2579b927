locals {
  root  = var.prefix == "" ? "" : "${var.prefix}/"
  owned = var.create_bucket ? 1 : 0
}

data "google_storage_project_service_account" "vault" {
  count = var.create_bucket && var.kms_key != null ? 1 : 0

  project = var.project_id
}

resource "google_kms_crypto_key_iam_member" "vault" {
  count = var.create_bucket && var.kms_key != null ? 1 : 0

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_storage_project_service_account.vault[0].member
}

resource "google_storage_bucket" "vault" {
  count = local.owned

  project       = var.project_id
  name          = var.bucket
  location      = var.location
  storage_class = var.storage_class
  force_destroy = false
  labels        = var.labels

  # Only a bucket that is made with it can ever have it.
  enable_object_retention = var.hosts_may_set_retention || var.finalizer_may_extend_retention

  # Conditions of IAM hold only without object ACLs.
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # The policy makes the name immutable as well: there is no overwrite and no delete until an object is that old.
  retention_policy {
    retention_period = var.lock_days * 86400
    is_locked        = var.lock_permanently
  }

  # Versions would keep nothing that the retention does not, and would let an expired object be shadowed.
  versioning {
    enabled = false
  }

  # Off: what the retention has released is to be gone when it is deleted, and before that nothing can be deleted.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  # There is no rule that deletes: who deletes, and when, is a decision (expire_members).
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = var.abort_incomplete_uploads_days
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.vault]
}
