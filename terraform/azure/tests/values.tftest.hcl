# What the provider would let through.

mock_provider "azurerm" {
  mock_resource "azurerm_user_assigned_identity" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i" }
  }
}

# OpenTofu makes up what a resource computes when it plans, and the same for all of a type.
override_resource {
  target = azurerm_user_assigned_identity.finalizer
  values = {
    id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/f"
    principal_id = "99999999-9999-9999-9999-999999999999"
  }
}

variables {
  resource_group_name  = "pgseal"
  location             = "westeurope"
  vault_account        = "examplevault"
  staging_account      = "examplestaging"
  function_account     = "examplefunc"
  recovery_window_days = 30
  lock_days            = 35
  alarm_emails         = ["dba@example.com"]
  servers              = { main = {} }
}

run "the_lock_covers_the_recovery_window" {
  command = plan

  variables {
    recovery_window_days = 33
  }

  expect_failures = [var.lock_days]
}

run "staging_outlives_the_deadline" {
  command = plan

  variables {
    staging_expire_days = 3
    wal_deadline_hours  = 72
  }

  expect_failures = [var.staging_expire_days]
}

run "three_accounts" {
  command = plan

  variables {
    staging_account = "examplevault"
  }

  expect_failures = [var.staging_account]
}

run "somebody_is_told" {
  command = plan

  variables {
    alarm_emails = []
  }

  expect_failures = [var.alarm_emails]
}

run "settings_that_have_variables" {
  command = plan

  variables {
    function_environment = { PGSEAL_AZURE_RETENTION = "1000d" }
  }

  expect_failures = [var.function_environment]
}

run "no_seal_would_be_possible" {
  command = plan

  variables {
    min_retention_days = 36
  }

  expect_failures = [var.min_retention_days]
}

run "names" {
  command = plan

  variables {
    name              = "A name"
    location          = "West Europe"
    prefix            = "a/_pgseal"
    vault_container   = "-"
    staging_container = "A"
    function_app_name = "-"
    servers           = { ".hidden" = {} }
  }

  expect_failures = [var.name, var.location, var.prefix, var.vault_container, var.staging_container, var.function_app_name, var.servers]
}

run "ranges" {
  command = plan

  variables {
    function_memory_mb     = 1024
    function_max_instances = 0
    wal_check              = "maybe"
    sweep_interval_minutes = 7
    max_backup_age_hours   = 49
    log_retention_days     = 7
    action_group_ids       = ["somewhere"]
  }

  expect_failures = [
    var.function_memory_mb, var.function_max_instances, var.wal_check, var.sweep_interval_minutes, var.max_backup_age_hours,
    var.log_retention_days, var.action_group_ids,
  ]
}
