output "vault_policy" {
  description = "The vault's policy, as JSON."
  value       = local.vault_policy
}

output "staging_policy" {
  description = "The policy of staging, as JSON."
  value       = local.staging_policy
}

output "vault_name" {
  description = "Name of the vault, once it is there and locked."
  value       = var.vault_name

  depends_on = [aws_s3_bucket_policy.vault]
}

output "staging_name" {
  description = "Name of staging, once it is there."
  value       = aws_s3_bucket.staging.bucket
}
