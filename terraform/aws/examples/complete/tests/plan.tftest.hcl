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

override_data {
  target = module.pgseal.data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}

variables {
  company            = "example"
  artifacts_bucket   = "example-artifacts"
  artifact_version   = "abc"
  patroni_role_arn   = "arn:aws:iam::111122223333:role/patroni"
  oidc_provider_arn  = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
  dba_role_arn       = "arn:aws:iam::111122223333:role/dba"
  janitor_role_arn   = "arn:aws:iam::111122223333:role/janitor"
  security_role_arn  = "arn:aws:iam::111122223333:role/security"
  terraform_role_arn = "arn:aws:iam::111122223333:role/terraform"
}

run "plan" {
  command = plan

  assert {
    condition     = keys(output.backup_commands) == ["main", "orders", "reporting"]
    error_message = "There is not one command for each server."
  }
}
