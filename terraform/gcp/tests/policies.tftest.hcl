# Plans with mocks: policies are written from names, so that a plan holds every one of them in full. The Go test of package
# terraform keeps them as gcppolicy/policies.json, and package gcppolicy evaluates them.

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
  servers              = { examplehost = {} }
}

# Everybody is there, each as one member.
run "complete" {
  command = plan

  variables {
    expire_members      = ["serviceAccount:janitor@example-project.iam.gserviceaccount.com"]
    break_glass_members = ["group:ciso@example.com"]
  }
}

# The same with hosts that choose their locks.
run "retention" {
  command = plan

  variables {
    expire_members          = ["serviceAccount:janitor@example-project.iam.gserviceaccount.com"]
    break_glass_members     = ["group:ciso@example.com"]
    hosts_may_set_retention = true
  }
}

# And with a finalizer that extends them.
run "extending" {
  command = plan

  variables {
    expire_members                 = ["serviceAccount:janitor@example-project.iam.gserviceaccount.com"]
    break_glass_members            = ["group:ciso@example.com"]
    hosts_may_set_retention        = true
    finalizer_may_extend_retention = true
  }
}

run "nobody_deletes_or_administers_unless_named" {
  command = plan

  assert {
    condition = alltrue([for b in jsondecode(output.vault_policy).bindings :
      !contains(flatten([for role, permissions in output.roles : permissions if role == b.role]), "storage.objects.delete") ||
      strcontains(try(b.condition.expression, ""), "endsWith(\"/annotations/keep\")")
    ])
    error_message = "somebody may delete in the vault"
  }

  assert {
    condition     = !strcontains(output.vault_policy, "roles/storage.")
    error_message = "somebody administers the vault"
  }
}

run "the_policy_that_is_applied_is_the_one_that_is_shown" {
  command = plan

  assert {
    condition     = google_storage_bucket_iam_policy.staging.policy_data == output.staging_policy
    error_message = "staging has another policy"
  }
}

run "a_host_may_have_an_identity_already" {
  command = plan

  variables {
    servers = { branch = { member = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/db/subject/branch" } }
  }

  assert {
    condition     = length(google_service_account.host) == 0 && output.hosts["branch"] == "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/db/subject/branch"
    error_message = "an account was made all the same"
  }
}

run "long_names_get_short_accounts" {
  command = plan

  variables {
    servers = { "A.server_with-a-long-name-of-many-letters" = {} }
  }

  assert {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", one(values(google_service_account.host)).account_id))
    error_message = "this is no account id: ${one(values(google_service_account.host)).account_id}"
  }
}
