output "role_arns" {
  description = "ARN of each server's host role."
  value       = { for server, role in aws_iam_role.host : server => role.arn }
}

output "instance_profiles" {
  description = "Name of the instance profile of each server whose host is an EC2 instance."
  value       = { for server, profile in aws_iam_instance_profile.host : server => profile.name }
}

output "policy_arn" {
  description = "ARN of the hosts' policy, to attach to roles of your own; such a role carries the tag pgseal-server."
  value       = aws_iam_policy.host.arn
}

output "policy" {
  description = "The hosts' policy, as JSON."
  value       = local.policy
}

output "trust" {
  description = "Each role's trust policy, as JSON."
  value       = { for server, role in aws_iam_role.host : server => role.assume_role_policy }
}
