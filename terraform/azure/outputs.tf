output "vault_url" {
  description = "The vault as pgseal writes it."
  value       = local.vault_url
}

output "staging_url" {
  description = "Staging as pgseal writes it."
  value       = local.staging_url
}

output "backup_commands" {
  description = "For each server the line that takes a backup and waits for its seal."
  value       = { for server in keys(var.servers) : server => "pgseal backup --cloud-provider=azure-blob-storage --credential=managed-identity --staging-url ${local.staging_url} --immediate-checkpoint --wait --gzip ${local.vault_url} ${server}" }
}

output "archive_commands" {
  description = "For each server the line for its postgresql.conf."
  value       = { for server in keys(var.servers) : server => "archive_command = 'pgseal wal-archive --cloud-provider=azure-blob-storage --credential=managed-identity --gzip ${local.vault_url} ${server} %p'" }
}

output "hosts" {
  description = "The principal id of each server's identity."
  value       = local.hosts
}

output "host_identity_ids" {
  description = "The ids of the identities that were made, to be attached to the servers' machines."
  value       = { for server, identity in azurerm_user_assigned_identity.host : server => identity.id }
}

output "finalizer_principal_id" {
  description = "The principal id of the function's identity. ./vault needs it when the vault is managed elsewhere."
  value       = azurerm_user_assigned_identity.finalizer.principal_id
}

output "restore_principal_ids" {
  description = "Who may read everything, and write what came of drills into staging."
  value       = local.restore
}

output "operator_principal_ids" {
  description = "Who may read everything and keep backups."
  value       = local.operator
}

output "vault_assignments" {
  description = "What is assigned in the vault: data actions and conditions, by whom they are for. null when the vault is managed elsewhere."
  value       = one(module.vault[*].assignments)
}

output "staging_assignments" {
  description = "What is assigned in staging, likewise."
  value       = { for who, a in local.staging_assignments : who => { data_actions = local.staging_roles[a.role], condition = a.condition } }
}

output "account_ids" {
  description = "The storage accounts, for private endpoints."
  value       = merge({ staging = azurerm_storage_account.staging.id, function = azurerm_storage_account.function.id }, { for v in module.vault : "vault" => v.account_id })
}

output "function_app" {
  description = "The function app's name."
  value       = azurerm_function_app_flex_consumption.finalizer.name
}
