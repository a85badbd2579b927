output "archive_commands" {
  description = "For the servers' postgresql.conf."
  value       = module.pgseal.archive_commands
}

output "backup_commands" {
  description = "For timers on the servers."
  value       = module.pgseal.backup_commands
}

output "role_arns" {
  description = "The roles to become."
  value       = merge(module.pgseal.role_arns, module.pgseal.host_role_arns)
}
