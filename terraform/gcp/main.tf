data "google_project" "this" {
  project_id = var.project_id
}

data "google_storage_project_service_account" "this" {
  project = var.project_id
}

locals {
  number        = data.google_project.this.number
  vault_project = coalesce(var.vault_project_id, var.project_id)
  root          = var.prefix == "" ? "" : "${var.prefix}/"
  vault_url     = trimsuffix("gs://${var.vault_bucket}/${var.prefix}", "/")
  staging_url   = trimsuffix("gs://${var.staging_bucket}/${var.prefix}", "/")
}

# The vault, unless it is managed elsewhere: by a call of ./vault with the provider of its own project.
module "vault" {
  source = "./vault"
  count  = var.vault_managed_elsewhere ? 0 : 1

  name                           = var.name
  project_id                     = local.vault_project
  bucket                         = var.vault_bucket
  create_bucket                  = var.create_vault
  location                       = coalesce(var.vault_location, var.location)
  storage_class                  = var.vault_storage_class
  prefix                         = var.prefix
  lock_days                      = var.lock_days
  lock_permanently               = var.lock_permanently
  kms_key                        = var.vault_kms_key
  abort_incomplete_uploads_days  = var.abort_incomplete_uploads_days
  hosts                          = local.host_members
  hosts_may_set_retention        = var.hosts_may_set_retention
  finalizer_may_extend_retention = var.finalizer_may_extend_retention
  finalizer_member               = local.finalizer_member
  restore_members                = local.restore_members
  operator_members               = local.operator_members
  expire_members                 = var.expire_members
  break_glass_members            = var.break_glass_members
  labels                         = var.labels

  depends_on = [google_service_account.host, google_service_account.finalizer, google_service_account.restore, google_service_account.operator]
}

# Staging: without retention, and emptied by age. Nothing in it is needed to restore.
resource "google_storage_bucket" "staging" {
  project       = var.project_id
  name          = var.staging_bucket
  location      = var.location
  force_destroy = var.staging_force_destroy
  labels        = var.labels

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = false
  }

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  dynamic "encryption" {
    for_each = var.staging_kms_key == null ? [] : [var.staging_kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = var.staging_expire_days
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = var.abort_incomplete_uploads_days
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.staging]
}

resource "google_kms_crypto_key_iam_member" "staging" {
  count = var.staging_kms_key == null ? 0 : 1

  crypto_key_id = var.staging_kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_storage_project_service_account.this.member
}
