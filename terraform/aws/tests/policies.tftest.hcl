# Plans with the real provider and no account: what an API would have to answer is overridden. Policies are written from
# names, so that the plan holds every one of them in full. The Go test of package awspolicy keeps them as
# awspolicy/policies.json and evaluates them; what is asserted here is what that does not see.

provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}

variables {
  vault_bucket         = "example-vault"
  staging_bucket       = "example-staging"
  recovery_window_days = 30
  lock_days            = 35
  function_package     = { path = "tests/fixtures/function.zip" }
  servers              = { main = {}, other = { trusted_arns = ["arn:aws:iam::111122223333:role/patroni"] } }
}

# As little as can be: no people, no exceptions.
run "minimal" {
  command = plan
}

# Everybody is there, and every option that grants something is on.
run "complete" {
  command = plan

  variables {
    restore_trusted_arns           = ["arn:aws:iam::111122223333:role/dba"]
    operator_trusted_arns          = ["arn:aws:iam::111122223333:role/dba"]
    expire_trusted_arns            = ["arn:aws:iam::111122223333:role/janitor"]
    breakglass_trusted_arns        = ["arn:aws:iam::111122223333:role/ciso"]
    administrator_arns             = ["arn:aws:iam::111122223333:role/terraform"]
    hosts_may_set_retention        = true
    hosts_may_tag                  = true
    finalizer_may_extend_retention = true
    host_vpc_endpoint_ids          = ["vpce-0123456789abcdef0"]
    kms_key_arn                    = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    allowed_storage_classes        = ["STANDARD", "GLACIER_IR"]
  }
}

# The hosts are in another account.
run "own_account" {
  command = plan

  variables {
    host_account_ids        = ["444455556666"]
    hosts_may_set_retention = true
  }
}

# The rules of the end-to-end tests: people and break-glass, no limits to the length of a lock.
run "e2e" {
  command = plan

  variables {
    restore_trusted_arns    = ["arn:aws:iam::111122223333:role/dba"]
    operator_trusted_arns   = ["arn:aws:iam::111122223333:role/dba"]
    breakglass_trusted_arns = ["arn:aws:iam::111122223333:role/ciso"]
    recovery_window_days    = 0
    longest_gap_days        = 0
    lock_days               = 1
    request_retention_days  = { min = 0, max = 36500 }
  }
}

# The same with hosts that choose their locks.
run "e2e_retention" {
  command = plan

  variables {
    restore_trusted_arns    = ["arn:aws:iam::111122223333:role/dba"]
    operator_trusted_arns   = ["arn:aws:iam::111122223333:role/dba"]
    breakglass_trusted_arns = ["arn:aws:iam::111122223333:role/ciso"]
    recovery_window_days    = 0
    longest_gap_days        = 0
    lock_days               = 1
    request_retention_days  = { min = 0, max = 36500 }
    hosts_may_set_retention = true
  }
}
