variable "name" {
  description = "Begins the names of everything that is made."
  type        = string
  default     = "pgseal"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,10}[a-z0-9]$", var.name))
    error_message = "name: The name must be 3 to 12 lower-case letters, digits and '-', begin with a letter and not end with '-'."
  }
}

variable "project_id" {
  description = "The project of the function, staging and the identities."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id: This is no project id (6 to 30 lower-case letters, digits and '-')."
  }
}

variable "region" {
  description = "The region of the function, its queue and the schedule, near the buckets."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region: Give a region such as europe-west1."
  }
}

variable "location" {
  description = "Where staging is, and the vault unless vault_location says otherwise: a region, a dual-region or a multi-region."
  type        = string
  nullable    = false
}

variable "prefix" {
  description = "The path in both buckets below which pgseal works, without slashes at its ends; empty is the whole bucket."
  type        = string
  default     = "barman"
  nullable    = false

  validation {
    condition     = var.prefix == "" || can(regex("^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", var.prefix))
    error_message = "prefix: letters, digits, '.', '-', '_' and single slashes between them."
  }

  validation {
    condition     = !can(regex("(^|/)(_pgseal|[.]+)(/|$)", var.prefix))
    error_message = "prefix: _pgseal, . and .. cannot be a part of it."
  }
}

variable "labels" {
  description = "Labels of everything that takes some."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "servers" {
  description = "The PostgreSQL servers by their names in the vault. Each gets a service account of its own, or names the identity that it has (member): serviceAccount:..., or principal://... of a workload identity pool. A project has 100 service accounts unless its quota is raised; a vault takes 400 servers."
  type = map(object({
    member = optional(string)
  }))
  nullable = false

  validation {
    condition     = alltrue([for server, _ in var.servers : can(regex("^[A-Za-z0-9_-][A-Za-z0-9._-]*$", server)) && server != "_pgseal"])
    error_message = "servers: Server names are letters, digits, '.', '-' and '_', with no leading dot, and not _pgseal."
  }

  validation {
    condition     = alltrue([for s in var.servers : s.member == null ? true : can(regex("^(serviceAccount:|principal://|principalSet://)", s.member))])
    error_message = "servers: A member is a serviceAccount:, principal:// or principalSet://."
  }

  validation {
    condition     = length(var.servers) <= 400
    error_message = "servers: More than 400 servers do not fit into one bucket's policy (1,500 principals in all bindings): use another vault."
  }
}

variable "hosts_may_set_retention" {
  description = "Lets hosts choose a lock of their own for what they create (pgseal backup --retention), on top of lock_days, and the finalizer the same for the seal. IAM knows no limit of days: a hostile host can lock what it creates, and what stands below its server, for a hundred years at your cost. The vault's bucket has to be made with it."
  type        = bool
  default     = false
  nullable    = false
}

variable "finalizer_may_extend_retention" {
  description = "Lets the finalizer extend the locks of what it seals (PGSEAL_SEAL_RETENTION in function_environment); it can shorten none. IAM knows no limit of days. The vault's bucket has to be made with it."
  type        = bool
  default     = false
  nullable    = false
}

variable "restore_members" {
  description = "Who may read everything, and write what came of drills into staging, besides the service account for it: user:..., group:..., serviceAccount:..."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "operator_members" {
  description = "Who may read everything and keep backups, besides the service account for it."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "expire_members" {
  description = "Who may delete what the retention has released. Nobody, unless named."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "break_glass_members" {
  description = "Who administers the vault's bucket in an emergency (roles/storage.admin). Nobody, unless named."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "vault_bucket" {
  description = "The vault's bucket."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.vault_bucket)) && !startswith(var.vault_bucket, "goog")
    error_message = "vault_bucket: This is no name for a bucket (3 to 63 lower-case letters, digits, '-', '_' and '.', not beginning with goog)."
  }
}

variable "vault_project_id" {
  description = "The vault's project, when it is another one: best one of its own, whose administrators are not those of the databases."
  type        = string
  default     = null
}

variable "vault_managed_elsewhere" {
  description = "true leaves the vault to a call of ./vault in another configuration or with another provider (examples/separate-project)."
  type        = bool
  default     = false
  nullable    = false
}

variable "create_vault" {
  description = "false adopts a bucket that exists: nothing is changed there, and the output vault_policy says what to merge into its own."
  type        = bool
  default     = true
  nullable    = false
}

variable "vault_location" {
  description = "Where the vault is, when not at location."
  type        = string
  default     = null
}

variable "vault_storage_class" {
  description = "The storage class of new objects in the vault: STANDARD, NEARLINE, COLDLINE or ARCHIVE. All can be read at once; the cheaper ones cost for reading and for early deletion."
  type        = string
  default     = "STANDARD"
  nullable    = false
}

variable "vault_kms_key" {
  description = "A Cloud KMS key for the vault, projects/P/locations/L/keyRings/R/cryptoKeys/K; null is Google's own encryption. Whoever can destroy the key can destroy the backups."
  type        = string
  default     = null
}

variable "lock_days" {
  description = "How many days every object in the vault is kept, from its creation on."
  type        = number
  nullable    = false

  validation {
    condition     = var.lock_days >= 1 && var.lock_days <= 36525 && floor(var.lock_days) == var.lock_days
    error_message = "lock_days: The lock must be 1 to 36525 whole days (100 years, the most that Cloud Storage takes)."
  }

  validation {
    condition     = var.lock_days >= var.recovery_window_days + var.longest_gap_days + var.backup_duration_days
    error_message = "lock_days: To reach a point recovery_window_days back, there must be a base older than that: lock for recovery_window_days + longest_gap_days + the duration of a backup."
  }
}

variable "lock_permanently" {
  description = "Locks the retention policy itself: it can then never be removed or shortened, by nobody, and neither bucket nor project can be deleted before the last object is old enough. Off, so that a first try can be undone; without it whoever administers the bucket can lift the retention."
  type        = bool
  default     = false
  nullable    = false
}

variable "recovery_window_days" {
  description = "How many days back a restore must be able to reach."
  type        = number
  nullable    = false

  validation {
    condition     = var.recovery_window_days >= 1
    error_message = "recovery_window_days: Give at least one day."
  }
}

variable "longest_gap_days" {
  description = "The longest time between two sealed backups of a server: 2 for daily backups, of which one may fail."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.longest_gap_days > 0
    error_message = "longest_gap_days: Give more than 0 days."
  }
}

variable "backup_duration_days" {
  description = "How long a backup takes at most, with the wait for its seal, in days."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.backup_duration_days > 0
    error_message = "backup_duration_days: Give more than 0 days."
  }
}

variable "staging_bucket" {
  description = "The bucket for what is in progress, and for the verdicts."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.staging_bucket)) && !startswith(var.staging_bucket, "goog")
    error_message = "staging_bucket: This is no name for a bucket (3 to 63 lower-case letters, digits, '-', '_' and '.', not beginning with goog)."
  }

  validation {
    condition     = var.staging_bucket != var.vault_bucket
    error_message = "staging_bucket: Staging must be another bucket than the vault: a retention would hold what has to be written anew, and its events would come from the vault."
  }
}

variable "staging_expire_days" {
  description = "After how many days whatever is in staging is deleted."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.staging_expire_days >= 1 && floor(var.staging_expire_days) == var.staging_expire_days && var.staging_expire_days * 24 > var.wal_deadline_hours + var.sweep_interval_minutes / 60
    error_message = "staging_expire_days: Whole days, longer than wal_deadline_hours and one sweep: the record of a backup must outlive its last verdict."
  }
}

variable "staging_force_destroy" {
  description = "Lets terraform destroy delete staging with what is in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "staging_kms_key" {
  description = "A Cloud KMS key for staging, as vault_kms_key."
  type        = string
  default     = null

  validation {
    condition     = var.staging_kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.staging_kms_key))
    error_message = "staging_kms_key: The key must be written projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }
}

variable "abort_incomplete_uploads_days" {
  description = "After how many days an unfinished multipart upload is dropped; longer than any backup takes."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.abort_incomplete_uploads_days > var.backup_duration_days && floor(var.abort_incomplete_uploads_days) == var.abort_incomplete_uploads_days
    error_message = "abort_incomplete_uploads_days: Whole days, longer than backup_duration_days."
  }
}

variable "function_package" {
  description = "The function's source as make package makes it: a path (dist/gcp-source.zip), or where it is in Cloud Storage already, readable by the project."
  type = object({
    path       = optional(string)
    bucket     = optional(string)
    object     = optional(string)
    generation = optional(number)
  })
  nullable = false

  validation {
    condition     = (var.function_package.path != null) != (var.function_package.bucket != null && var.function_package.object != null)
    error_message = "function_package: Give either path, or bucket and object."
  }
}

variable "source_bucket" {
  description = "The bucket that is made for a package given by its path; its name is that of staging with -source when not given."
  type        = string
  default     = null
}

variable "function_memory_mb" {
  description = "The function's memory. 512 is enough for vaults with a million WAL segments."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.function_memory_mb)
    error_message = "function_memory_mb: 256, 512, 1024, 2048 or 4096."
  }
}

variable "function_cpu" {
  description = "The function's share of processors, as a string: 0.333 goes with 512 MiB."
  type        = string
  default     = "0.333"
  nullable    = false

  validation {
    condition     = can(regex("^(0\\.[0-9]+|1|2)$", var.function_cpu))
    error_message = "function_cpu: A share such as 0.333, or 1 or 2."
  }
}

variable "function_timeout_seconds" {
  description = "How long one call may take; 600 is what Pub/Sub waits."
  type        = number
  default     = 540
  nullable    = false

  validation {
    condition     = var.function_timeout_seconds >= 60 && var.function_timeout_seconds <= 590
    error_message = "function_timeout_seconds: 60 to 590 seconds: Pub/Sub delivers again what was not answered in 600."
  }
}

variable "function_max_instances" {
  description = "How many backups are judged at a time; a limit on cost, too."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.function_max_instances >= 1 && var.function_max_instances <= 100
    error_message = "function_max_instances: 1 to 100."
  }
}

variable "function_environment" {
  description = "More settings of the finalizer, by name (docs/operations.md, \"Settings of the finalizer\")."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.function_environment), ["PGSEAL_VAULT_URL", "PGSEAL_STAGING_URL", "PGSEAL_WAL_DEADLINE", "PGSEAL_MIN_RETENTION", "PGSEAL_DEADLINE"])) == 0
    error_message = "function_environment: URLs, deadlines and the retention have variables of their own, which others are held against."
  }
}

variable "wal_check" {
  description = "Whether a seal needs the backup's WAL: require or off, and exceptions: require,reporting=off."
  type        = string
  default     = "require"
  nullable    = false

  validation {
    condition     = can(regex("^(require|off)(,[A-Za-z0-9._-]+=(require|off))*$", var.wal_check))
    error_message = "wal_check: require or off, and then server=require or server=off after commas."
  }
}

variable "wal_deadline_hours" {
  description = "How long a backup may wait for its WAL before it is rejected."
  type        = number
  default     = 72
  nullable    = false

  validation {
    condition     = var.wal_deadline_hours >= 1 && floor(var.wal_deadline_hours) == var.wal_deadline_hours
    error_message = "wal_deadline_hours: Give at least one whole hour."
  }
}

variable "min_retention_days" {
  description = "How long every object must stay locked for a backup to be sealed; lock_days when not given."
  type        = number
  default     = null

  validation {
    condition     = var.min_retention_days == null ? true : var.min_retention_days >= 0 && var.min_retention_days <= var.lock_days
    error_message = "min_retention_days: Not more than lock_days: no backup would be sealed."
  }
}

variable "sweep_interval_minutes" {
  description = "How often the sweep runs."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = contains([5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720], var.sweep_interval_minutes)
    error_message = "sweep_interval_minutes: 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480 or 720: what a schedule can repeat evenly."
  }
}

variable "max_delivery_attempts" {
  description = "How often an event is delivered before the dead-letter topic takes it; with the backoff of up to ten minutes, 30 take four hours."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.max_delivery_attempts >= 5 && var.max_delivery_attempts <= 100
    error_message = "max_delivery_attempts: 5 to 100."
  }
}

variable "alarm_emails" {
  description = "Who is told of alarms, by mail."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for a in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", a))])
    error_message = "alarm_emails: These are no mail addresses."
  }

  validation {
    condition     = length(var.alarm_emails) + length(var.notification_channels) > 0
    error_message = "alarm_emails: Somebody has to be told: give alarm_emails or notification_channels."
  }
}

variable "notification_channels" {
  description = "Channels of Cloud Monitoring that exist: projects/P/notificationChannels/N."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for c in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", c))])
    error_message = "notification_channels: A channel is written projects/P/notificationChannels/N."
  }
}

variable "max_backup_age_hours" {
  description = "After how many hours without a sealed backup of a server there is an alarm: 26 for daily backups. A new server is in alarm until its first seal."
  type        = number
  default     = 26
  nullable    = false

  validation {
    condition     = var.max_backup_age_hours >= 1 && var.max_backup_age_hours <= 720 && floor(var.max_backup_age_hours) == var.max_backup_age_hours
    error_message = "max_backup_age_hours: 1 to 720 whole hours."
  }
}

variable "log_retention_days" {
  description = "How long the function's log is kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.log_retention_days >= 1 && var.log_retention_days <= 3650 && floor(var.log_retention_days) == var.log_retention_days
    error_message = "log_retention_days: 1 to 3650 whole days."
  }
}
