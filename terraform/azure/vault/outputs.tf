output "account_id" {
  description = "The vault's storage account."
  value       = local.account
}

output "url" {
  description = "The vault as pgseal writes it."
  value       = trimsuffix("https://${var.account_name}.blob.core.windows.net/${var.container}/${var.prefix}", "/")
}

output "assignments" {
  description = "What is assigned on the container: by whom it is for, the role's data actions and the condition."
  value       = { for who, a in local.assignments : who => { data_actions = local.roles[a.role], condition = a.condition } }
}
