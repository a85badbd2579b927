locals {
  charts = [
    { title = "Sealed backups", query = "${local.lines}| where verdict == \"sealed\" | summarize count() by server, bin(TimeGenerated, 1h)" },
    { title = "Rejected and conflicting backups", query = "${local.lines}| where verdict in (\"rejected\", \"conflict\") | summarize count() by server, bin(TimeGenerated, 1h)" },
    { title = "Findings", query = "${local.lines}| where toint(line.findings) > 0 | summarize count() by server, bin(TimeGenerated, 1h)" },
    { title = "Sweeps", query = "${local.lines}| where tostring(line.msg) == \"swept\" | summarize count() by bin(TimeGenerated, 1h)" },
    { title = "Errors", query = "${local.lines}| where tostring(line.level) == \"ERROR\" | summarize count() by bin(TimeGenerated, 1h)" },
  ]
}

resource "azurerm_application_insights_workbook" "pgseal" {
  # A workbook is named by a UUID; this one is always the same for the same account.
  name                = uuidv5("url", "https://github.com/pgseal/pgseal/${var.function_account}")
  resource_group_name = local.group
  location            = var.location
  display_name        = var.name
  source_id           = lower(azurerm_log_analytics_workspace.finalizer.id)
  tags                = var.tags

  data_json = jsonencode({
    version = "Notebook/1.0"
    items = [for c in local.charts : {
      type = 3
      content = {
        version       = "KqlItem/1.0"
        title         = c.title
        query         = c.query
        size          = 0
        queryType     = 0
        resourceType  = "microsoft.operationalinsights/workspaces"
        visualization = "barchart"
        timeContext   = { durationMs = 1209600000 }
      }
      name = c.title
    }]
    "$schema" = "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json"
  })
}
