# What the provider would let through.

mock_provider "google" {}

variables {
  project_id           = "example-project"
  region               = "europe-west1"
  location             = "EU"
  vault_bucket         = "example-vault"
  staging_bucket       = "example-staging"
  recovery_window_days = 30
  lock_days            = 35
  function_package     = { bucket = "example-releases", object = "finalizer.zip" }
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

run "the_lock_is_whole_days" {
  command = plan

  variables {
    lock_days = 35.5
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

run "staging_is_not_the_vault" {
  command = plan

  variables {
    staging_bucket = "example-vault"
  }

  expect_failures = [var.staging_bucket]
}

run "uploads_are_not_dropped_while_they_run" {
  command = plan

  variables {
    backup_duration_days          = 2
    abort_incomplete_uploads_days = 2
  }

  expect_failures = [var.abort_incomplete_uploads_days]
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
    function_environment = { PGSEAL_VAULT_URL = "gs://other" }
  }

  expect_failures = [var.function_environment]
}

run "one_package" {
  command = plan

  variables {
    function_package = {}
  }

  expect_failures = [var.function_package]
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
    name       = "A name"
    project_id = "1"
    region     = "here"
    prefix     = "a//b"
    servers    = { "_pgseal" = {} }
  }

  expect_failures = [var.name, var.project_id, var.region, var.prefix, var.servers]
}

run "prefixes_of_pgseal" {
  command = plan

  variables {
    prefix = "a/_pgseal"
  }

  expect_failures = [var.prefix]
}

run "members" {
  command = plan

  variables {
    servers = { main = { member = "user:somebody@example.com" } }
  }

  expect_failures = [var.servers]
}

run "ranges" {
  command = plan

  variables {
    function_memory_mb       = 100
    function_cpu             = "many"
    function_timeout_seconds = 600
    function_max_instances   = 0
    wal_check                = "maybe"
    sweep_interval_minutes   = 7
    max_delivery_attempts    = 4
    max_backup_age_hours     = 0
    log_retention_days       = 0
    notification_channels    = ["somewhere"]
  }

  expect_failures = [
    var.function_memory_mb, var.function_cpu, var.function_timeout_seconds, var.function_max_instances, var.wal_check,
    var.sweep_interval_minutes, var.max_delivery_attempts, var.max_backup_age_hours, var.log_retention_days, var.notification_channels,
  ]
}

run "every_schedule_that_is_allowed" {
  command = plan

  variables {
    sweep_interval_minutes = 720
  }

  assert {
    condition     = google_cloud_scheduler_job.sweep.schedule == "7 */12 * * *"
    error_message = "another schedule: ${google_cloud_scheduler_job.sweep.schedule}"
  }
}
