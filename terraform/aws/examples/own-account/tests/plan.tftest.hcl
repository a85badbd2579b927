provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

provider "aws" {
  alias                       = "vault"
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.databases
  values = { account_id = "444455556666" }
}

override_data {
  target = module.vault.data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}

variables {
  company                = "example"
  vault_account_role_arn = "arn:aws:iam::111122223333:role/terraform"
  function_package       = "../../tests/fixtures/function.zip"
}

run "plan" {
  command = plan

  assert {
    condition     = strcontains(module.vault.policies.vault, "arn:aws:iam::444455556666:role/pgseal-host-*")
    error_message = "The vault's policy does not let the hosts of the other account in."
  }

  assert {
    condition     = length(module.vault.host_role_arns) == 0
    error_message = "The hosts' roles are made in the vault's account."
  }
}
