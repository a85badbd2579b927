locals {
  made_hosts = { for server, s in var.servers : server => s if s.principal_id == null }
  hosts      = { for server, s in var.servers : server => s.principal_id != null ? s.principal_id : azurerm_user_assigned_identity.host[server].principal_id }
  restore    = merge({ pgseal = azurerm_user_assigned_identity.restore.principal_id }, var.restore_principal_ids)
  operator   = merge({ pgseal = azurerm_user_assigned_identity.operator.principal_id }, var.operator_principal_ids)
}

# One identity for each server, to be attached to its machine.
resource "azurerm_user_assigned_identity" "host" {
  for_each = local.made_hosts

  name                = "${var.name}-host-${replace(each.key, ".", "_")}"
  resource_group_name = local.group
  location            = var.location
  tags                = var.tags
}

resource "azurerm_user_assigned_identity" "finalizer" {
  name                = "${var.name}-finalizer"
  resource_group_name = local.group
  location            = var.location
  tags                = var.tags
}

resource "azurerm_user_assigned_identity" "restore" {
  name                = "${var.name}-restore"
  resource_group_name = local.group
  location            = var.location
  tags                = var.tags
}

resource "azurerm_user_assigned_identity" "operator" {
  name                = "${var.name}-operator"
  resource_group_name = local.group
  location            = var.location
  tags                = var.tags
}

# Event Grid's own: puts events into the queue, and what it cannot deliver into the dead-letter container.
resource "azurerm_user_assigned_identity" "events" {
  name                = "${var.name}-events"
  resource_group_name = local.group
  location            = var.location
  tags                = var.tags
}

# Staging. Nobody deletes there but the lifecycle: overwriting takes no right to delete on Azure.
locals {
  blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

  staging_roles = {
    writer = ["${local.blobs}/read", "${local.blobs}/write", "${local.blobs}/add/action"]
    reader = ["${local.blobs}/read"]
  }

  path   = "@Resource[${local.blobs}:path]"
  reads  = "ActionMatches{'${local.blobs}/read'} AND NOT SubOperationMatches{'Blob.List'}"
  others = "!(ActionMatches{'${local.blobs}/write'}) AND !(ActionMatches{'${local.blobs}/add/action'})"

  written = { for server, _ in var.servers : server => [for path in ["${server}/", "_pgseal/progress/${server}/", "_pgseal/complete/${server}/"] : "${local.root}${path}*"] }
  read = { for server, _ in var.servers : server => concat(local.written[server], [
    for path in ["_pgseal/verdict/${server}/", "_pgseal/sweep/${server}/"] : "${local.root}${path}*"
  ]) }

  staging_assignments = merge(
    { for server, principal in local.hosts : "host ${server}" => {
      role      = "writer"
      principal = principal
      condition = join(" AND ", [
        "((!(${local.reads})) OR (${join(" OR ", [for p in local.read[server] : "${local.path} StringLike '${p}'"])}))",
        "((${local.others}) OR (${join(" OR ", [for p in local.written[server] : "${local.path} StringLike '${p}'"])}))",
      ])
    } },
    { finalizer = {
      role      = "writer"
      principal = azurerm_user_assigned_identity.finalizer.principal_id
      condition = join(" AND ", [
        "((!(${local.reads})) OR (${local.path} StringLike '${local.root}*'))",
        "((${local.others}) OR (${local.path} StringLike '${local.root}_pgseal/verdict/*' OR ${local.path} StringLike '${local.root}_pgseal/sweep/*'))",
      ])
    } },
    { for name, principal in local.restore : "restore ${name}" => {
      role      = "writer"
      principal = principal
      condition = join(" AND ", [
        "((!(${local.reads})) OR (${local.path} StringLike '${local.root}*'))",
        "((${local.others}) OR (${local.path} StringLike '${local.root}_pgseal/drill/*'))",
      ])
    } },
    { for name, principal in local.operator : "operator ${name}" => {
      role      = "reader"
      principal = principal
      condition = "((!(${local.reads})) OR (${local.path} StringLike '${local.root}*'))"
    } },
  )
}

resource "azurerm_role_definition" "staging" {
  for_each = local.staging_roles

  name        = "${var.name} staging ${each.key} (${var.staging_account})"
  scope       = azurerm_storage_account.staging.id
  description = "pgseal: what a ${each.key} needs in staging, under a condition on the blob's path."

  permissions {
    actions      = ["Microsoft.Storage/storageAccounts/blobServices/containers/read"]
    data_actions = each.value
  }

  assignable_scopes = [azurerm_storage_account.staging.id]
}

resource "azurerm_role_assignment" "staging" {
  for_each = local.staging_assignments

  scope              = azurerm_storage_container.staging.id
  role_definition_id = azurerm_role_definition.staging[each.value.role].role_definition_resource_id
  principal_id       = each.value.principal
  description        = "pgseal: ${each.key}"
  condition_version  = "2.0"
  condition          = each.value.condition
}

# The function's own account, where the host keeps its leases and its package: nobody who writes backups has a right here.
resource "azurerm_role_assignment" "function_account" {
  for_each = toset(["Storage Blob Data Owner", "Storage Queue Data Contributor", "Storage Table Data Contributor"])

  scope                = azurerm_storage_account.function.id
  role_definition_name = each.value
  principal_id         = azurerm_user_assigned_identity.finalizer.principal_id
}

resource "azurerm_role_assignment" "events_queue" {
  scope                = azurerm_storage_account.function.id
  role_definition_name = "Storage Queue Data Message Sender"
  principal_id         = azurerm_user_assigned_identity.events.principal_id
}

resource "azurerm_role_assignment" "events_dead_letter" {
  scope                = azurerm_storage_container.dead_letter.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.events.principal_id
}
