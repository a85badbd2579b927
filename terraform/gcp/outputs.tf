output "vault_url" {
  description = "The vault as pgseal writes it."
  value       = local.vault_url
}

output "staging_url" {
  description = "Staging as pgseal writes it."
  value       = local.staging_url
}

output "backup_commands" {
  description = "The command that takes a backup, by server; run it as a user who may read the data directory, with the server's service account."
  value       = { for server, _ in var.servers : server => "pgseal backup --cloud-provider=google-cloud-storage --staging-url ${local.staging_url} --immediate-checkpoint --wait --gzip ${local.vault_url} ${server}" }
}

output "archive_commands" {
  description = "The line for postgresql.conf, by server."
  value       = { for server, _ in var.servers : server => "archive_command = 'pgseal wal-archive --cloud-provider=google-cloud-storage --gzip ${local.vault_url} ${server} %p'" }
}

output "hosts" {
  description = "The identity of each server."
  value       = local.host_members
}

output "finalizer" {
  description = "The identity of the function. ./vault needs it when the vault is managed elsewhere."
  value       = local.finalizer_member

  depends_on = [google_service_account.finalizer]
}

output "restore_members" {
  description = "Who may read everything, and write what came of drills into staging."
  value       = local.restore_members

  depends_on = [google_service_account.restore]
}

output "operator_members" {
  description = "Who may read everything and keep backups."
  value       = local.operator_members

  depends_on = [google_service_account.operator]
}

output "vault_policy" {
  description = "The vault's IAM policy as JSON; merge it into the policy of a bucket that was adopted. null when the vault is managed elsewhere."
  value       = one(module.vault[*].policy)
}

output "staging_policy" {
  description = "Staging's IAM policy as JSON."
  value       = jsonencode(local.staging_policy)
}

output "roles" {
  description = "The permissions of each custom role that the policies name."
  value       = merge({ for what, permissions in local.permissions : local.role[what] => permissions }, one(module.vault[*].roles))
}

output "function" {
  description = "The function's name."
  value       = google_cloudfunctions2_function.finalizer.name
}

output "dead_letter_subscription" {
  description = "Where events are that could not be delivered."
  value       = google_pubsub_subscription.dead_letter.id
}
