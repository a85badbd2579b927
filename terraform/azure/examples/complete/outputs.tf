output "backup" {
  description = "The command that takes a backup."
  value       = module.pgseal.backup_commands["main"]
}

output "archive_command" {
  description = "The line for postgresql.conf."
  value       = module.pgseal.archive_commands["main"]
}
