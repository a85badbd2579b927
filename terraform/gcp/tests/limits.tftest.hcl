# What IAM limits: principals in a policy, and the length of an account's name.

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

run "two_hundred_servers_fit" {
  command = plan

  variables {
    servers = { for n in range(200) : "server-${n}" => {} }
  }

  assert {
    condition     = sum([for b in jsondecode(output.vault_policy).bindings : length(b.members)]) < 1500
    error_message = "the vault's policy has more principals than IAM takes"
  }

  assert {
    condition     = sum([for b in jsondecode(output.staging_policy).bindings : length(b.members)]) < 1500
    error_message = "staging's policy has more principals than IAM takes"
  }

  assert {
    condition     = length(distinct(values(output.hosts))) == 200 && alltrue([for m in values(output.hosts) : length(split("@", split(":", m)[1])[0]) <= 30])
    error_message = "the hosts' accounts are not 200, or their names are too long"
  }
}
