mock_provider "google" {}

variables {
  project_id       = "example-vaults"
  bucket           = "example-vault"
  location         = "EU"
  lock_days        = 35
  hosts            = { main = "serviceAccount:main@example-project.iam.gserviceaccount.com" }
  finalizer_member = "serviceAccount:finalizer@example-project.iam.gserviceaccount.com"
}

run "the_vault_keeps_what_it_is_given" {
  command = plan

  module {
    source = "./vault"
  }

  assert {
    condition     = google_storage_bucket.vault[0].retention_policy[0].retention_period == 35 * 86400
    error_message = "the retention is not lock_days"
  }

  assert {
    condition     = google_storage_bucket.vault[0].retention_policy[0].is_locked == false
    error_message = "the retention policy is locked without being asked"
  }

  assert {
    condition     = google_storage_bucket.vault[0].uniform_bucket_level_access == true && google_storage_bucket.vault[0].public_access_prevention == "enforced"
    error_message = "ACLs or the public could get in"
  }

  assert {
    condition     = google_storage_bucket.vault[0].force_destroy == false && google_storage_bucket.vault[0].versioning[0].enabled == false
    error_message = "the vault can be destroyed with what is in it, or has versions"
  }

  assert {
    condition     = google_storage_bucket.vault[0].soft_delete_policy[0].retention_duration_seconds == 0
    error_message = "soft delete is on"
  }

  assert {
    condition     = alltrue([for r in google_storage_bucket.vault[0].lifecycle_rule : one(r.action).type == "AbortIncompleteMultipartUpload"])
    error_message = "a lifecycle rule does something else than end unfinished uploads"
  }

  assert {
    condition     = google_storage_bucket_iam_policy.vault[0].bucket == "example-vault" && google_storage_bucket_iam_policy.vault[0].policy_data == output.policy
    error_message = "the policy is not on the vault"
  }
}

run "locked_when_asked" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    lock_permanently = true
  }

  assert {
    condition     = google_storage_bucket.vault[0].retention_policy[0].is_locked == true
    error_message = "the retention policy is not locked"
  }
}

run "own_key" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    kms_key = "projects/p/locations/europe/keyRings/r/cryptoKeys/k"
  }

  assert {
    condition     = google_storage_bucket.vault[0].encryption[0].default_kms_key_name == "projects/p/locations/europe/keyRings/r/cryptoKeys/k" && google_kms_crypto_key_iam_member.vault[0].role == "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    error_message = "the key is not used, or Cloud Storage may not use it"
  }
}

run "an_adopted_vault_is_left_alone" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    create_bucket = false
  }

  assert {
    condition     = length(google_storage_bucket.vault) == 0 && length(google_storage_bucket_iam_policy.vault) == 0
    error_message = "something of an adopted bucket is owned"
  }

  assert {
    condition     = length(jsondecode(output.policy).bindings) > 0 && length(google_project_iam_custom_role.vault) == 4
    error_message = "there is nothing to merge"
  }
}

run "the_finalizer_is_no_host" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    hosts = { main = "serviceAccount:finalizer@example-project.iam.gserviceaccount.com" }
  }

  expect_failures = [var.finalizer_member]
}

run "no_host_deletes_or_administers" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    expire_members      = ["serviceAccount:main@example-project.iam.gserviceaccount.com"]
    break_glass_members = ["serviceAccount:main@example-project.iam.gserviceaccount.com"]
  }

  expect_failures = [var.expire_members, var.break_glass_members]
}

run "too_many_servers" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    hosts = { for n in range(401) : "s${n}" => "serviceAccount:s${n}@example-project.iam.gserviceaccount.com" }
  }

  expect_failures = [var.hosts]
}

run "bad_values" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    bucket        = "Example"
    lock_days     = 0
    prefix        = "/a/"
    storage_class = "GLACIER"
    kms_key       = "k"
  }

  expect_failures = [var.bucket, var.lock_days, var.prefix, var.storage_class, var.kms_key]
}
