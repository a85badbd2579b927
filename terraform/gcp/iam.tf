locals {
  # Names are written, not taken from resources, so that a plan shows every policy in full.
  at = "${var.project_id}.iam.gserviceaccount.com"

  made_hosts = { for server, s in var.servers : server => s if s.member == null }
  # 6 to 30 characters: a server whose name does not fit is called by a digest of it.
  host_account = { for server, _ in local.made_hosts : server => (
    can(regex("^[a-z0-9-]{0,11}[a-z0-9]$", server)) ? "${var.name}-host-${server}" : "${var.name}-host-${substr(sha256(server), 0, 10)}"
  ) }
  host_members = { for server, s in var.servers : server => s.member != null ? s.member : "serviceAccount:${local.host_account[server]}@${local.at}" }

  finalizer_email  = "${var.name}-finalizer@${local.at}"
  finalizer_member = "serviceAccount:${local.finalizer_email}"
  restore_members  = concat(["serviceAccount:${var.name}-restore@${local.at}"], var.restore_members)
  operator_members = concat(["serviceAccount:${var.name}-operator@${local.at}"], var.operator_members)
}

# One account for each server. Keys are not made here: attach the account to the machine, or let it be impersonated through
# a workload identity pool.
resource "google_service_account" "host" {
  for_each = local.made_hosts

  project      = var.project_id
  account_id   = local.host_account[each.key]
  display_name = "pgseal: host ${each.key}"
}

resource "google_service_account" "finalizer" {
  project      = var.project_id
  account_id   = "${var.name}-finalizer"
  display_name = "pgseal: the function that seals"
}

resource "google_service_account" "restore" {
  project      = var.project_id
  account_id   = "${var.name}-restore"
  display_name = "pgseal: reads backups, proves drills"
}

resource "google_service_account" "operator" {
  project      = var.project_id
  account_id   = "${var.name}-operator"
  display_name = "pgseal: reads and keeps backups"
}

# Calls the function for Pub/Sub, and may nothing else.
resource "google_service_account" "invoker" {
  project      = var.project_id
  account_id   = "${var.name}-invoker"
  display_name = "pgseal: Pub/Sub calls the function"
}

# Builds the function; the default build account may far more.
resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = "${var.name}-build"
  display_name = "pgseal: builds the function"
}

resource "google_project_iam_member" "build" {
  for_each = toset(["roles/logging.logWriter", "roles/artifactregistry.writer", "roles/storage.objectViewer"])

  project = var.project_id
  role    = each.value
  member  = "serviceAccount:${var.name}-build@${local.at}"

  depends_on = [google_service_account.build]
}

# Staging's policy. Overwriting is delete and create on Cloud Storage, so who may write a record anew may also delete it:
# the host its own records, never a verdict; the truth about a backup is in the vault alone.
locals {
  permissions = {
    write = ["storage.objects.create", "storage.objects.delete"]
    read  = ["storage.objects.get"]
    list  = ["storage.objects.list", "storage.buckets.get"]
  }

  role_id = { for what, _ in local.permissions : what => "${replace(var.name, "-", "_")}_staging_${what}" }
  role    = { for what, id in local.role_id : what => "projects/${var.project_id}/roles/${id}" }

  objects = "projects/_/buckets/${var.staging_bucket}/objects/${local.root}"
  written = { for server, _ in var.servers : server => ["${server}/", "_pgseal/progress/${server}/", "_pgseal/complete/${server}/"] }

  host_writes = { for server, _ in var.servers : server => join(" || ", [
    for path in local.written[server] : "resource.name.startsWith(\"${local.objects}${path}\")"
  ]) }
  host_reads = { for server, _ in var.servers : server => join(" || ", [
    for path in concat(local.written[server], ["_pgseal/verdict/${server}/", "_pgseal/sweep/${server}/"]) : "resource.name.startsWith(\"${local.objects}${path}\")"
  ]) }

  staging_bindings = concat(
    [for server, member in local.host_members : {
      role      = local.role.write
      members   = [member]
      condition = { title = "host ${server} writes its records", expression = local.host_writes[server] }
    }],
    [for server, member in local.host_members : {
      role      = local.role.read
      members   = [member]
      condition = { title = "host ${server} reads its records", expression = local.host_reads[server] }
    }],
    [
      {
        role      = local.role.list
        members   = distinct(concat(values(local.host_members), [local.finalizer_member], local.restore_members, local.operator_members))
        condition = null
      },
      {
        role    = local.role.write
        members = [local.finalizer_member]
        condition = {
          title      = "finalizer gives verdicts"
          expression = "resource.name.startsWith(\"${local.objects}_pgseal/verdict/\") || resource.name.startsWith(\"${local.objects}_pgseal/sweep/\")"
        }
      },
      {
        role      = local.role.write
        members   = local.restore_members
        condition = { title = "who restores proves drills", expression = "resource.name.startsWith(\"${local.objects}_pgseal/drill/\")" }
      },
      {
        role      = local.role.read
        members   = distinct(concat([local.finalizer_member], local.restore_members, local.operator_members))
        condition = { title = "reads all records", expression = "resource.name.startsWith(\"${local.objects}\")" }
      },
    ],
  )

  staging_policy = {
    bindings = [for b in local.staging_bindings : { for key, value in b : key => value if value != null } if length(b.members) > 0]
  }
}

resource "google_project_iam_custom_role" "staging" {
  for_each = local.permissions

  project     = var.project_id
  role_id     = local.role_id[each.key]
  title       = "pgseal ${var.name}: ${each.key} in staging"
  permissions = each.value
}

# The whole policy, so that nobody else can write a verdict: a new bucket's own lets the editors of its project write there.
resource "google_storage_bucket_iam_policy" "staging" {
  bucket      = google_storage_bucket.staging.name
  policy_data = jsonencode(local.staging_policy)

  depends_on = [google_project_iam_custom_role.staging, google_service_account.host, google_service_account.finalizer,
  google_service_account.restore, google_service_account.operator]
}
