variable "name" {
  description = "Begins the names of the custom roles."
  type        = string
  default     = "pgseal"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,10}[a-z0-9]$", var.name))
    error_message = "name: The name must be 3 to 12 lower-case letters, digits and '-', begin with a letter and not end with '-'."
  }
}

variable "project_id" {
  description = "The project of the vault: best one of its own, whose administrators are not those of the databases."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id: This is no project id (6 to 30 lower-case letters, digits and '-')."
  }
}

variable "bucket" {
  description = "The vault's bucket."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.bucket)) && !startswith(var.bucket, "goog")
    error_message = "bucket: This is no name for a bucket (3 to 63 lower-case letters, digits, '-', '_' and '.', not beginning with goog)."
  }
}

variable "create_bucket" {
  description = "false adopts a bucket that exists: nothing is changed there, and the output policy says what to merge into its own."
  type        = bool
  default     = true
  nullable    = false
}

variable "location" {
  description = "Where the bucket is: a region, a dual-region or a multi-region."
  type        = string
  nullable    = false
}

variable "storage_class" {
  description = "The storage class of new objects. All classes can be read at once; the cheaper ones cost for reading and for early deletion."
  type        = string
  default     = "STANDARD"
  nullable    = false

  validation {
    condition     = contains(["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"], var.storage_class)
    error_message = "storage_class: The storage class must be STANDARD, NEARLINE, COLDLINE or ARCHIVE."
  }
}

variable "prefix" {
  description = "The path in the bucket below which pgseal works, without slashes at its ends; empty is the whole bucket."
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
  description = "How many days every object is kept, from its creation on."
  type        = number
  nullable    = false

  validation {
    condition     = var.lock_days >= 1 && var.lock_days <= 36525 && floor(var.lock_days) == var.lock_days
    error_message = "lock_days: The lock must be 1 to 36525 whole days (100 years, the most that Cloud Storage takes)."
  }
}

variable "lock_permanently" {
  description = "Locks the retention policy itself: it can then never be removed or shortened, by nobody, and neither bucket nor project can be deleted before the last object is old enough. Off, so that a first try can be undone; without it whoever administers the bucket can lift the retention."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key" {
  description = "A Cloud KMS key for the objects, projects/P/locations/L/keyRings/R/cryptoKeys/K, in the bucket's location; null is Google's own encryption. Whoever can destroy the key can destroy the backups."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key: The key must be written projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }
}

variable "abort_incomplete_uploads_days" {
  description = "After how many days an unfinished multipart upload is dropped; longer than any backup takes."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.abort_incomplete_uploads_days >= 1 && floor(var.abort_incomplete_uploads_days) == var.abort_incomplete_uploads_days
    error_message = "abort_incomplete_uploads_days: Give at least one whole day."
  }
}

variable "hosts" {
  description = "Each server's identity, by the server's name: serviceAccount:..., or principal://... of a workload identity pool. Three entries in the bucket's policy each, and a policy takes 1,500."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for server, _ in var.hosts : can(regex("^[A-Za-z0-9_-][A-Za-z0-9._-]*$", server)) && server != "_pgseal"])
    error_message = "hosts: Server names are letters, digits, '.', '-' and '_', with no leading dot, and not _pgseal."
  }

  validation {
    condition     = alltrue([for _, member in var.hosts : can(regex("^(serviceAccount:|principal://|principalSet://)", member))])
    error_message = "hosts: A host is a serviceAccount:, principal:// or principalSet://; nobody else takes backups."
  }

  validation {
    condition     = length(var.hosts) <= 400
    error_message = "hosts: More than 400 servers do not fit into one bucket's policy (1,500 principals in all bindings): use another vault."
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

variable "finalizer_member" {
  description = "The identity of the function: serviceAccount:..."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.finalizer_member, "serviceAccount:")
    error_message = "finalizer_member: The finalizer is a serviceAccount:."
  }

  validation {
    condition     = !contains(values(var.hosts), var.finalizer_member)
    error_message = "finalizer_member: The finalizer must not be one of the hosts: who uploads must not seal."
  }
}

variable "restore_members" {
  description = "Who may read everything."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "operator_members" {
  description = "Who may read everything and keep backups (barman-cloud-backup-keep)."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "expire_members" {
  description = "Who may delete what the retention has released. Nobody, unless named."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setintersection(var.expire_members, concat(values(var.hosts), [var.finalizer_member]))) == 0
    error_message = "expire_members: Neither a host nor the finalizer may delete in the vault."
  }
}

variable "break_glass_members" {
  description = "Who administers the bucket in an emergency (roles/storage.admin). Nobody, unless named. Not even they get around a retention that is locked permanently."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setintersection(var.break_glass_members, concat(values(var.hosts), [var.finalizer_member]))) == 0
    error_message = "break_glass_members: Neither a host nor the finalizer may administer the vault."
  }
}

variable "labels" {
  description = "Labels of the bucket."
  type        = map(string)
  default     = {}
  nullable    = false
}
