variable "name" {
  description = "Beginning of all names here; the same as that of the main module."
  type        = string
  default     = "pgseal"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "name: up to 20 lower case letters, digits and hyphens, a letter first."
  }
}

variable "servers" {
  description = "The servers, as barman-cloud names them, and who is their host. An EC2 instance by default (with an instance profile); other roles or users by trusted_arns; or a whole assume_role_policy, for instance for EKS. It must not allow sts:TagSession: the server is the role's tag."
  type = map(object({
    role_name          = optional(string)
    trusted_arns       = optional(list(string), [])
    assume_role_policy = optional(string)
  }))
  nullable = false

  validation {
    condition     = alltrue([for server in keys(var.servers) : can(regex("^[A-Za-z0-9_-][A-Za-z0-9._-]*$", server)) && server != "_pgseal"])
    error_message = "servers: a name has letters, digits, dots, hyphens and underscores, begins with no dot, and is not _pgseal."
  }

  validation {
    condition     = alltrue([for host in values(var.servers) : host.assume_role_policy == null || !can(regex("sts:TagSession|sts:\\*|\"\\*\"", host.assume_role_policy))])
    error_message = "servers: an assume_role_policy must not allow sts:TagSession or everything, or a host could name another server in its session's tags."
  }

  validation {
    condition     = alltrue([for host in values(var.servers) : alltrue([for arn in host.trusted_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[a-z-]+/[^*]+$", arn))])])
    error_message = "servers: trusted_arns are whole ARNs of roles or users, without wildcards and not a whole account."
  }
}

variable "vault_name" {
  description = "Name of the vault."
  type        = string
  nullable    = false
}

variable "staging_name" {
  description = "Name of the staging bucket."
  type        = string
  nullable    = false
}

variable "prefix" {
  description = "Path below which pgseal works in both buckets, without slashes at its ends; empty for none."
  type        = string
  default     = "barman"
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts both buckets; null for S3's own keys."
  type        = string
  default     = null
}

variable "may_set_retention" {
  description = "Whether hosts may lock objects themselves (pgseal backup --retention). The right also extends the locks of their objects that are there, within the limits of the vault's policy."
  type        = bool
  default     = false
  nullable    = false
}

variable "may_tag" {
  description = "Whether hosts may tag what they create (pgseal backup --tag)."
  type        = bool
  default     = false
  nullable    = false
}

variable "partition" {
  description = "Partition of the ARNs: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"
  nullable    = false
}

variable "permissions_boundary" {
  description = "ARN of a permissions boundary for the roles."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for everything here."
  type        = map(string)
  default     = {}
  nullable    = false
}
