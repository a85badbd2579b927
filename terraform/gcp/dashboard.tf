locals {
  charts = [
    { title = "Sealed backups", metric = "sealed", by = "server" },
    { title = "Rejected and conflicting backups", metric = "verdicts", by = "server" },
    { title = "Findings", metric = "findings", by = "server" },
    { title = "Errors", metric = "errors", by = null },
    { title = "Sweeps", metric = "swept", by = null },
  ]
}

resource "google_monitoring_dashboard" "pgseal" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = var.name
    gridLayout = {
      columns = "2"
      widgets = concat(
        [for c in local.charts : {
          title = c.title
          xyChart = {
            dataSets = [{
              plotType = "STACKED_BAR"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = "${local.run_service} AND metric.type=\"logging.googleapis.com/user/${var.name}/${c.metric}\""
                  aggregation = {
                    alignmentPeriod    = "3600s"
                    perSeriesAligner   = "ALIGN_DELTA"
                    crossSeriesReducer = "REDUCE_SUM"
                    groupByFields      = c.by == null ? [] : ["metric.label.\"${c.by}\""]
                  }
                }
              }
            }]
          }
        }],
        [{
          title = "Oldest event"
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = "resource.type=\"pubsub_subscription\" AND resource.label.\"subscription_id\"=\"${var.name}-finalizer\" AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
                  aggregation = {
                    alignmentPeriod    = "300s"
                    perSeriesAligner   = "ALIGN_MAX"
                    crossSeriesReducer = "REDUCE_NONE"
                    groupByFields      = []
                  }
                }
              }
            }]
          }
        }],
      )
    }
  })

  depends_on = [google_logging_metric.finalizer]
}
