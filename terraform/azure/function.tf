# An account for the function alone: its package, the host's leases, the queue and what could not be delivered.
resource "azurerm_storage_account" "function" {
  name                     = var.function_account
  resource_group_name      = local.group
  location                 = var.location
  account_kind             = "StorageV2"
  account_tier             = "Standard"
  account_replication_type = var.staging_replication_type
  tags                     = var.tags

  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  local_user_enabled               = false
  https_traffic_only_enabled       = true
  min_tls_version                  = "TLS1_2"
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false
  public_network_access_enabled    = var.network.public_access

  network_rules {
    default_action             = var.network.default_action
    bypass                     = ["AzureServices"]
    ip_rules                   = var.network.ip_ranges
    virtual_network_subnet_ids = var.network.subnet_ids
  }
}

resource "azurerm_storage_container" "package" {
  name                  = "package"
  storage_account_id    = azurerm_storage_account.function.id
  container_access_type = "private"
}

resource "azurerm_service_plan" "finalizer" {
  name                = var.name
  resource_group_name = local.group
  location            = var.location
  os_type             = "Linux"
  sku_name            = "FC1"
  tags                = var.tags
}

resource "azurerm_function_app_flex_consumption" "finalizer" {
  name                = coalesce(var.function_app_name, "${var.name}-${var.function_account}")
  resource_group_name = local.group
  location            = var.location
  service_plan_id     = azurerm_service_plan.finalizer.id
  tags                = var.tags

  # A custom handler: a Go program that the host starts.
  runtime_name    = "custom"
  runtime_version = "1.0"

  storage_container_type            = "blobContainer"
  storage_container_endpoint        = "${azurerm_storage_account.function.primary_blob_endpoint}${azurerm_storage_container.package.name}"
  storage_authentication_type       = "UserAssignedIdentity"
  storage_user_assigned_identity_id = azurerm_user_assigned_identity.finalizer.id

  instance_memory_in_mb  = var.function_memory_mb
  maximum_instance_count = var.function_max_instances

  https_only                = true
  virtual_network_subnet_id = var.function_subnet_id
  zip_deploy_file           = var.function_package.path

  # The package is deployed with an identity: no user and no password.
  webdeploy_publish_basic_authentication_enabled = false

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.finalizer.id]
  }

  site_config {
    minimum_tls_version                    = "1.2"
    application_insights_connection_string = azurerm_application_insights.finalizer.connection_string
  }

  app_settings = merge(
    {
      AzureWebJobsStorage__accountName = azurerm_storage_account.function.name
      AzureWebJobsStorage__credential  = "managedidentity"
      AzureWebJobsStorage__clientId    = azurerm_user_assigned_identity.finalizer.client_id
      AZURE_CLIENT_ID                  = azurerm_user_assigned_identity.finalizer.client_id

      PGSEAL_QUEUE_NAME             = azurerm_storage_queue.events.name
      PGSEAL_QUEUE__queueServiceUri = "https://${var.function_account}.queue.core.windows.net"
      PGSEAL_QUEUE__credential      = "managedidentity"
      PGSEAL_QUEUE__clientId        = azurerm_user_assigned_identity.finalizer.client_id
      PGSEAL_SWEEP_SCHEDULE         = local.sweep_schedule

      PGSEAL_VAULT_URL     = local.vault_url
      PGSEAL_STAGING_URL   = local.staging_url
      PGSEAL_WAL_CHECK     = var.wal_check
      PGSEAL_WAL_DEADLINE  = "${var.wal_deadline_hours}h"
      PGSEAL_MIN_RETENTION = "${coalesce(var.min_retention_days, var.lock_days)}d"
      # Azure tells readers that a container has a policy, and not how long it keeps.
      PGSEAL_AZURE_RETENTION = "${var.lock_days}d"
      # The account's own key; encryption scopes would show by their names.
      PGSEAL_VAULT_ENCRYPTION = "default"
    },
    var.function_environment,
  )

  depends_on = [azurerm_role_assignment.function_account]
}
