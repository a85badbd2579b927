locals {
  root    = var.prefix == "" ? "" : "${var.prefix}/"
  account = var.create_account ? azurerm_storage_account.vault[0].id : var.account_id
  # Written from names, so that a plan shows it.
  container_id = var.create_account ? azurerm_storage_container.vault[0].id : "${var.account_id}/blobServices/default/containers/${var.container}"
}

resource "azurerm_storage_account" "vault" {
  count = var.create_account ? 1 : 0

  name                     = var.account_name
  resource_group_name      = var.resource_group_name
  location                 = var.location
  account_kind             = "StorageV2"
  account_tier             = "Standard"
  account_replication_type = var.replication_type
  access_tier              = var.access_tier
  tags                     = var.tags

  # Keys and SAS tokens made with them know no role and no condition.
  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  local_user_enabled               = false
  https_traffic_only_enabled       = true
  min_tls_version                  = "TLS1_2"
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false
  # Policies of a whole container are for flat accounts.
  is_hns_enabled                    = false
  infrastructure_encryption_enabled = true
  public_network_access_enabled     = var.network.public_access

  network_rules {
    default_action             = var.network.default_action
    bypass                     = ["AzureServices"]
    ip_rules                   = var.network.ip_ranges
    virtual_network_subnet_ids = var.network.subnet_ids
  }

  # No versions: the container's policy makes the name immutable, so there is nothing that they would keep, and an expired
  # blob could be shadowed by a new version of it. No soft delete either: what the policy has released goes when it is deleted.
  blob_properties {
    versioning_enabled = false
  }

  dynamic "identity" {
    for_each = var.customer_key == null ? [] : [var.customer_key]

    content {
      type         = "UserAssigned"
      identity_ids = [identity.value.identity_id]
    }
  }

  dynamic "customer_managed_key" {
    for_each = var.customer_key == null ? [] : [var.customer_key]

    content {
      key_vault_key_id          = customer_managed_key.value.key_vault_key_id
      user_assigned_identity_id = customer_managed_key.value.identity_id
    }
  }
}

resource "azurerm_storage_container" "vault" {
  count = var.create_account ? 1 : 0

  name                  = var.container
  storage_account_id    = azurerm_storage_account.vault[0].id
  container_access_type = "private"
}

# One policy for the whole container: creates are allowed, overwrites and deletes are not, until a blob is that old. A policy for
# each version would allow overwrites, which make new versions.
resource "azurerm_storage_container_immutability_policy" "vault" {
  count = var.create_account ? 1 : 0

  storage_container_resource_manager_id = azurerm_storage_container.vault[0].id
  immutability_period_in_days           = var.lock_days
  locked                                = var.lock_permanently
  # Either would let more be written to a blob that is there.
  protected_append_writes_enabled     = false
  protected_append_writes_all_enabled = false
}
