variable "vault_name" {
  description = "Name of the vault, the bucket that keeps what it is given."
  type        = string
  nullable    = false
}

variable "create_vault" {
  description = "Whether to create the vault. false: it is there already and nothing in it is owned here; the output vault_policy is to be merged into its policy by its owner."
  type        = bool
  default     = true
  nullable    = false
}

variable "staging_name" {
  description = "Name of the staging bucket, which has no lock."
  type        = string
  nullable    = false

  validation {
    condition     = var.staging_name != var.vault_name
    error_message = "staging_name: staging must be another bucket than the vault, because a default lock holds for all of a bucket."
  }
}

variable "staging_force_destroy" {
  description = "Whether staging may be destroyed with what is in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "prefix" {
  description = "Path below which pgseal works in both buckets, without slashes at its ends; empty for none."
  type        = string
  default     = "barman"
  nullable    = false
}

variable "partition" {
  description = "Partition of the ARNs: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
  nullable    = false
}

variable "lock_mode" {
  description = "Mode of the vault's default retention: COMPLIANCE, which nobody can take back, or GOVERNANCE."
  type        = string
  default     = "COMPLIANCE"
  nullable    = false
}

variable "lock_days" {
  description = "Days of the vault's default retention."
  type        = number
  nullable    = false
}

variable "retention_days" {
  description = "Least and most days for which anybody may lock an object by a request of its own."
  type        = object({ min = number, max = number })
  nullable    = false
}

variable "noncurrent_version_days" {
  description = "Days after which versions that are not current are removed, if their lock has ended."
  type        = number
  default     = 1
  nullable    = false
}

variable "abort_incomplete_uploads_days" {
  description = "Days after which incomplete multipart uploads are ended."
  type        = number
  default     = 7
  nullable    = false
}

variable "staging_expire_days" {
  description = "Days after which objects in staging are deleted."
  type        = number
  default     = 30
  nullable    = false
}

variable "allowed_storage_classes" {
  description = "Storage classes that may be asked for in the vault."
  type        = list(string)
  default     = ["STANDARD"]
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts both buckets; null for S3's own keys (AES256)."
  type        = string
  default     = null
}

variable "finalizer_role_arn" {
  description = "ARN of the finalizer's role, the only one that may write backup.info and verdicts."
  type        = string
  nullable    = false
}

variable "operator_role_arn" {
  description = "ARN of the role that keeps backups (barman-cloud-backup-keep); null for none."
  type        = string
  default     = null
}

variable "restore_role_arn" {
  description = "ARN of the role that restores, and alone writes what came of drills; null for none."
  type        = string
  default     = null
}

variable "expire_role_arn" {
  description = "ARN of the role that deletes versions whose lock has ended; null for none."
  type        = string
  default     = null
}

variable "breakglass_role_arn" {
  description = "ARN of the role that is excepted from the rules; null for none."
  type        = string
  default     = null
}

variable "administrator_arns" {
  description = "ARN patterns of those who may change the vault's configuration. With any, everybody else is refused all of it, the policy included."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "host_account_ids" {
  description = "Other accounts whose host roles the policies let in."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "host_role_pattern" {
  description = "Pattern of the names (with path) of the host roles in those accounts."
  type        = string
  default     = "pgseal-host-*"
  nullable    = false
}

variable "host_vpc_endpoint_ids" {
  description = "VPC endpoints through which alone hosts may come; empty: from anywhere."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "host_actions" {
  description = "Further actions on their own objects that hosts of other accounts are let in for, such as s3:PutObjectRetention."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "tags" {
  description = "Tags for the buckets."
  type        = map(string)
  default     = {}
  nullable    = false
}
