variable "name" {
  description = "Beginning of all names here: of roles, queues, the function, alarms. One per account and region."
  type        = string
  default     = "pgseal"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "name: up to 20 lower case letters, digits and hyphens, a letter first."
  }
}

variable "servers" {
  description = "The PostgreSQL servers by the name that barman-cloud has for them, and who is their host: an EC2 instance by default; the roles or users in trusted_arns; or whoever a whole assume_role_policy says (it must not allow sts:TagSession). max_backup_age_hours overrides the variable of that name. With host_account_ids the roles are made by the module hosts, and only the alarms here."
  type = map(object({
    role_name            = optional(string)
    trusted_arns         = optional(list(string), [])
    assume_role_policy   = optional(string)
    max_backup_age_hours = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for server in keys(var.servers) : can(regex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$", server)) && server != "_pgseal"])
    error_message = "servers: a name has up to 128 letters, digits, dots, hyphens and underscores, begins with no dot, and is not _pgseal."
  }

  validation {
    condition     = alltrue([for s in values(var.servers) : s.max_backup_age_hours == null || try(s.max_backup_age_hours >= 2 && s.max_backup_age_hours <= 168 && floor(s.max_backup_age_hours) == s.max_backup_age_hours, false)])
    error_message = "servers: max_backup_age_hours is a whole number from 2 to 168, the week that CloudWatch can look back."
  }
}

variable "prefix" {
  description = "Path below which pgseal works in both buckets, without slashes at its ends; empty for none."
  type        = string
  default     = "barman"
  nullable    = false

  validation {
    condition     = var.prefix == "" || can(regex("^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", var.prefix))
    error_message = "prefix: names of letters, digits, dots, hyphens and underscores with single slashes between them; nothing that a policy or an event filter would read as a pattern."
  }

  validation {
    condition     = !can(regex("(^|/)(_pgseal|[.]+)(/|$)", var.prefix))
    error_message = "prefix: _pgseal, . and .. cannot be a part of it."
  }
}

variable "kms_key_arn" {
  description = "ARN of a KMS key of your own for both buckets; null for S3's own keys. Its policy has to let the identities use it: see the output kms_key_statements."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn: the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID), not of an alias: the policies compare it."
  }
}

variable "permissions_boundary" {
  description = "ARN of a permissions boundary for all roles."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for everything that can have some."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !contains(keys(var.tags), "pgseal-server")
    error_message = "tags: pgseal-server says which server a host's role is for, and is set by the module."
  }
}

variable "vault_bucket" {
  description = "Name of the vault, the bucket that keeps what it is given."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.vault_bucket))
    error_message = "vault_bucket: 3 to 63 lower case letters, digits and hyphens (no dots: TLS)."
  }
}

variable "create_vault" {
  description = "Whether to create the vault. false adopts a bucket that is there: nothing of it is owned here, and the output vault_policy holds the statements that its owner merges into its policy."
  type        = bool
  default     = true
  nullable    = false
}

variable "staging_bucket" {
  description = "Name of staging, the bucket without a lock."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.staging_bucket))
    error_message = "staging_bucket: 3 to 63 lower case letters, digits and hyphens (no dots: TLS)."
  }

  validation {
    condition     = var.staging_bucket != var.vault_bucket
    error_message = "staging_bucket: staging must be another bucket than the vault, because a default lock holds for all of a bucket."
  }
}

variable "staging_force_destroy" {
  description = "Whether staging may be destroyed with what is in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "lock_mode" {
  description = "COMPLIANCE: nobody, not the root user either, deletes an object before its lock has ended. GOVERNANCE: whoever has s3:BypassGovernanceRetention can, which the vault's policy denies to all but the break-glass role."
  type        = string
  default     = "COMPLIANCE"
  nullable    = false

  validation {
    condition     = contains(["COMPLIANCE", "GOVERNANCE"], var.lock_mode)
    error_message = "lock_mode: COMPLIANCE or GOVERNANCE."
  }
}

variable "lock_days" {
  description = "Days for which every object in the vault is locked from its creation on. A recovery window of N days needs a base backup older than that: at least recovery_window_days + longest_gap_days + backup_duration_days. In COMPLIANCE mode it cannot be taken back; try with one day and a window of 0."
  type        = number
  nullable    = false

  validation {
    condition     = var.lock_days >= 1 && var.lock_days <= 36500 && floor(var.lock_days) == var.lock_days
    error_message = "lock_days: a whole number from 1 to 36500, as Amazon S3 takes."
  }

  validation {
    condition     = var.lock_days >= var.recovery_window_days + var.longest_gap_days + var.backup_duration_days
    error_message = "lock_days: at least recovery_window_days + longest_gap_days + backup_duration_days, or the first day of the window has no base backup."
  }
}

variable "recovery_window_days" {
  description = "How many days back a recovery must be possible."
  type        = number
  nullable    = false

  validation {
    condition     = var.recovery_window_days >= 0
    error_message = "recovery_window_days: not negative."
  }
}

variable "longest_gap_days" {
  description = "The longest time between two sealed backups that is to be expected, a failed one included."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.longest_gap_days >= 0
    error_message = "longest_gap_days: not negative."
  }
}

variable "backup_duration_days" {
  description = "How long a backup takes at most, in days."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.backup_duration_days >= 0
    error_message = "backup_duration_days: not negative."
  }
}

variable "request_retention_days" {
  description = "Least and most days for which a request may lock an object itself (pgseal backup --retention). By default lock_days, and twice that but 30 at least."
  type = object({
    min = optional(number)
    max = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = try(coalesce(var.request_retention_days.min, var.lock_days) <= coalesce(var.request_retention_days.max, max(2 * var.lock_days, 30)), false)
    error_message = "request_retention_days: min must not be above max."
  }

  validation {
    condition     = coalesce(var.request_retention_days.max, 1) <= 36500 && try(var.request_retention_days.min >= 0, true)
    error_message = "request_retention_days: from 0 to 36500 days."
  }
}

variable "allowed_storage_classes" {
  description = "Storage classes that may be asked for in the vault. Archives that must be thawed first are refused by the finalizer."
  type        = list(string)
  default     = ["STANDARD"]
  nullable    = false

  validation {
    condition     = length(var.allowed_storage_classes) > 0 && length(setsubtract(var.allowed_storage_classes, ["STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"])) == 0
    error_message = "allowed_storage_classes: of STANDARD, STANDARD_IA, INTELLIGENT_TIERING and GLACIER_IR."
  }
}

variable "staging_expire_days" {
  description = "Days after which objects in staging are deleted. Longer than a set may wait for WAL, and then for a sweep."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.staging_expire_days >= 1 && floor(var.staging_expire_days) == var.staging_expire_days
    error_message = "staging_expire_days: a whole number, 1 at least."
  }

  validation {
    condition     = 24 * 60 * var.staging_expire_days > 60 * var.wal_deadline_hours + var.sweep_interval_minutes
    error_message = "staging_expire_days: more than wal_deadline_hours and sweep_interval_minutes together, or a marker is gone before its backup is judged."
  }
}

variable "abort_incomplete_uploads_days" {
  description = "Days after which incomplete multipart uploads are ended; longer than a backup takes."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.abort_incomplete_uploads_days >= 1 && var.abort_incomplete_uploads_days > var.backup_duration_days && floor(var.abort_incomplete_uploads_days) == var.abort_incomplete_uploads_days
    error_message = "abort_incomplete_uploads_days: a whole number above backup_duration_days, or running uploads are ended."
  }
}

variable "noncurrent_version_days" {
  description = "Days after which versions in the vault that are not current are removed, if their lock has ended."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.noncurrent_version_days >= 1 && floor(var.noncurrent_version_days) == var.noncurrent_version_days
    error_message = "noncurrent_version_days: a whole number, 1 at least."
  }
}

variable "function_package" {
  description = "The function's zip: a path (make package writes dist/aws-arm64.zip), or where a release was copied to in Amazon S3, in the function's region."
  type = object({
    path              = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
  })
  nullable = false

  validation {
    condition     = (var.function_package.path != null) != (var.function_package.s3_bucket != null && var.function_package.s3_key != null)
    error_message = "function_package: either path, or s3_bucket and s3_key."
  }
}

variable "function_architecture" {
  description = "arm64 or x86_64, as the package is."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.function_architecture)
    error_message = "function_architecture: arm64 or x86_64."
  }
}

variable "function_memory_mb" {
  description = "Memory of the function in MB, which also decides its share of the processor."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.function_memory_mb >= 128 && var.function_memory_mb <= 10240 && floor(var.function_memory_mb) == var.function_memory_mb
    error_message = "function_memory_mb: a whole number from 128 to 10240."
  }
}

variable "function_timeout_seconds" {
  description = "Most seconds that one call may take."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.function_timeout_seconds >= 30 && var.function_timeout_seconds <= 900 && floor(var.function_timeout_seconds) == var.function_timeout_seconds
    error_message = "function_timeout_seconds: a whole number from 30 to 900."
  }
}

variable "function_concurrency" {
  description = "How many calls of the function may run at once (reserved of the account's); -1 reserves none, for accounts whose limit is small."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.function_concurrency == -1 || (var.function_concurrency >= 3 && var.function_concurrency <= 1000)
    error_message = "function_concurrency: -1, or from 3 (two for events, one for the sweep) to 1000."
  }
}

variable "function_environment" {
  description = "Further environment variables of the function; see the settings of the finalizer in docs/operations.md."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.function_environment), ["PGSEAL_VAULT_URL", "PGSEAL_STAGING_URL"])) == 0
    error_message = "function_environment: the two places are set by the module."
  }
}

variable "log_retention_days" {
  description = "Days for which the function's log is kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: one of those that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "max_receives" {
  description = "How often an event is tried before it goes to the dead-letter queue."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_receives >= 5 && var.max_receives <= 1000 && floor(var.max_receives) == var.max_receives
    error_message = "max_receives: a whole number from 5 (fewer, and throttling alone can exhaust them) to 1000."
  }
}

variable "wal_check" {
  description = "Whether backups are sealed only with their WAL: require or off, and exceptions after commas: require,reporting=off."
  type        = string
  default     = "require"
  nullable    = false

  validation {
    condition     = can(regex("^(require|off)(,[A-Za-z0-9_-][A-Za-z0-9._-]*=(require|off))*$", var.wal_check))
    error_message = "wal_check: require or off, then server=require or server=off after commas."
  }
}

variable "wal_deadline_hours" {
  description = "Hours that a complete set may wait for its WAL before it is rejected."
  type        = number
  default     = 72
  nullable    = false

  validation {
    condition     = var.wal_deadline_hours >= 1 && floor(var.wal_deadline_hours) == var.wal_deadline_hours
    error_message = "wal_deadline_hours: a whole number, 1 at least."
  }
}

variable "sweep_interval_minutes" {
  description = "Minutes between two sweeps."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.sweep_interval_minutes >= 5 && var.sweep_interval_minutes <= 1440 && floor(var.sweep_interval_minutes) == var.sweep_interval_minutes
    error_message = "sweep_interval_minutes: a whole number from 5 to 1440."
  }
}

variable "seal_retention_days" {
  description = "Days from its manifest's creation for which the finalizer locks all that a backup needs, just before it seals it (PGSEAL_SEAL_RETENTION); null: it may touch no lock."
  type        = number
  default     = null

  validation {
    condition     = try(var.seal_retention_days >= var.lock_days && var.seal_retention_days <= coalesce(var.request_retention_days.max, max(2 * var.lock_days, 30)) && floor(var.seal_retention_days) == var.seal_retention_days, var.seal_retention_days == null)
    error_message = "seal_retention_days: a whole number, not below lock_days and not above request_retention_days.max."
  }
}

variable "host_account_ids" {
  description = "Accounts of the database hosts, when they are not in the vault's account. Their roles are then made by the module hosts with that account's provider, and both buckets' policies let them in."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.host_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "host_account_ids: account numbers of 12 digits."
  }
}

variable "host_vpc_endpoint_ids" {
  description = "VPC endpoints of Amazon S3 through which alone hosts may come, so that a host's credentials are of no use elsewhere. Empty: from anywhere."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.host_vpc_endpoint_ids : can(regex("^vpce-[0-9a-f]+$", id))])
    error_message = "host_vpc_endpoint_ids: ids like vpce-0123456789abcdef0."
  }
}

variable "hosts_may_set_retention" {
  description = "Whether hosts may lock objects themselves (pgseal backup --retention). The right also extends the locks of their objects that are there, within request_retention_days."
  type        = bool
  default     = false
  nullable    = false
}

variable "hosts_may_tag" {
  description = "Whether hosts may tag what they create (pgseal backup --tag)."
  type        = bool
  default     = false
  nullable    = false
}

variable "restore_trusted_arns" {
  description = "ARNs of roles or users who may restore and hold drills: they read, and write what came of drills into staging. None: the role is not made."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.restore_trusted_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[^*]+$", arn))])
    error_message = "restore_trusted_arns: whole ARNs, without wildcards."
  }
}

variable "operator_trusted_arns" {
  description = "ARNs of roles or users who may restore and keep backups (barman-cloud-backup-keep). None: the role is not made, and nobody may."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.operator_trusted_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[^*]+$", arn))])
    error_message = "operator_trusted_arns: whole ARNs, without wildcards."
  }
}

variable "expire_trusted_arns" {
  description = "ARNs of roles or users who may delete object versions whose lock has ended. None: the role is not made, and nobody may."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.expire_trusted_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[^*]+$", arn))])
    error_message = "expire_trusted_arns: whole ARNs, without wildcards."
  }
}

variable "breakglass_trusted_arns" {
  description = "ARNs of roles or users who may break the glass: a role that is excepted from the vault's rules (a COMPLIANCE lock holds for it too). None: the role is not made, and the rules have no such exception."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.breakglass_trusted_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:[^*]+$", arn))])
    error_message = "breakglass_trusted_arns: whole ARNs, without wildcards."
  }
}

variable "administrator_arns" {
  description = "ARN patterns of those who may change the vault's configuration, the role that applies this module among them. With any, the vault's policy refuses everybody else every change of it, of the policy too. Without, it refuses everybody changes of lock, versioning and lifecycle: to change those, name the applying role here and apply, then change them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.administrator_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(root|(user|role)/.+)$", arn)) && !can(regex(":(user|role)/[*]$", arn))])
    error_message = "administrator_arns: patterns like arn:aws:iam::111122223333:role/terraform-*, not whole accounts."
  }
}

variable "alarm_topic_arns" {
  description = "ARNs of SNS topics that alarms go to; null makes one."
  type        = list(string)
  default     = null
}

variable "alarm_emails" {
  description = "Addresses that the topic made here sends to; each has to confirm once."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "max_backup_age_hours" {
  description = "Hours without a sealed backup of a server after which there is an alarm; 26 suits daily backups."
  type        = number
  default     = 26
  nullable    = false

  validation {
    condition     = var.max_backup_age_hours >= 2 && var.max_backup_age_hours <= 168 && floor(var.max_backup_age_hours) == var.max_backup_age_hours
    error_message = "max_backup_age_hours: a whole number from 2 to 168, the week that CloudWatch can look back."
  }
}

variable "max_event_age_minutes" {
  description = "Minutes that a marker may wait in the queue before there is an alarm."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.max_event_age_minutes >= 5 && var.max_event_age_minutes <= 4320
    error_message = "max_event_age_minutes: from 5 to 4320."
  }
}

variable "error_threshold" {
  description = "Errors within five minutes that are an alarm; a single one is tried again and usually passes."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.error_threshold >= 1
    error_message = "error_threshold: 1 at least."
  }
}
