variable "name" {
  description = "Begins the names of the roles."
  type        = string
  default     = "pgseal"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name: 3 to 20 lower-case letters, digits and '-', beginning with a letter and not ending with '-'."
  }
}

variable "resource_group_name" {
  description = "The resource group of the account that is made."
  type        = string
  default     = null
}

variable "location" {
  description = "The region of the account that is made."
  type        = string
  default     = null

  validation {
    condition     = !var.create_account || (var.location != null && var.resource_group_name != null)
    error_message = "location: an account that is made needs a location and a resource_group_name."
  }
}

variable "account_name" {
  description = "The vault's storage account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]{3,24}$", var.account_name))
    error_message = "account_name: 3 to 24 lower-case letters and digits."
  }
}

variable "create_account" {
  description = "false adopts an account and a container that exist (account_id): only the roles and their assignments are made."
  type        = bool
  default     = true
  nullable    = false
}

variable "account_id" {
  description = "The id of the account that is adopted."
  type        = string
  default     = null

  validation {
    condition     = var.create_account != can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Storage/storageAccounts/[a-z0-9]+$", var.account_id))
    error_message = "account_id: give the id of a storage account exactly when create_account is false."
  }
}

variable "container" {
  description = "The vault's container."
  type        = string
  default     = "vault"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9]|-[a-z0-9]){2,62}$", var.container))
    error_message = "container: 3 to 63 lower-case letters, digits and single '-'."
  }
}

variable "replication_type" {
  description = "How Azure replicates the account: LRS, ZRS, GRS, RAGRS, GZRS or RAGZRS."
  type        = string
  default     = "ZRS"
  nullable    = false

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS"], var.replication_type)
    error_message = "replication_type: LRS, ZRS, GRS, RAGRS, GZRS or RAGZRS."
  }
}

variable "access_tier" {
  description = "The tier of new blobs: Hot, Cool or Cold. All can be read at once; the cheaper ones cost for reading and for early deletion."
  type        = string
  default     = "Hot"
  nullable    = false

  validation {
    condition     = contains(["Hot", "Cool", "Cold"], var.access_tier)
    error_message = "access_tier: Hot, Cool or Cold."
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

variable "lock_days" {
  description = "How many days every blob is kept, from its creation on."
  type        = number
  nullable    = false

  validation {
    condition     = var.lock_days >= 1 && var.lock_days <= 146000 && floor(var.lock_days) == var.lock_days
    error_message = "lock_days: 1 to 146000 whole days (400 years, the most that Azure takes)."
  }
}

variable "lock_permanently" {
  description = "Locks the immutability policy itself: it can then never be removed or shortened, by nobody, only be extended five times, and neither container nor account can be deleted before the last blob is old enough. Off, so that a first try can be undone; without it whoever administers the account can lift the policy."
  type        = bool
  default     = false
  nullable    = false
}

variable "customer_key" {
  description = "A key of one's own in Key Vault, and the identity that may use it; null is Microsoft's. Whoever can destroy the key can destroy the backups."
  type = object({
    key_vault_key_id = string
    identity_id      = string
  })
  default = null
}

variable "network" {
  description = "Who reaches the account: public_access false closes everything but private endpoints; default_action Deny lets the named addresses and subnets in."
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

variable "hosts" {
  description = "The principal id of each server's identity, by the server's name. One role assignment each; a subscription takes 4,000."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for server, _ in var.hosts : can(regex("^[A-Za-z0-9_-][A-Za-z0-9._-]*$", server)) && server != "_pgseal"])
    error_message = "hosts: server names are letters, digits, '.', '-' and '_', with no leading dot, and not _pgseal."
  }
}

variable "hosts_may_tag" {
  description = "Lets hosts tag what they create (pgseal backup --tag); they can then tag anew what stands below their server."
  type        = bool
  default     = false
  nullable    = false
}

variable "finalizer_principal_id" {
  description = "The principal id of the function's identity."
  type        = string
  nullable    = false

  validation {
    condition     = !contains(values(var.hosts), var.finalizer_principal_id)
    error_message = "finalizer_principal_id: the finalizer must not be one of the hosts: who uploads must not seal."
  }
}

variable "restore_principal_ids" {
  description = "Who may read everything: principal ids by names of your choice."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "operator_principal_ids" {
  description = "Who may read everything and keep backups (barman-cloud-backup-keep)."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "expire_principal_ids" {
  description = "Who may delete what the policy has released. Nobody, unless named."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(values(var.expire_principal_ids), concat(values(var.hosts), [var.finalizer_principal_id]))) == 0
    error_message = "expire_principal_ids: neither a host nor the finalizer may delete in the vault."
  }
}

variable "break_glass_principal_ids" {
  description = "Who administers the account in an emergency. Nobody, unless named."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(values(var.break_glass_principal_ids), concat(values(var.hosts), [var.finalizer_principal_id]))) == 0
    error_message = "break_glass_principal_ids: neither a host nor the finalizer may administer the vault."
  }
}

variable "tags" {
  description = "Tags of the account."
  type        = map(string)
  default     = {}
  nullable    = false
}
