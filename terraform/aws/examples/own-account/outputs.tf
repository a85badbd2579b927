output "archive_commands" {
  description = "For the servers' postgresql.conf."
  value       = module.vault.archive_commands
}

output "backup_commands" {
  description = "For timers on the servers."
  value       = module.vault.backup_commands
}

output "instance_profiles" {
  description = "For the servers' EC2 instances."
  value       = module.hosts.instance_profiles
}
