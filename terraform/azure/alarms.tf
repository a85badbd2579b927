locals {
  action_groups = concat([for g in azurerm_monitor_action_group.mail : g.id], var.action_group_ids)
  handbook      = "See docs/operations.md of pgseal, \"Alarms\"."

  # The function's log lines are JSON, which the host keeps as the messages of traces.
  lines = <<-KQL
    AppTraces
    | where Message startswith "{"
    | extend line = parse_json(Message)
    | extend server = tostring(line.server), verdict = tostring(line.verdict), finding = tostring(line.finding)
  KQL

  # Each runs every five minutes over the last five unless it says otherwise, and any row is an alarm.
  queries = {
    verdicts = {
      title     = "a backup was rejected, or conflicts"
      severity  = 1
      query     = "${local.lines}| where verdict in (\"rejected\", \"conflict\")"
      dimension = "server"
    }
    findings = {
      title     = "a sealed backup has findings"
      severity  = 0
      query     = "${local.lines}| where toint(line.findings) > 0"
      dimension = "server"
    }
    errors = {
      title     = "the function reports errors"
      severity  = 1
      query     = "${local.lines}| where tostring(line.level) == \"ERROR\" and isempty(verdict) and isempty(finding)"
      dimension = null
    }
    failures = {
      title     = "calls of the function fail"
      severity  = 2
      query     = "AppRequests\n| where Success == false"
      dimension = null
    }
    poison = {
      title     = "the poison queue is not empty"
      severity  = 1
      query     = "StorageQueueLogs\n| where OperationName == \"PutMessage\" and StatusText == \"Success\" and Uri contains \"/${azurerm_storage_queue.poison.name}/\""
      dimension = null
    }
    dead_letter = {
      title     = "the dead-letter container is not empty"
      severity  = 1
      query     = "StorageBlobLogs\n| where OperationName in (\"PutBlob\", \"PutBlockList\") and StatusText == \"Success\" and Uri contains \"/${azurerm_storage_container.dead_letter.name}/\""
      dimension = null
    }
  }
}

resource "azurerm_monitor_action_group" "mail" {
  count = length(var.alarm_emails) == 0 ? 0 : 1

  name                = var.name
  resource_group_name = local.group
  short_name          = substr(var.name, 0, 12)
  tags                = var.tags

  dynamic "email_receiver" {
    for_each = var.alarm_emails

    content {
      name                    = email_receiver.value
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "line" {
  for_each = local.queries

  name                    = "${var.name}-${replace(each.key, "_", "-")}"
  display_name            = "${var.name}: ${each.value.title}"
  description             = local.handbook
  resource_group_name     = local.group
  location                = var.location
  severity                = each.value.severity
  scopes                  = [azurerm_log_analytics_workspace.finalizer.id]
  evaluation_frequency    = "PT5M"
  window_duration         = "PT5M"
  auto_mitigation_enabled = false
  # The workspace's tables are there only after the first line.
  skip_query_validation = true
  tags                  = var.tags

  criteria {
    query                   = each.value.query
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0

    dynamic "dimension" {
      for_each = each.value.dimension == null ? [] : [each.value.dimension]

      content {
        name     = dimension.value
        operator = "Include"
        values   = ["*"]
      }
    }
  }

  action {
    action_groups = local.action_groups
  }
}

# One rule for all servers, with one alarm for each: the query makes a row for every server that it finds no seal of. A host
# can have an old backup finalized again whenever it likes: only seals of the last day count.
resource "azurerm_monitor_scheduled_query_rules_alert_v2" "no_seal" {
  name                      = "${var.name}-no-seal"
  display_name              = "${var.name}: no sealed backup of a server in ${var.max_backup_age_hours} hours"
  description               = local.handbook
  resource_group_name       = local.group
  location                  = var.location
  severity                  = 0
  scopes                    = [azurerm_log_analytics_workspace.finalizer.id]
  evaluation_frequency      = "PT1H"
  window_duration           = "PT1H"
  query_time_range_override = "P2D"
  auto_mitigation_enabled   = true
  skip_query_validation     = true
  tags                      = var.tags

  criteria {
    query                   = <<-KQL
      let sealed = ${trimspace(local.lines)}
      | where TimeGenerated > ago(${var.max_backup_age_hours}h) and verdict == "sealed" and toint(line.seal_age_s) < 86400
      | distinct server;
      datatable(server: string) [${join(", ", [for server, _ in var.servers : "\"${server}\""])}]
      | join kind=leftanti sealed on server
      | extend TimeGenerated = now()
    KQL
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0

    dimension {
      name     = "server"
      operator = "Include"
      values   = ["*"]
    }
  }

  action {
    action_groups = local.action_groups
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "no_sweep" {
  name                      = "${var.name}-no-sweep"
  display_name              = "${var.name}: the sweep does not run"
  description               = local.handbook
  resource_group_name       = local.group
  location                  = var.location
  severity                  = 1
  scopes                    = [azurerm_log_analytics_workspace.finalizer.id]
  evaluation_frequency      = "PT15M"
  window_duration           = "PT1H"
  query_time_range_override = "P2D"
  auto_mitigation_enabled   = true
  skip_query_validation     = true
  tags                      = var.tags

  criteria {
    query                   = <<-KQL
      ${trimspace(local.lines)}
      | where tostring(line.msg) == "swept" and TimeGenerated > ago(${3 * var.sweep_interval_minutes}m)
      | count
      | where Count == 0
      | extend TimeGenerated = now()
    KQL
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }

  action {
    action_groups = local.action_groups
  }
}

# The account's queues together, the poison queue too; Azure counts once an hour.
resource "azurerm_monitor_metric_alert" "queue" {
  name                = "${var.name}-queue"
  resource_group_name = local.group
  scopes              = ["${azurerm_storage_account.function.id}/queueServices/default"]
  description         = "Events wait for the function. ${local.handbook}"
  severity            = 2
  frequency           = "PT1H"
  window_size         = "PT6H"
  tags                = var.tags

  criteria {
    metric_namespace = "Microsoft.Storage/storageAccounts/queueServices"
    metric_name      = "QueueMessageCount"
    aggregation      = "Average"
    operator         = "GreaterThanOrEqual"
    threshold        = 1
  }

  dynamic "action" {
    for_each = local.action_groups

    content {
      action_group_id = action.value
    }
  }
}
