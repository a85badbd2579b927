# Applied with mocks: what comes from other resources is there. Ids have the real shapes, which the real provider wants.

mock_provider "azurerm" {
  mock_resource "azurerm_user_assigned_identity" {
    defaults = {
      id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
      principal_id = "33333333-3333-3333-3333-333333333333"
      client_id    = "44444444-4444-4444-4444-444444444444"
    }
  }

  mock_resource "azurerm_storage_account" {
    defaults = {
      id                    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
      primary_blob_endpoint = "https://a.blob.core.windows.net/"
    }
  }

  mock_resource "azurerm_storage_container" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/blobServices/default/containers/c" }
  }

  mock_resource "azurerm_role_definition" {
    defaults = { role_definition_resource_id = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/roleDefinitions/00000000-0000-0000-0000-000000000000" }
  }

  mock_resource "azurerm_service_plan" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Web/serverFarms/p" }
  }

  mock_resource "azurerm_log_analytics_workspace" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w" }
  }

  mock_resource "azurerm_monitor_action_group" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Insights/actionGroups/a" }
  }

  mock_resource "azurerm_application_insights" {
    defaults = { connection_string = "InstrumentationKey=00000000-0000-0000-0000-000000000000" }
  }
}

override_resource {
  target = azurerm_user_assigned_identity.events
  values = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/events" }
}

override_resource {
  target = azurerm_storage_account.staging
  values = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/examplestaging" }
}

override_resource {
  target = azurerm_storage_account.function
  values = {
    id                    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/examplefunc"
    primary_blob_endpoint = "https://examplefunc.blob.core.windows.net/"
  }
}

variables {
  resource_group_name  = "pgseal"
  location             = "westeurope"
  vault_account        = "examplevault"
  staging_account      = "examplestaging"
  function_account     = "examplefunc"
  recovery_window_days = 30
  lock_days            = 35
  alarm_emails         = ["dba@example.com"]
  servers = {
    main  = { principal_id = "11111111-1111-1111-1111-111111111111" }
    other = { principal_id = "11111111-1111-1111-1111-111111111112" }
  }
}

run "an_event_reaches_the_function" {
  assert {
    condition     = azurerm_eventgrid_system_topic.staging.source_resource_id == azurerm_storage_account.staging.id && azurerm_eventgrid_system_topic.staging.topic_type == "Microsoft.Storage.StorageAccounts"
    error_message = "the events are not those of staging"
  }

  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.marker.subject_filter[0].subject_begins_with == "/blobServices/default/containers/staging/blobs/barman/_pgseal/complete/" && azurerm_eventgrid_system_topic_event_subscription.marker.included_event_types == tolist(["Microsoft.Storage.BlobCreated"])
    error_message = "the events are not only those of new markers: the function would wake itself"
  }

  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.marker.advanced_filter[0].string_in[0].key == "data.api" && toset(azurerm_eventgrid_system_topic_event_subscription.marker.advanced_filter[0].string_in[0].values) == toset(["PutBlob", "PutBlockList"])
    error_message = "events of other calls are let through"
  }

  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.marker.storage_queue_endpoint[0].storage_account_id == azurerm_storage_account.function.id && azurerm_eventgrid_system_topic_event_subscription.marker.storage_queue_endpoint[0].queue_name == "pgseal" && azurerm_function_app_flex_consumption.finalizer.app_settings["PGSEAL_QUEUE_NAME"] == "pgseal"
    error_message = "the function does not read the queue that Event Grid writes"
  }

  assert {
    condition     = azurerm_role_assignment.events_queue.role_definition_name == "Storage Queue Data Message Sender" && azurerm_role_assignment.events_queue.scope == azurerm_storage_account.function.id && azurerm_eventgrid_system_topic_event_subscription.marker.delivery_identity[0].user_assigned_identity == azurerm_user_assigned_identity.events.id
    error_message = "Event Grid may not write the queue"
  }

  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.marker.retry_policy[0].max_delivery_attempts == 30 && azurerm_eventgrid_system_topic_event_subscription.marker.retry_policy[0].event_time_to_live == 1440
    error_message = "events are not delivered again"
  }
}

run "what_cannot_be_delivered_is_kept" {
  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.marker.storage_blob_dead_letter_destination[0].storage_blob_container_name == "dead-letter" && azurerm_storage_container.dead_letter.storage_account_id == azurerm_storage_account.function.id && azurerm_role_assignment.events_dead_letter.role_definition_name == "Storage Blob Data Contributor"
    error_message = "there is no dead-letter container, or Event Grid may not write it"
  }

  assert {
    condition     = azurerm_storage_queue.poison.name == "${azurerm_storage_queue.events.name}-poison"
    error_message = "the poison queue has another name than the Functions host gives it"
  }
}

run "the_function" {
  assert {
    condition     = azurerm_function_app_flex_consumption.finalizer.runtime_name == "custom" && azurerm_service_plan.finalizer.sku_name == "FC1" && azurerm_function_app_flex_consumption.finalizer.https_only == true
    error_message = "the app is another"
  }

  assert {
    condition     = one(azurerm_function_app_flex_consumption.finalizer.identity).type == "UserAssigned" && azurerm_function_app_flex_consumption.finalizer.storage_authentication_type == "UserAssignedIdentity" && azurerm_function_app_flex_consumption.finalizer.webdeploy_publish_basic_authentication_enabled == false
    error_message = "something is done with a key or a password"
  }

  assert {
    condition = azurerm_function_app_flex_consumption.finalizer.app_settings == tomap({
      AzureWebJobsStorage__accountName = "examplefunc"
      AzureWebJobsStorage__credential  = "managedidentity"
      AzureWebJobsStorage__clientId    = azurerm_user_assigned_identity.finalizer.client_id
      AZURE_CLIENT_ID                  = azurerm_user_assigned_identity.finalizer.client_id
      PGSEAL_QUEUE_NAME                = "pgseal"
      PGSEAL_QUEUE__queueServiceUri    = "https://examplefunc.queue.core.windows.net"
      PGSEAL_QUEUE__credential         = "managedidentity"
      PGSEAL_QUEUE__clientId           = azurerm_user_assigned_identity.finalizer.client_id
      PGSEAL_SWEEP_SCHEDULE            = "0 7 */1 * * *"
      PGSEAL_VAULT_URL                 = "https://examplevault.blob.core.windows.net/vault/barman"
      PGSEAL_STAGING_URL               = "https://examplestaging.blob.core.windows.net/staging/barman"
      PGSEAL_WAL_CHECK                 = "require"
      PGSEAL_WAL_DEADLINE              = "72h"
      PGSEAL_MIN_RETENTION             = "35d"
      PGSEAL_AZURE_RETENTION           = "35d"
      PGSEAL_VAULT_ENCRYPTION          = "default"
    })
    error_message = "the settings are others"
  }

  assert {
    condition     = alltrue([for a in azurerm_role_assignment.function_account : a.scope == azurerm_storage_account.function.id]) && azurerm_storage_account.function.shared_access_key_enabled == false
    error_message = "the host's rights go beyond its own account"
  }
}

run "staging" {
  assert {
    condition     = azurerm_storage_account.staging.shared_access_key_enabled == false && azurerm_storage_account.staging.min_tls_version == "TLS1_2" && azurerm_storage_account.staging.is_hns_enabled == false && azurerm_storage_account.staging.name != "examplevault"
    error_message = "staging is open, not flat, or the vault"
  }

  assert {
    condition     = azurerm_storage_management_policy.staging.rule[0].actions[0].base_blob[0].delete_after_days_since_modification_greater_than == 30 && azurerm_storage_management_policy.staging.rule[0].filters[0].prefix_match == toset(["staging/"])
    error_message = "staging is not emptied"
  }

  assert {
    condition     = alltrue([for a in azurerm_role_assignment.staging : a.condition_version == "2.0" && a.condition == output.staging_assignments[trimprefix(a.description, "pgseal: ")].condition])
    error_message = "another condition is assigned than is shown"
  }
}

run "alarms" {
  assert {
    condition     = toset(keys(azurerm_monitor_scheduled_query_rules_alert_v2.line)) == toset(["verdicts", "findings", "errors", "failures", "poison", "dead_letter"])
    error_message = "an alarm is missing"
  }

  assert {
    condition     = alltrue([for a in concat(values(azurerm_monitor_scheduled_query_rules_alert_v2.line), [azurerm_monitor_scheduled_query_rules_alert_v2.no_seal, azurerm_monitor_scheduled_query_rules_alert_v2.no_sweep]) : length(a.action[0].action_groups) == 1]) && length(azurerm_monitor_metric_alert.queue.action) == 1
    error_message = "an alarm tells nobody"
  }

  assert {
    condition     = strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.no_seal.criteria[0].query, "[\"main\", \"other\"]") && strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.no_seal.criteria[0].query, "ago(26h) and verdict == \"sealed\" and toint(line.seal_age_s) < 86400") && azurerm_monitor_scheduled_query_rules_alert_v2.no_seal.query_time_range_override == "P2D"
    error_message = "not every server has an alarm for missing seals"
  }

  assert {
    condition     = strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.line["verdicts"].criteria[0].query, "verdict in (\"rejected\", \"conflict\")")
    error_message = "rejected and conflicting backups raise no alarm"
  }

  assert {
    condition     = strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.line["poison"].criteria[0].query, "/pgseal-poison/") && strcontains(azurerm_monitor_scheduled_query_rules_alert_v2.line["dead_letter"].criteria[0].query, "/dead-letter/")
    error_message = "the poison queue or the dead-letter container is not watched"
  }

  assert {
    condition     = azurerm_log_analytics_workspace.finalizer.retention_in_days == 90 && azurerm_application_insights.finalizer.sampling_percentage == 100
    error_message = "the log is not kept, or not all of it"
  }
}

run "commands" {
  assert {
    condition     = output.backup_commands["main"] == "pgseal backup --cloud-provider=azure-blob-storage --credential=managed-identity --staging-url https://examplestaging.blob.core.windows.net/staging/barman --immediate-checkpoint --wait --gzip https://examplevault.blob.core.windows.net/vault/barman main"
    error_message = "another command: ${output.backup_commands["main"]}"
  }

  assert {
    condition     = output.archive_commands["main"] == "archive_command = 'pgseal wal-archive --cloud-provider=azure-blob-storage --credential=managed-identity --gzip https://examplevault.blob.core.windows.net/vault/barman main %p'"
    error_message = "another command: ${output.archive_commands["main"]}"
  }
}

run "a_vault_that_is_managed_elsewhere" {
  command = plan

  variables {
    vault_managed_elsewhere = true
  }

  assert {
    condition     = length(module.vault) == 0 && output.vault_assignments == null
    error_message = "a vault was made"
  }
}
