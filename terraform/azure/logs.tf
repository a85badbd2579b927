resource "azurerm_log_analytics_workspace" "finalizer" {
  name                = var.name
  resource_group_name = local.group
  location            = var.location
  sku                 = "PerGB2018"
  retention_in_days   = var.log_retention_days
  tags                = var.tags
}

resource "azurerm_application_insights" "finalizer" {
  name                = var.name
  resource_group_name = local.group
  location            = var.location
  workspace_id        = azurerm_log_analytics_workspace.finalizer.id
  application_type    = "other"
  # Every line counts: the alarms are made of them.
  sampling_percentage = 100
  retention_in_days   = contains([30, 60, 90, 120, 180, 270, 365, 550, 730], var.log_retention_days) ? var.log_retention_days : 90
  tags                = var.tags
}

# Who puts what into the poison queue and the dead-letter container: metrics count neither by itself.
resource "azurerm_monitor_diagnostic_setting" "queues" {
  name                       = var.name
  target_resource_id         = "${azurerm_storage_account.function.id}/queueServices/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.finalizer.id

  enabled_log {
    category = "StorageWrite"
  }
}

resource "azurerm_monitor_diagnostic_setting" "dead_letter" {
  name                       = var.name
  target_resource_id         = "${azurerm_storage_account.function.id}/blobServices/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.finalizer.id

  enabled_log {
    category = "StorageWrite"
  }
}

# Who writes what into the vault, and who is refused.
resource "azurerm_monitor_diagnostic_setting" "vault" {
  count = var.vault_managed_elsewhere ? 0 : 1

  name                       = "${var.name}-vault"
  target_resource_id         = "${module.vault[0].account_id}/blobServices/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.finalizer.id

  enabled_log {
    category = "StorageWrite"
  }

  enabled_log {
    category = "StorageDelete"
  }
}
