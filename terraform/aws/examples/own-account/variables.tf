variable "region" {
  description = "Region of everything."
  type        = string
  default     = "eu-central-1"
}

variable "company" {
  description = "Beginning of the buckets' names, which are unique in the world."
  type        = string
}

variable "vault_account_role_arn" {
  description = "Role in the vault's account that applies this."
  type        = string
}

variable "servers" {
  description = "The servers, each on an EC2 instance in the account of the databases."
  type        = set(string)
  default     = ["main"]
}

variable "function_package" {
  description = "Path of the function's zip, as make package writes it."
  type        = string
  default     = "../../../../dist/aws-arm64.zip"
}
