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
  target = module.pgseal.data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}

variables {
  company          = "example"
  function_package = "../../tests/fixtures/function.zip"
}

run "plan" {
  command = plan

  assert {
    condition     = output.archive_command == "archive_command = 'pgseal wal-archive --cloud-provider=aws-s3 --gzip s3://example-pgseal-vault/barman main %p'"
    error_message = output.archive_command
  }

  assert {
    condition     = output.backup_command == "pgseal backup --cloud-provider=aws-s3 --staging-url s3://example-pgseal-staging/barman --immediate-checkpoint --wait --gzip s3://example-pgseal-vault/barman main"
    error_message = output.backup_command
  }
}
