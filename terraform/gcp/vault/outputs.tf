output "bucket" {
  description = "The vault's bucket."
  value       = var.create_bucket ? google_storage_bucket.vault[0].name : var.bucket
}

output "policy" {
  description = "The bucket's IAM policy as JSON. It is applied to a bucket that this module makes; merge it into the policy of one that it adopts."
  value       = jsonencode(local.policy)
}

output "roles" {
  description = "The permissions of each custom role that the policy names."
  value       = { for what, permissions in local.permissions : local.role[what] => permissions }
}
