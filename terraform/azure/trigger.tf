# A marker's creation -> Event Grid -> queue -> function. The queue spares the handshake and the 30 seconds that Event Grid waits
# for an answer, and can be made before the function is deployed.

locals {
  # Six fields, as NCRONTAB has them, seconds first.
  sweep_minutes  = { for m in [5, 10, 15, 20, 30] : m => "0 */${m} * * * *" }
  sweep_hours    = { for h in [1, 2, 3, 4, 6, 8, 12] : h * 60 => "0 7 */${h} * * *" }
  sweep_schedule = merge(local.sweep_minutes, local.sweep_hours)[var.sweep_interval_minutes]
}

resource "azurerm_storage_queue" "events" {
  name               = var.name
  storage_account_id = azurerm_storage_account.function.id
}

# Where the Functions host puts a message that failed too often. It would make the queue itself; made here, it is there to be
# watched.
resource "azurerm_storage_queue" "poison" {
  name               = "${var.name}-poison"
  storage_account_id = azurerm_storage_account.function.id
}

# Where Event Grid puts an event that it could not put into the queue.
resource "azurerm_storage_container" "dead_letter" {
  name                  = "dead-letter"
  storage_account_id    = azurerm_storage_account.function.id
  container_access_type = "private"
}

resource "azurerm_eventgrid_system_topic" "staging" {
  name                = var.name
  resource_group_name = local.group
  location            = var.location
  source_resource_id  = azurerm_storage_account.staging.id
  topic_type          = "Microsoft.Storage.StorageAccounts"
  tags                = var.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.events.id]
  }
}

resource "azurerm_eventgrid_system_topic_event_subscription" "marker" {
  name                  = var.name
  resource_group_name   = local.group
  system_topic          = azurerm_eventgrid_system_topic.staging.name
  event_delivery_schema = "EventGridSchema"
  included_event_types  = ["Microsoft.Storage.BlobCreated"]

  # Markers only: the function's own writes in staging must not wake it.
  subject_filter {
    subject_begins_with = "/blobServices/default/containers/${var.staging_container}/blobs/${local.root}_pgseal/complete/"
    subject_ends_with   = ".json"
    case_sensitive      = true
  }

  # The calls that make a blob whole.
  advanced_filter {
    string_in {
      key    = "data.api"
      values = ["PutBlob", "PutBlockList"]
    }
  }

  storage_queue_endpoint {
    storage_account_id                    = azurerm_storage_account.function.id
    queue_name                            = azurerm_storage_queue.events.name
    queue_message_time_to_live_in_seconds = 604800
  }

  delivery_identity {
    type                   = "UserAssigned"
    user_assigned_identity = azurerm_user_assigned_identity.events.id
  }

  storage_blob_dead_letter_destination {
    storage_account_id          = azurerm_storage_account.function.id
    storage_blob_container_name = azurerm_storage_container.dead_letter.name
  }

  dead_letter_identity {
    type                   = "UserAssigned"
    user_assigned_identity = azurerm_user_assigned_identity.events.id
  }

  retry_policy {
    max_delivery_attempts = 30
    event_time_to_live    = 1440
  }

  depends_on = [azurerm_role_assignment.events_queue, azurerm_role_assignment.events_dead_letter]
}
