output "archive_command" {
  description = "For postgresql.conf on the server."
  value       = module.pgseal.archive_commands["main"]
}

output "backup_command" {
  description = "For a timer on the server, daily."
  value       = module.pgseal.backup_commands["main"]
}
