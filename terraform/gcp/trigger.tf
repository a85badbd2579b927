# A marker's creation -> topic -> push subscription -> function, and the schedule's message through the same topic.

locals {
  topic           = "projects/${var.project_id}/topics/${var.name}"
  pubsub_agent    = "serviceAccount:service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  sweep_schedules = { for m in [5, 10, 15, 20, 30] : m => "*/${m} * * * *" }
  sweep_hours     = { for h in [1, 2, 3, 4, 6, 8, 12] : h * 60 => "7 */${h} * * *" }
  sweep_schedule  = merge(local.sweep_schedules, local.sweep_hours)[var.sweep_interval_minutes]
}

resource "google_pubsub_topic" "events" {
  project = var.project_id
  name    = var.name
  labels  = var.labels

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

# Without it, Cloud Storage cannot tell.
resource "google_pubsub_topic_iam_member" "storage_publishes" {
  project = var.project_id
  topic   = google_pubsub_topic.events.name
  role    = "roles/pubsub.publisher"
  member  = data.google_storage_project_service_account.this.member
}

# Markers only: the function's own writes in staging must not wake it.
resource "google_storage_notification" "marker" {
  bucket             = google_storage_bucket.staging.name
  topic              = google_pubsub_topic.events.id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = "${local.root}_pgseal/complete/"

  depends_on = [google_pubsub_topic_iam_member.storage_publishes]
}

# The topic in the endpoint's path is how the functions framework learns where a message comes from.
resource "google_pubsub_subscription" "finalizer" {
  project = var.project_id
  name    = "${var.name}-finalizer"
  topic   = google_pubsub_topic.events.id
  labels  = var.labels

  ack_deadline_seconds       = 600
  message_retention_duration = "604800s"

  # Never expire: without backups there are no messages.
  expiration_policy {
    ttl = ""
  }

  push_config {
    push_endpoint = "${google_cloudfunctions2_function.finalizer.service_config[0].uri}/${local.topic}"

    oidc_token {
      service_account_email = "${var.name}-invoker@${local.at}"
      audience              = google_cloudfunctions2_function.finalizer.service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letter.id
    max_delivery_attempts = var.max_delivery_attempts
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.invoker,
    google_service_account_iam_member.pubsub_is_invoker,
    google_pubsub_topic_iam_member.dead_letter,
  ]
}

# Pub/Sub signs its calls as the invoker.
resource "google_service_account_iam_member" "pubsub_is_invoker" {
  service_account_id = "projects/${var.project_id}/serviceAccounts/${var.name}-invoker@${local.at}"
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent

  depends_on = [google_service_account.invoker]
}

# What could not be delivered waits where somebody can look at it. It is lost to nobody: the sweep finds the set all the same.
resource "google_pubsub_topic" "dead_letter" {
  project = var.project_id
  name    = "${var.name}-dead-letter"
  labels  = var.labels

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_subscription" "dead_letter" {
  project = var.project_id
  name    = "${var.name}-dead-letter"
  topic   = google_pubsub_topic.dead_letter.id
  labels  = var.labels

  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub moves a message itself: it publishes to the one topic and acknowledges on the other's subscription.
resource "google_pubsub_topic_iam_member" "dead_letter" {
  project = var.project_id
  topic   = google_pubsub_topic.dead_letter.name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letter" {
  project      = var.project_id
  subscription = google_pubsub_subscription.finalizer.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

resource "google_cloud_scheduler_job" "sweep" {
  project     = var.project_id
  region      = var.region
  name        = "${var.name}-sweep"
  description = "Finds what no event told of, and audits sealed backups."
  schedule    = local.sweep_schedule
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.events.id
    data       = base64encode("{}")
    attributes = { pgseal = "sweep" }
  }

  retry_config {
    retry_count = 3
  }
}
