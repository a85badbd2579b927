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
  vpc_id           = "vpc-0123456789abcdef0"
  route_table_ids  = ["rtb-0123456789abcdef0"]
  function_package = "../../tests/fixtures/function.zip"
}

run "plan" {
  command = plan

  assert {
    condition     = length(jsondecode(aws_vpc_endpoint_policy.s3.policy).Statement[0].Resource) == 4
    error_message = "The endpoint is for the two buckets and what is in them."
  }
}
