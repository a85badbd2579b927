variable "region" {
  description = "Region of everything."
  type        = string
  default     = "eu-central-1"
}

variable "company" {
  description = "Beginning of the buckets' names, which are unique in the world."
  type        = string
}

variable "artifacts_bucket" {
  description = "Bucket to which the release's aws-arm64.zip was copied."
  type        = string
}

variable "artifact_version" {
  description = "Version of that object."
  type        = string
}

variable "patroni_role_arn" {
  description = "Role of the machines that run the server orders."
  type        = string
}

variable "oidc_provider_arn" {
  description = "The EKS cluster's OIDC provider."
  type        = string
}

variable "dba_role_arn" {
  description = "Role of those who restore and keep backups."
  type        = string
}

variable "janitor_role_arn" {
  description = "Role of the job that deletes versions whose lock has ended."
  type        = string
}

variable "security_role_arn" {
  description = "Role of those who may break the glass."
  type        = string
}

variable "terraform_role_arn" {
  description = "Role that applies this."
  type        = string
}
