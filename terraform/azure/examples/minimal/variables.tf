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
