locals {
  function_log = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.name}-finalizer\""

  # One metric for each kind of log line that an alarm counts. The lines are those of core/finalizer. A host can have an old
  # backup finalized again whenever it likes: only seals of the last day count.
  metrics = {
    sealed   = { filter = "jsonPayload.verdict=\"sealed\" AND jsonPayload.seal_age_s<86400", labels = ["server"] }
    verdicts = { filter = "jsonPayload.verdict=(\"rejected\" OR \"conflict\")", labels = ["server", "verdict"] }
    findings = { filter = "jsonPayload.findings>0", labels = ["server", "finding"] }
    swept    = { filter = "jsonPayload.message=\"swept\"", labels = [] }
    errors   = { filter = "severity>=ERROR AND NOT jsonPayload.verdict:* AND NOT jsonPayload.finding:*", labels = [] }
  }
}

resource "google_logging_metric" "finalizer" {
  for_each = local.metrics

  project = var.project_id
  name    = "${var.name}/${each.key}"
  filter  = "${local.function_log} AND ${each.value.filter}"

  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key        = labels.value
        value_type = "STRING"
      }
    }
  }
}

# The default log bucket keeps 30 days, and everybody's lines.
resource "google_logging_project_bucket_config" "finalizer" {
  project        = var.project_id
  location       = var.region
  bucket_id      = var.name
  description    = "The log of pgseal's function."
  retention_days = var.log_retention_days
}

resource "google_logging_project_sink" "finalizer" {
  project                = var.project_id
  name                   = var.name
  destination            = "logging.googleapis.com/projects/${var.project_id}/locations/${var.region}/buckets/${var.name}"
  filter                 = local.function_log
  unique_writer_identity = true

  depends_on = [google_logging_project_bucket_config.finalizer]
}
