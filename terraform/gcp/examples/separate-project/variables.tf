variable "project_id" {
  description = "The project of the databases: function, staging and identities."
  type        = string
}

variable "vault_project_id" {
  description = "The vault's project."
  type        = string
}

variable "vault_administrator" {
  description = "The service account that administers the vault's project."
  type        = string
}

variable "function_zip" {
  description = "dist/gcp-source.zip of make package."
  type        = string
}

variable "alarm_email" {
  description = "Who is told of alarms."
  type        = string
}
