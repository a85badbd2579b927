# The source has a bucket of its own: nobody who writes backups can write code.
resource "google_storage_bucket" "source" {
  count = var.function_package.path == null ? 0 : 1

  project                     = var.project_id
  name                        = coalesce(var.source_bucket, "${var.staging_bucket}-source")
  location                    = var.region
  force_destroy               = true
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = var.labels

  soft_delete_policy {
    retention_duration_seconds = 0
  }
}

# The name holds the digest, so that another zip is another function.
resource "google_storage_bucket_object" "source" {
  count = var.function_package.path == null ? 0 : 1

  bucket = google_storage_bucket.source[0].name
  name   = "finalizer-${filesha256(var.function_package.path)}.zip"
  source = var.function_package.path
}

resource "google_cloudfunctions2_function" "finalizer" {
  project     = var.project_id
  location    = var.region
  name        = "${var.name}-finalizer"
  description = "Checks finished backups and writes backup.info."
  labels      = var.labels

  build_config {
    runtime         = "go126"
    entry_point     = "Finalize"
    service_account = "projects/${var.project_id}/serviceAccounts/${var.name}-build@${local.at}"

    source {
      storage_source {
        bucket     = var.function_package.path == null ? var.function_package.bucket : google_storage_bucket.source[0].name
        object     = var.function_package.path == null ? var.function_package.object : google_storage_bucket_object.source[0].name
        generation = var.function_package.path == null ? var.function_package.generation : null
      }
    }
  }

  # There is no event_trigger: the subscription that it would make knows no dead-letter topic. trigger.tf makes one that does.
  service_config {
    available_memory                 = "${var.function_memory_mb}Mi"
    available_cpu                    = var.function_cpu
    timeout_seconds                  = var.function_timeout_seconds
    max_instance_count               = var.function_max_instances
    min_instance_count               = 0
    max_instance_request_concurrency = 1
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true
    service_account_email            = local.finalizer_email

    environment_variables = merge(
      {
        PGSEAL_VAULT_URL     = local.vault_url
        PGSEAL_STAGING_URL   = local.staging_url
        PGSEAL_WAL_CHECK     = var.wal_check
        PGSEAL_WAL_DEADLINE  = "${var.wal_deadline_hours}h"
        PGSEAL_MIN_RETENTION = "${coalesce(var.min_retention_days, var.lock_days)}d"
        PGSEAL_DEADLINE      = "${var.function_timeout_seconds - 5}s"
        # No condition of IAM refuses an object under a key that somebody else can destroy.
        PGSEAL_VAULT_ENCRYPTION = var.vault_kms_key == null ? "default" : "kms:${var.vault_kms_key}"
      },
      var.function_environment,
    )
  }

  depends_on = [google_service_account.finalizer, google_project_iam_member.build]
}

# Only the invoker may call it.
resource "google_cloud_run_v2_service_iam_member" "invoker" {
  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.finalizer.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${var.name}-invoker@${local.at}"

  depends_on = [google_service_account.invoker]
}
