variable "subscription_id" {
  description = "The subscription for everything."
  type        = string
}

variable "account_prefix" {
  description = "Begins the names of the storage accounts, which are unique in all Azure."
  type        = string
}

variable "function_zip" {
  description = "dist/azure.zip of make package."
  type        = string
}

variable "alarm_email" {
  description = "Who is told of alarms."
  type        = string
}

variable "dba_group_id" {
  description = "The object id of the group of those who restore and keep backups."
  type        = string
}

variable "customer_key" {
  description = "A key in Key Vault, and the identity that may use it."
  type = object({
    key_vault_key_id = string
    identity_id      = string
  })
}
