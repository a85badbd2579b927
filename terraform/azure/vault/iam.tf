locals {
  blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

  # The built-in roles are too wide: Storage Blob Data Contributor deletes.
  roles = {
    host      = concat(["${local.blobs}/read", "${local.blobs}/write", "${local.blobs}/add/action"], var.hosts_may_tag ? ["${local.blobs}/tags/write"] : [])
    finalizer = ["${local.blobs}/read", "${local.blobs}/add/action"]
    reader    = ["${local.blobs}/read"]
    operator  = ["${local.blobs}/read", "${local.blobs}/write", "${local.blobs}/add/action", "${local.blobs}/delete"]
    expire    = ["${local.blobs}/read", "${local.blobs}/delete"]
  }

  # Parts of conditions, as the documentation writes them ("Actions and attributes for Azure role assignment conditions for
  # Azure Blob Storage", 2026-11). A part holds for the actions that it names and lets all others through. Listings are not
  # limited: stock barman-cloud asks for one without a prefix before it does anything. Names and sizes of all servers can be listed
  # by all hosts; contents cannot be read.
  path  = "@Resource[${local.blobs}:path]"
  reads = "ActionMatches{'${local.blobs}/read'} AND NOT SubOperationMatches{'Blob.List'}"
  # Not a create: as the documentation writes it for two actions.
  others  = "!(ActionMatches{'${local.blobs}/write'}) AND !(ActionMatches{'${local.blobs}/add/action'})"
  deletes = "ActionMatches{'${local.blobs}/delete'}"
  tags    = "ActionMatches{'${local.blobs}/tags/write'}"

  # A blob may change its tier under a policy, and one in Archive cannot be read at once.
  no_tier = "(!(ActionMatches{'${local.blobs}/write'} AND SubOperationMatches{'Blob.Write.Tier'}))"

  below     = "${local.path} StringLike '${local.root}*'"
  read_all  = "((!(${local.reads})) OR (${local.below}))"
  keep_only = "${local.path} StringLike '${local.root}*/base/*/annotations/keep'"

  own = { for server, _ in var.hosts : server => "${local.root}${server}/*" }

  assignments = merge(
    { for server, principal in var.hosts : "host ${server}" => {
      role      = "host"
      principal = principal
      condition = join(" AND ", [
        "((!(${local.reads})) OR (${local.path} StringLike '${local.own[server]}'))",
        "((${local.others}) OR (${local.path} StringLike '${local.own[server]}' AND ${local.path} StringNotLike '*/backup.info' AND ${local.path} StringNotLike '*/annotations/keep'))",
        "((!(${local.tags})) OR (${local.path} StringLike '${local.own[server]}' AND ${local.path} StringNotLike '*/backup.info'))",
        local.no_tier,
      ])
    } },
    { finalizer = {
      role      = "finalizer"
      principal = var.finalizer_principal_id
      condition = join(" AND ", [
        local.read_all,
        "((${local.others}) OR (${local.path} StringLike '${local.root}*/base/*/backup.info'))",
      ])
    } },
    { for name, principal in var.restore_principal_ids : "restore ${name}" => {
      role      = "reader"
      principal = principal
      condition = local.read_all
    } },
    { for name, principal in var.operator_principal_ids : "operator ${name}" => {
      role      = "operator"
      principal = principal
      condition = join(" AND ", [
        local.read_all,
        "((${local.others}) OR (${local.keep_only}))",
        "((!(${local.deletes})) OR (${local.keep_only}))",
        local.no_tier,
      ])
    } },
    { for name, principal in var.expire_principal_ids : "expire ${name}" => {
      role      = "expire"
      principal = principal
      condition = "${local.read_all} AND ((!(${local.deletes})) OR (${local.below}))"
    } },
  )
}

resource "azurerm_role_definition" "vault" {
  for_each = local.roles

  name        = "${var.name} vault ${each.key} (${var.account_name})"
  scope       = local.account
  description = "pgseal: what a ${each.key} needs in the vault, under a condition on the blob's path."

  permissions {
    # Shows the container's immutability policy, and changes nothing.
    actions      = ["Microsoft.Storage/storageAccounts/blobServices/containers/read"]
    data_actions = each.value
  }

  assignable_scopes = [local.account]
}

resource "azurerm_role_assignment" "vault" {
  for_each = local.assignments

  scope              = local.container_id
  role_definition_id = azurerm_role_definition.vault[each.value.role].role_definition_resource_id
  principal_id       = each.value.principal
  description        = "pgseal: ${each.key}"
  condition_version  = "2.0"
  condition          = each.value.condition
}

# Can lift a policy that is not locked, and then delete. Not even they get around one that is locked permanently.
resource "azurerm_role_assignment" "break_glass" {
  for_each = merge([for name, principal in var.break_glass_principal_ids : {
    for role in ["Storage Account Contributor", "Storage Blob Data Owner"] : "${name}: ${role}" => { role = role, principal = principal }
  }]...)

  scope                = local.account
  role_definition_name = each.value.role
  principal_id         = each.value.principal
  description          = "pgseal: break-glass ${each.key}"
}
