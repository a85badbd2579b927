locals {
  channels = concat([for c in google_monitoring_notification_channel.email : c.name], var.notification_channels)

  # Counts of log lines: any is too many.
  counted = {
    verdicts = {
      metric   = "verdicts"
      title    = "a backup was rejected, or conflicts"
      severity = "ERROR"
    }
    findings = {
      metric   = "findings"
      title    = "a sealed backup has findings"
      severity = "CRITICAL"
    }
    errors = {
      metric   = "errors"
      title    = "the function reports errors"
      severity = "ERROR"
    }
  }

  run_service = "resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"${var.name}-finalizer\""
  handbook    = "See docs/operations.md of pgseal, \"Alarms\"."

  # As PromQL names log-based metrics ("PromQL in Cloud Monitoring", 2026-11): what is not allowed in a name is '_'.
  promql_metric = { for m, _ in local.metrics : m => "logging_googleapis_com:user_${replace(var.name, "-", "_")}_${m}" }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alarm_emails)

  project      = var.project_id
  display_name = "pgseal: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
}

resource "google_monitoring_alert_policy" "dead_letter" {
  project               = var.project_id
  display_name          = "${var.name}: the dead-letter topic is not empty"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "messages in the dead-letter subscription"

    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND resource.label.subscription_id=\"${google_pubsub_subscription.dead_letter.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    content = "An event could not be delivered in ${var.max_delivery_attempts} attempts. ${local.handbook}"
  }
}

resource "google_monitoring_alert_policy" "backlog" {
  project               = var.project_id
  display_name          = "${var.name}: events wait for the function"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "the oldest event is older than an hour"

    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND resource.label.subscription_id=\"${google_pubsub_subscription.finalizer.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      comparison      = "COMPARISON_GT"
      threshold_value = 3600
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    content = "The function does not take events, or answers them with errors. ${local.handbook}"
  }
}

resource "google_monitoring_alert_policy" "counted" {
  for_each = local.counted

  project               = var.project_id
  display_name          = "${var.name}: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = "${local.run_service} AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.finalizer[each.value.metric].name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = [for label in local.metrics[each.value.metric].labels : "metric.label.${label}"]
      }
    }
  }

  # The count is 0 again five minutes later; the alarm stays until somebody has looked.
  alert_strategy {
    auto_close = "604800s"
  }

  documentation {
    content = "The function's log has the line. ${local.handbook}"
  }
}

# An absence condition ends at 23.5 hours, and begins only with a first point; a query has neither limit.
resource "google_monitoring_alert_policy" "no_seal" {
  for_each = var.servers

  project               = var.project_id
  display_name          = "${var.name}: no sealed backup of ${each.key} in ${var.max_backup_age_hours} hours"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels

  conditions {
    display_name = "no sealed backup of ${each.key}"

    condition_prometheus_query_language {
      query               = "(sum(increase(${local.promql_metric.sealed}{monitored_resource=\"cloud_run_revision\",service_name=\"${var.name}-finalizer\",server=\"${each.key}\"}[${var.max_backup_age_hours}h])) or vector(0)) < 0.5"
      duration            = "0s"
      evaluation_interval = "300s"
    }
  }

  documentation {
    content = "No backup of ${each.key} was sealed in ${var.max_backup_age_hours} hours. ${local.handbook}"
  }

  depends_on = [google_logging_metric.finalizer]
}

resource "google_monitoring_alert_policy" "no_sweep" {
  project               = var.project_id
  display_name          = "${var.name}: the sweep does not run"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "no sweep in three intervals"

    condition_prometheus_query_language {
      query               = "(sum(increase(${local.promql_metric.swept}{monitored_resource=\"cloud_run_revision\",service_name=\"${var.name}-finalizer\"}[${3 * var.sweep_interval_minutes}m])) or vector(0)) < 0.5"
      duration            = "0s"
      evaluation_interval = "300s"
    }
  }

  documentation {
    content = "No sweep has come to its end. ${local.handbook}"
  }

  depends_on = [google_logging_metric.finalizer]
}
