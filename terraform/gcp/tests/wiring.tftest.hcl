# Applied with mocks: what comes from other resources is there.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "1234567890" }
  }

  mock_data "google_storage_project_service_account" {
    defaults = { member = "serviceAccount:service-1234567890@gs-project-accounts.iam.gserviceaccount.com" }
  }

  mock_resource "google_pubsub_topic" {
    defaults = { id = "projects/example-project/topics/pgseal" }
  }
}

variables {
  project_id           = "example-project"
  region               = "europe-west1"
  location             = "EU"
  vault_bucket         = "example-vault"
  staging_bucket       = "example-staging"
  recovery_window_days = 30
  lock_days            = 35
  function_package     = { bucket = "example-releases", object = "finalizer.zip" }
  alarm_emails         = ["dba@example.com"]
  servers              = { main = {}, other = {} }
}

run "an_event_reaches_the_function" {
  override_resource {
    target = google_pubsub_topic.dead_letter
    values = { id = "projects/example-project/topics/pgseal-dead-letter" }
  }

  override_resource {
    target = google_cloudfunctions2_function.finalizer
    values = { service_config = { uri = "https://pgseal-finalizer-abc.a.run.app" } }
  }

  assert {
    condition     = google_storage_notification.marker.bucket == "example-staging" && google_storage_notification.marker.bucket != output.vault_url
    error_message = "the events are not those of staging"
  }

  assert {
    condition     = google_storage_notification.marker.object_name_prefix == "barman/_pgseal/complete/" && google_storage_notification.marker.event_types == toset(["OBJECT_FINALIZE"])
    error_message = "the events are not only those of new markers: the function would wake itself"
  }

  assert {
    condition     = google_storage_notification.marker.topic == google_pubsub_topic.events.id && google_pubsub_topic_iam_member.storage_publishes.role == "roles/pubsub.publisher" && google_pubsub_topic_iam_member.storage_publishes.member == "serviceAccount:service-1234567890@gs-project-accounts.iam.gserviceaccount.com"
    error_message = "Cloud Storage cannot publish to the topic"
  }

  assert {
    condition     = google_pubsub_subscription.finalizer.topic == google_pubsub_topic.events.id && google_pubsub_subscription.finalizer.push_config[0].push_endpoint == "https://pgseal-finalizer-abc.a.run.app/projects/example-project/topics/pgseal"
    error_message = "the subscription does not call the function: ${google_pubsub_subscription.finalizer.push_config[0].push_endpoint}"
  }

  assert {
    condition     = google_pubsub_subscription.finalizer.push_config[0].oidc_token[0].service_account_email == "pgseal-invoker@example-project.iam.gserviceaccount.com" && google_pubsub_subscription.finalizer.push_config[0].oidc_token[0].audience == "https://pgseal-finalizer-abc.a.run.app"
    error_message = "the calls are not signed as the invoker's"
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_member.invoker.role == "roles/run.invoker" && google_cloud_run_v2_service_iam_member.invoker.member == "serviceAccount:pgseal-invoker@example-project.iam.gserviceaccount.com"
    error_message = "the invoker may not call the function"
  }

  assert {
    condition     = google_service_account_iam_member.pubsub_is_invoker.member == "serviceAccount:service-1234567890@gcp-sa-pubsub.iam.gserviceaccount.com"
    error_message = "Pub/Sub may not sign as the invoker"
  }

  assert {
    condition     = google_pubsub_subscription.finalizer.ack_deadline_seconds > google_cloudfunctions2_function.finalizer.service_config[0].timeout_seconds
    error_message = "Pub/Sub delivers again while the function still works"
  }

  assert {
    condition     = one(google_pubsub_subscription.finalizer.retry_policy).minimum_backoff == "10s" && one(google_pubsub_subscription.finalizer.retry_policy).maximum_backoff == "600s"
    error_message = "events are delivered again without a pause"
  }

  assert {
    condition     = one(google_pubsub_subscription.finalizer.expiration_policy).ttl == "" && one(google_pubsub_subscription.dead_letter.expiration_policy).ttl == ""
    error_message = "a subscription would expire in a quiet month"
  }

  assert {
    condition     = length(google_cloudfunctions2_function.finalizer.event_trigger) == 0
    error_message = "the function's own trigger knows no dead-letter topic"
  }
}

run "what_cannot_be_delivered_is_kept" {
  override_resource {
    target = google_pubsub_topic.dead_letter
    values = { id = "projects/example-project/topics/pgseal-dead-letter" }
  }

  assert {
    condition     = one(google_pubsub_subscription.finalizer.dead_letter_policy).dead_letter_topic == "projects/example-project/topics/pgseal-dead-letter" && one(google_pubsub_subscription.finalizer.dead_letter_policy).max_delivery_attempts == 30
    error_message = "there is no dead-letter topic"
  }

  assert {
    condition     = google_pubsub_topic_iam_member.dead_letter.role == "roles/pubsub.publisher" && google_pubsub_subscription_iam_member.dead_letter.role == "roles/pubsub.subscriber" && google_pubsub_subscription_iam_member.dead_letter.subscription == "pgseal-finalizer"
    error_message = "Pub/Sub may not move messages to the dead-letter topic"
  }

  assert {
    condition     = google_pubsub_subscription.dead_letter.topic == "projects/example-project/topics/pgseal-dead-letter" && google_pubsub_subscription.dead_letter.message_retention_duration == "604800s"
    error_message = "nothing keeps what the dead-letter topic gets"
  }
}

run "the_sweep" {
  assert {
    condition     = google_cloud_scheduler_job.sweep.schedule == "7 */1 * * *" && google_cloud_scheduler_job.sweep.pubsub_target[0].topic_name == google_pubsub_topic.events.id && google_cloud_scheduler_job.sweep.pubsub_target[0].attributes == tomap({ pgseal = "sweep" })
    error_message = "the sweep is not called"
  }
}

run "the_function" {
  assert {
    condition     = google_cloudfunctions2_function.finalizer.build_config[0].runtime == "go126" && google_cloudfunctions2_function.finalizer.build_config[0].entry_point == "Finalize" && google_cloudfunctions2_function.finalizer.build_config[0].service_account == "projects/example-project/serviceAccounts/pgseal-build@example-project.iam.gserviceaccount.com"
    error_message = "the build is another"
  }

  assert {
    condition     = google_cloudfunctions2_function.finalizer.service_config[0].service_account_email == "pgseal-finalizer@example-project.iam.gserviceaccount.com"
    error_message = "the function runs as somebody else"
  }

  assert {
    condition     = google_cloudfunctions2_function.finalizer.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY" && google_cloudfunctions2_function.finalizer.service_config[0].max_instance_request_concurrency == 1
    error_message = "the function takes calls from outside, or several at a time"
  }

  assert {
    condition = google_cloudfunctions2_function.finalizer.service_config[0].environment_variables == tomap({
      PGSEAL_VAULT_URL     = "gs://example-vault/barman"
      PGSEAL_STAGING_URL   = "gs://example-staging/barman"
      PGSEAL_WAL_CHECK     = "require"
      PGSEAL_WAL_DEADLINE  = "72h"
      PGSEAL_MIN_RETENTION = "35d"
      PGSEAL_DEADLINE      = "535s"

      PGSEAL_VAULT_ENCRYPTION = "default"
    })
    error_message = "the settings are others"
  }
}

run "staging" {
  assert {
    condition     = length(google_storage_bucket.staging.retention_policy) == 0 && google_storage_bucket.staging.name != "example-vault"
    error_message = "staging would keep what has to be written anew"
  }

  assert {
    condition     = one([for r in google_storage_bucket.staging.lifecycle_rule : one(r.condition).age if one(r.action).type == "Delete"]) == 30
    error_message = "staging is not emptied"
  }

  assert {
    condition     = google_storage_bucket.staging.uniform_bucket_level_access == true && google_storage_bucket.staging.public_access_prevention == "enforced"
    error_message = "ACLs or the public could get in"
  }
}

run "alarms" {
  assert {
    condition     = toset(keys(google_monitoring_alert_policy.no_seal)) == toset(["main", "other"]) && strcontains(google_monitoring_alert_policy.no_seal["main"].conditions[0].condition_prometheus_query_language[0].query, "server=\"main\"}[26h]") && strcontains(google_monitoring_alert_policy.no_seal["main"].conditions[0].condition_prometheus_query_language[0].query, "user_pgseal_sealed{")
    error_message = "not every server has an alarm for missing seals"
  }

  assert {
    condition = alltrue([for p in concat(
      values(google_monitoring_alert_policy.counted), values(google_monitoring_alert_policy.no_seal),
      [google_monitoring_alert_policy.dead_letter, google_monitoring_alert_policy.backlog, google_monitoring_alert_policy.no_sweep]
    ) : length(p.notification_channels) == 1])
    error_message = "an alarm tells nobody"
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.dead_letter.conditions[0].condition_threshold[0].filter, "subscription_id=\"pgseal-dead-letter\"") && google_monitoring_alert_policy.dead_letter.conditions[0].condition_threshold[0].threshold_value == 0
    error_message = "the dead-letter topic is not watched"
  }

  assert {
    condition     = endswith(google_logging_metric.finalizer["sealed"].filter, " AND jsonPayload.verdict=\"sealed\" AND jsonPayload.seal_age_s<86400") && google_logging_metric.finalizer["verdicts"].filter == "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"pgseal-finalizer\" AND jsonPayload.verdict=(\"rejected\" OR \"conflict\")"
    error_message = "rejected and conflicting backups are not counted"
  }

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.counted)) == toset(["verdicts", "findings", "errors"])
    error_message = "verdicts, findings or errors raise no alarm"
  }

  assert {
    condition     = google_logging_project_bucket_config.finalizer.retention_days == 90
    error_message = "the log is not kept"
  }
}

run "commands" {
  assert {
    condition     = output.backup_commands["main"] == "pgseal backup --cloud-provider=google-cloud-storage --staging-url gs://example-staging/barman --immediate-checkpoint --wait --gzip gs://example-vault/barman main"
    error_message = "another command: ${output.backup_commands["main"]}"
  }

  assert {
    condition     = output.archive_commands["main"] == "archive_command = 'pgseal wal-archive --cloud-provider=google-cloud-storage --gzip gs://example-vault/barman main %p'"
    error_message = "another command: ${output.archive_commands["main"]}"
  }
}

run "a_package_of_ones_own" {
  variables {
    function_package = { path = "tests/fixtures/function.zip" }
  }

  assert {
    condition     = google_storage_bucket_object.source[0].bucket == "example-staging-source" && startswith(google_storage_bucket_object.source[0].name, "finalizer-")
    error_message = "the zip is not uploaded to a bucket of its own"
  }
}

run "a_vault_that_is_managed_elsewhere" {
  command = plan

  variables {
    vault_managed_elsewhere = true
  }

  assert {
    condition     = length(module.vault) == 0 && output.vault_policy == null
    error_message = "a vault was made"
  }
}
