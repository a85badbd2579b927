locals {
  widgets = [
    {
      title = "Sealed backups per hour"
      metrics = concat(
        [for server in keys(var.servers) : [local.namespace, "Sealed", "server", server, { stat = "Sum", period = 3600 }]],
        length(var.servers) == 0 ? [[{ expression = "SEARCH('{${local.namespace},server} Sealed', 'Sum', 3600)", id = "sealed" }]] : [],
      )
    },
    {
      title   = "Not sealed, and findings"
      metrics = [for metric in ["Rejected", "Conflict", "Findings", "Errors"] : [local.namespace, metric, { stat = "Sum" }]]
    },
    {
      title = "Queues"
      metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.name, { label = "waiting", stat = "Maximum" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${var.name}-dead-letter", { label = "dead letters", stat = "Maximum" }],
        ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", var.name, { label = "age of the oldest (s)", stat = "Maximum", yAxis = "right" }],
      ]
    },
    {
      title = "Function"
      metrics = [
        ["AWS/Lambda", "Invocations", "FunctionName", "${var.name}-finalizer", { stat = "Sum" }],
        ["AWS/Lambda", "Errors", "FunctionName", "${var.name}-finalizer", { stat = "Sum" }],
        ["AWS/Lambda", "Throttles", "FunctionName", "${var.name}-finalizer", { stat = "Sum" }],
        ["AWS/Lambda", "Duration", "FunctionName", "${var.name}-finalizer", { stat = "Maximum", yAxis = "right" }],
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "pgseal" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat(
      [for n, widget in local.widgets : {
        type   = "metric"
        x      = 12 * (n % 2)
        y      = 6 * floor(n / 2)
        width  = 12
        height = 6
        properties = {
          title   = widget.title
          region  = local.region
          view    = "timeSeries"
          stacked = false
          period  = 300
          metrics = widget.metrics
        }
      }],
      [{
        type   = "log"
        x      = 0
        y      = 12
        width  = 24
        height = 8
        properties = {
          title  = "Last verdicts"
          region = local.region
          view   = "table"
          query  = "SOURCE '/aws/lambda/${var.name}-finalizer' | fields @timestamp, server, backup_id, verdict, class, reason | filter ispresent(verdict) | sort @timestamp desc | limit 50"
        }
      }],
    )
  })
}
