output "vault_url" {
  description = "The vault as pgseal and barman-cloud write it."
  value       = local.vault_url
}

output "staging_url" {
  description = "Staging as pgseal writes it."
  value       = local.staging_url
}

output "backup_commands" {
  description = "For each server the line that takes a backup and waits for its seal."
  value       = { for server in keys(var.servers) : server => "pgseal backup --cloud-provider=aws-s3 --staging-url ${local.staging_url} --immediate-checkpoint --wait --gzip ${local.vault_url} ${server}" }
}

output "archive_commands" {
  description = "For each server the line for its postgresql.conf."
  value       = { for server in keys(var.servers) : server => "archive_command = 'pgseal wal-archive --cloud-provider=aws-s3 --gzip ${local.vault_url} ${server} %p'" }
}

output "vault_policy" {
  description = "The vault's policy as JSON. With create_vault = false: the statements that the bucket's owner merges into its policy."
  value       = module.buckets.vault_policy
}

output "kms_key_statements" {
  description = "Statements for the policy of a KMS key of your own (kms_key_arn); empty without one."
  value = var.kms_key_arn == null ? [] : [
    {
      Sid       = "PgsealEncrypts"
      Effect    = "Allow"
      Principal = { AWS = concat([local.role.finalizer], [for id in var.host_account_ids : "arn:${local.partition}:iam::${id}:root"], [for arn in try(values(module.hosts[0].role_arns), []) : arn]) }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
    },
  ]
}

output "policies" {
  description = "Every policy as JSON, by what it is for: to review, or to attach to roles of your own."
  value = merge(
    { for who in concat(["finalizer"], keys(local.people)) : who => jsonencode({ Version = "2012-10-17", Statement = local.policies[who] }) },
    { for hosts in module.hosts : "host" => hosts.policy },
    {
      vault       = module.buckets.vault_policy
      staging     = module.buckets.staging_policy
      queue       = local.queue_policy
      dead_letter = local.dead_letter_policy
    },
  )
}

output "role_arns" {
  description = "ARNs of the roles here: finalizer, and of restore, operator, expire and breakglass those that are made."
  value       = merge({ finalizer = aws_iam_role.finalizer.arn }, { for who, role in aws_iam_role.person : who => role.arn })
}

output "host_role_arns" {
  description = "ARN of each server's host role; empty with host_account_ids."
  value       = try(module.hosts[0].role_arns, {})
}

output "host_policy_arn" {
  description = "ARN of the hosts' policy, for roles of your own, which carry the tag pgseal-server; null with host_account_ids."
  value       = try(module.hosts[0].policy_arn, null)
}

output "instance_profiles" {
  description = "Name of the instance profile of each server whose host is an EC2 instance."
  value       = try(module.hosts[0].instance_profiles, {})
}

output "function_name" {
  description = "Name of the function, for its log and for invoking it by hand."
  value       = aws_lambda_function.finalizer.function_name
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dead_letter.id
}

output "alarm_topic_arns" {
  description = "The SNS topics that alarms go to."
  value       = local.topics
}

output "dashboard" {
  description = "Name of the dashboard in CloudWatch."
  value       = aws_cloudwatch_dashboard.pgseal.dashboard_name
}
