# The predefined roles are too wide: roles/storage.objectCreator also makes folders, roles/storage.objectUser deletes.
locals {
  permissions = merge(
    {
      create = ["storage.objects.create"]
      read   = ["storage.objects.get"]
      list   = ["storage.objects.list", "storage.buckets.get"]
      delete = ["storage.objects.delete"]
    },
    var.hosts_may_set_retention || var.finalizer_may_extend_retention ? { retain = ["storage.objects.setRetention"] } : {},
  )

  role_id = { for what, _ in local.permissions : what => "${replace(var.name, "-", "_")}_vault_${what}" }
  # Names are written, not taken from resources, so that a plan shows the whole policy.
  role = { for what, id in local.role_id : what => "projects/${var.project_id}/roles/${id}" }

  objects = "projects/_/buckets/${var.bucket}/objects/${local.root}"
  below   = "resource.name.startsWith(\"${local.objects}\")"
  own     = { for server, _ in var.hosts : server => "resource.name.startsWith(\"${local.objects}${server}/\")" }
  is_seal = "resource.name.endsWith(\"/backup.info\")"
  is_keep = "resource.name.endsWith(\"/annotations/keep\")"
  in_base = "resource.name.extract(\"/base/{id}/\") != \"\""

  # objects.list is checked on the bucket, whose name no condition on objects matches: it is granted for the whole bucket.
  # Names and sizes of all servers can be listed by all hosts; contents cannot be read.
  listers = distinct(concat(values(var.hosts), [var.finalizer_member], var.restore_members, var.operator_members, var.expire_members))

  bindings = concat(
    [for server, member in var.hosts : {
      role    = local.role.create
      members = [member]
      condition = {
        title      = "host ${server} creates"
        expression = "${local.own[server]} && !${local.is_seal} && !${local.is_keep}"
      }
    }],
    [for server, member in var.hosts : {
      role    = local.role.read
      members = [member]
      condition = {
        title      = "host ${server} reads"
        expression = local.own[server]
      }
    }],
    # For the lock of what is being created. The same right extends the locks of objects that exist, and shortens none.
    [for server, member in var.hosts : {
      role    = local.role.retain
      members = [member]
      condition = {
        title      = "host ${server} chooses locks"
        expression = "${local.own[server]} && !${local.is_seal}"
      }
    } if var.hosts_may_set_retention],
    [for member in [var.finalizer_member] : {
      role    = local.role.retain
      members = [member]
      condition = {
        title      = "finalizer locks its seals"
        expression = "${local.below} && ${local.is_seal} && ${local.in_base}"
      }
    } if var.hosts_may_set_retention],
    [for member in [var.finalizer_member] : {
      role    = local.role.retain
      members = [member]
      condition = {
        title      = "finalizer extends locks"
        expression = local.below
      }
    } if var.finalizer_may_extend_retention],
    [
      {
        role      = local.role.list
        members   = local.listers
        condition = null
      },
      {
        role    = local.role.create
        members = [var.finalizer_member]
        condition = {
          title      = "finalizer seals"
          expression = "${local.below} && ${local.is_seal} && ${local.in_base}"
        }
      },
      {
        role    = local.role.read
        members = distinct(concat([var.finalizer_member], var.restore_members, var.operator_members, var.expire_members))
        condition = {
          title      = "reads all servers"
          expression = local.below
        }
      },
      {
        role    = local.role.create
        members = var.operator_members
        condition = {
          title      = "operator keeps backups"
          expression = "${local.below} && ${local.is_keep} && ${local.in_base}"
        }
      },
      {
        role    = local.role.delete
        members = var.operator_members
        condition = {
          title      = "operator releases backups"
          expression = "${local.below} && ${local.is_keep} && ${local.in_base}"
        }
      },
      {
        role    = local.role.delete
        members = var.expire_members
        condition = {
          title      = "expire deletes what the retention has released"
          expression = local.below
        }
      },
      {
        role      = "roles/storage.admin"
        members   = var.break_glass_members
        condition = null
      },
    ],
  )

  policy = {
    bindings = [for b in local.bindings : { for key, value in b : key => value if value != null } if length(b.members) > 0]
  }
}

resource "google_project_iam_custom_role" "vault" {
  for_each = local.permissions

  project     = var.project_id
  role_id     = local.role_id[each.key]
  title       = "pgseal ${var.name}: ${each.key} in the vault"
  permissions = each.value
}

# The whole policy, so that nobody else is in it: a new bucket's own policy lets the editors of its project write there.
resource "google_storage_bucket_iam_policy" "vault" {
  count = local.owned

  bucket      = google_storage_bucket.vault[0].name
  policy_data = jsonencode(local.policy)

  depends_on = [google_project_iam_custom_role.vault]
}
