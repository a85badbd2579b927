variable "name" {
  description = "Begins the names of everything that is made."
  type        = string
  default     = "pgseal"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name: 3 to 20 lower-case letters, digits and '-', beginning with a letter and not ending with '-'."
  }
}

variable "resource_group_name" {
  description = "The resource group of everything here."
  type        = string
  nullable    = false
}

variable "create_resource_group" {
  description = "Whether to make the resource group."
  type        = bool
  default     = false
  nullable    = false
}

variable "location" {
  description = "The region of everything here."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+[0-9]?$", var.location))
    error_message = "location: a region's short name, such as westeurope."
  }
}

variable "prefix" {
  description = "The path in the container below which pgseal works, without slashes at its ends; empty is the whole container."
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

variable "network" {
  description = "Who reaches the storage accounts: public_access false closes everything but private endpoints; default_action Deny lets the named addresses and subnets in."
  type = object({
    public_access  = optional(bool, true)
    default_action = optional(string, "Allow")
    ip_ranges      = optional(list(string), [])
    subnet_ids     = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["Allow", "Deny"], var.network.default_action)
    error_message = "network: default_action is Allow or Deny."
  }
}

variable "tags" {
  description = "Tags of everything that takes some."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "servers" {
  description = "The PostgreSQL servers by their names in the vault. Each gets an identity of its own, or names the one that it has (principal_id)."
  type = map(object({
    principal_id = optional(string)
  }))
  nullable = false

  validation {
    condition     = alltrue([for server, _ in var.servers : can(regex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$", server)) && server != "_pgseal"])
    error_message = "servers: names are up to 100 letters, digits, '.', '-' and '_', with no leading dot, and not _pgseal."
  }

  validation {
    condition     = alltrue([for s in var.servers : s.principal_id == null ? true : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", s.principal_id))])
    error_message = "servers: a principal_id is a UUID."
  }

  validation {
    condition     = length(distinct([for server, _ in var.servers : replace(server, ".", "_")])) == length(var.servers)
    error_message = "servers: two names differ only in '.' and '_', which identities' names do not tell apart; give one of them a principal_id and another name."
  }

  validation {
    condition     = length(var.servers) <= 1000
    error_message = "servers: each takes two of the 4,000 role assignments that a subscription has; use another subscription for more than 1,000."
  }
}

variable "hosts_may_tag" {
  description = "Lets hosts tag what they create (pgseal backup --tag); they can then tag anew what stands below their server."
  type        = bool
  default     = false
  nullable    = false
}

variable "restore_principal_ids" {
  description = "Who may read everything, and write what came of drills into staging, besides the identity for it: principal ids by names of your choice."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "operator_principal_ids" {
  description = "Who may read everything, besides the identity for it and keep backups (barman-cloud-backup-keep)."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "expire_principal_ids" {
  description = "Who may delete what the policy has released. Nobody, unless named."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "break_glass_principal_ids" {
  description = "Who administers the account in an emergency. Nobody, unless named."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "vault_account" {
  description = "The vault's storage account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]{3,24}$", var.vault_account))
    error_message = "vault_account: 3 to 24 lower-case letters and digits."
  }
}

variable "vault_managed_elsewhere" {
  description = "true leaves the vault to a call of ./vault in another configuration or with another provider (examples/separate-subscription)."
  type        = bool
  default     = false
  nullable    = false
}

variable "create_vault" {
  description = "false adopts an account and a container that exist (vault_account_id): only roles and their assignments are made there."
  type        = bool
  default     = true
  nullable    = false
}

variable "vault_account_id" {
  description = "The id of the account that is adopted."
  type        = string
  default     = null
}

variable "vault_container" {
  description = "The vault's container."
  type        = string
  default     = "vault"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9]|-[a-z0-9]){2,62}$", var.vault_container))
    error_message = "vault_container: 3 to 63 lower-case letters, digits and single '-'."
  }
}

variable "vault_replication_type" {
  description = "How Azure replicates the vault: LRS, ZRS, GRS, RAGRS, GZRS or RAGZRS."
  type        = string
  default     = "ZRS"
  nullable    = false

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS"], var.vault_replication_type)
    error_message = "vault_replication_type: LRS, ZRS, GRS, RAGRS, GZRS or RAGZRS."
  }
}

variable "vault_access_tier" {
  description = "The tier of new blobs in the vault: Hot, Cool or Cold. All can be read at once; the cheaper ones cost for reading and for early deletion."
  type        = string
  default     = "Hot"
  nullable    = false

  validation {
    condition     = contains(["Hot", "Cool", "Cold"], var.vault_access_tier)
    error_message = "vault_access_tier: Hot, Cool or Cold."
  }
}

variable "vault_customer_key" {
  description = "A key for the vault, of one's own in Key Vault, and the identity that may use it; null is Microsoft's. Whoever can destroy the key can destroy the backups."
  type = object({
    key_vault_key_id = string
    identity_id      = string
  })
  default = null
}

variable "lock_days" {
  description = "How many days every blob is kept, from its creation on."
  type        = number
  nullable    = false

  validation {
    condition     = var.lock_days >= 1 && var.lock_days <= 146000 && floor(var.lock_days) == var.lock_days
    error_message = "lock_days: 1 to 146000 whole days (400 years, the most that Azure takes)."
  }

  validation {
    condition     = var.lock_days >= var.recovery_window_days + var.longest_gap_days + var.backup_duration_days
    error_message = "lock_days: to reach a point recovery_window_days back, there must be a base older than that: lock for recovery_window_days + longest_gap_days + backup_duration_days."
  }
}

variable "lock_permanently" {
  description = "Locks the immutability policy itself: it can then never be removed or shortened, by nobody, only be extended five times, and neither container nor account can be deleted before the last blob is old enough. Off, so that a first try can be undone; without it whoever administers the account can lift the policy."
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

variable "staging_account" {
  description = "The storage account for what is in progress, and for the verdicts."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]{3,24}$", var.staging_account))
    error_message = "staging_account: 3 to 24 lower-case letters and digits."
  }

  validation {
    condition     = var.staging_account != var.vault_account && var.staging_account != var.function_account && var.function_account != var.vault_account
    error_message = "staging_account: vault, staging and the function have an account each: who may write in one must not be able to in another, and staging's events must not come from the vault."
  }
}

variable "staging_container" {
  description = "Staging's container."
  type        = string
  default     = "staging"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9]|-[a-z0-9]){2,62}$", var.staging_container))
    error_message = "staging_container: 3 to 63 lower-case letters, digits and single '-'."
  }
}

variable "staging_replication_type" {
  description = "How Azure replicates the accounts of staging and of the function: LRS, ZRS, GRS, RAGRS, GZRS or RAGZRS."
  type        = string
  default     = "ZRS"
  nullable    = false

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS"], var.staging_replication_type)
    error_message = "staging_replication_type: LRS, ZRS, GRS, RAGRS, GZRS or RAGZRS."
  }
}

variable "staging_expire_days" {
  description = "After how many days whatever is in staging is deleted."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.staging_expire_days >= 1 && var.staging_expire_days <= 99999 && floor(var.staging_expire_days) == var.staging_expire_days && var.staging_expire_days * 24 > var.wal_deadline_hours + var.sweep_interval_minutes / 60
    error_message = "staging_expire_days: Whole days, longer than wal_deadline_hours and one sweep: the record of a backup must outlive its last verdict."
  }
}

variable "function_account" {
  description = "The function's own storage account: its package, its queue and what could not be delivered."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]{3,24}$", var.function_account))
    error_message = "function_account: 3 to 24 lower-case letters and digits."
  }
}

variable "function_app_name" {
  description = "The function app's name, which is one of all Azure's; name and function_account joined when not given."
  type        = string
  default     = null

  validation {
    condition     = var.function_app_name == null ? true : can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]$", var.function_app_name))
    error_message = "function_app_name: 2 to 32 letters, digits and '-': longer ones collide."
  }
}

variable "function_package" {
  description = "The function's package as make package makes it: path is dist/azure.zip. null deploys none, for those who do it otherwise."
  type = object({
    path = optional(string)
  })
  default  = {}
  nullable = false
}

variable "function_memory_mb" {
  description = "The memory of an instance, with its share of processors. 512 is enough for vaults with a million WAL segments."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = contains([512, 2048, 4096], var.function_memory_mb)
    error_message = "function_memory_mb: 512, 2048 or 4096."
  }
}

variable "function_max_instances" {
  description = "How many instances Azure may start; a limit on cost, too."
  type        = number
  default     = 40
  nullable    = false

  validation {
    condition     = var.function_max_instances >= 1 && var.function_max_instances <= 1000
    error_message = "function_max_instances: 1 to 1000."
  }
}

variable "function_subnet_id" {
  description = "A subnet delegated to Microsoft.App/environments, through which the function reaches the accounts; for private endpoints."
  type        = string
  default     = null
}

variable "function_environment" {
  description = "More settings of the finalizer, by name (docs/operations.md, \"Settings of the finalizer\")."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.function_environment), ["PGSEAL_VAULT_URL", "PGSEAL_STAGING_URL", "PGSEAL_WAL_DEADLINE", "PGSEAL_MIN_RETENTION", "PGSEAL_AZURE_RETENTION", "PGSEAL_QUEUE_NAME", "PGSEAL_SWEEP_SCHEDULE"])) == 0
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
    condition     = length(var.alarm_emails) + length(var.action_group_ids) > 0
    error_message = "alarm_emails: Somebody has to be told: give alarm_emails or action_group_ids."
  }
}

variable "action_group_ids" {
  description = "Action groups of Azure Monitor that exist."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.action_group_ids : can(regex("(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Insights/actionGroups/[^/]+$", id))])
    error_message = "action_group_ids: these are no ids of action groups."
  }
}

variable "max_backup_age_hours" {
  description = "After how many hours without a sealed backup of a server there is an alarm: 26 for daily backups. A new server is in alarm until its first seal."
  type        = number
  default     = 26
  nullable    = false

  validation {
    condition     = var.max_backup_age_hours >= 1 && var.max_backup_age_hours <= 48 && floor(var.max_backup_age_hours) == var.max_backup_age_hours
    error_message = "max_backup_age_hours: 1 to 48 whole hours: a rule looks back two days at most."
  }
}

variable "log_retention_days" {
  description = "How long the log is kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.log_retention_days >= 30 && var.log_retention_days <= 730 && floor(var.log_retention_days) == var.log_retention_days
    error_message = "log_retention_days: 30 to 730 whole days."
  }
}
