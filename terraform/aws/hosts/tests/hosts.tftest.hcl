# OpenTofu makes up what a resource computes when it plans, so ARNs have to look like some.
mock_provider "aws" {
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::111122223333:policy/pgseal-host" }
  }
}

variables {
  vault_name   = "example-vault"
  staging_name = "example-staging"
  servers = {
    main    = {}
    patroni = { trusted_arns = ["arn:aws:iam::111122223333:role/patroni"] }
  }
}

run "roles" {
  command = plan

  assert {
    condition     = alltrue([for server, role in aws_iam_role.host : role.tags["pgseal-server"] == server && role.name == "pgseal-host-${server}"])
    error_message = "A role is not named and tagged after its server."
  }

  assert {
    condition     = keys(aws_iam_instance_profile.host) == ["main"]
    error_message = "Instance profiles are for EC2 instances."
  }

  assert {
    condition     = length(output.policy) < 6144
    error_message = "The policy is longer than IAM takes."
  }
}

run "names_that_are_none" {
  command = plan

  variables {
    servers = { "_pgseal" = {} }
  }

  expect_failures = [var.servers]
}

run "a_trust_that_lets_hosts_choose_their_server" {
  command = plan

  variables {
    servers = { main = { assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"sts:AssumeRole\",\"sts:TagSession\"],\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:role/x\"}}]}" } }
  }

  expect_failures = [var.servers]
}

run "a_trust_in_everybody" {
  command = plan

  variables {
    servers = { main = { trusted_arns = ["arn:aws:iam::111122223333:root*"] } }
  }

  expect_failures = [var.servers]
}

run "too_long_a_name" {
  command = plan

  variables {
    servers = { "a-server-whose-name-is-as-long-as-pgseal-allows-but-longer-than-iam-does" = {} }
  }

  expect_failures = [aws_iam_role.host]
}
