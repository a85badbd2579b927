# Plans with mocks. Conditions are written from names, so that a plan holds every one of them in full; the Go test of package
# azurepolicy keeps them as azurepolicy/assignments.json and evaluates them.

mock_provider "azurerm" {
  mock_resource "azurerm_user_assigned_identity" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i" }
  }
}

# OpenTofu makes up what a resource computes when it plans, and the same for all of a type.
override_resource {
  target = azurerm_user_assigned_identity.finalizer
  values = {
    id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/f"
    principal_id = "99999999-9999-9999-9999-999999999999"
  }
}

variables {
  resource_group_name  = "pgseal"
  location             = "westeurope"
  vault_account        = "examplevault"
  vault_container      = "example-vault"
  staging_account      = "examplestaging"
  staging_container    = "example-staging"
  function_account     = "examplefunc"
  recovery_window_days = 30
  lock_days            = 35
  alarm_emails         = ["dba@example.com"]
  servers              = { examplehost = {} }
}

# Everybody is there.
run "complete" {
  command = plan

  variables {
    expire_principal_ids      = { janitor = "11111111-1111-1111-1111-111111111111" }
    break_glass_principal_ids = { ciso = "22222222-2222-2222-2222-222222222222" }
  }
}

# The same with hosts that tag what they create.
run "tags" {
  command = plan

  variables {
    expire_principal_ids = { janitor = "11111111-1111-1111-1111-111111111111" }
    hosts_may_tag        = true
  }
}

run "nobody_deletes_unless_named" {
  command = plan

  assert {
    condition = alltrue([for who, a in output.vault_assignments :
      !contains(a.data_actions, "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete") || who == "operator pgseal"
    ])
    error_message = "somebody may delete in the vault"
  }

  assert {
    condition     = length(output.vault_assignments) == 4
    error_message = "somebody is there who was not named: ${join(", ", keys(output.vault_assignments))}"
  }
}

run "every_condition_fits" {
  command = plan

  assert {
    condition     = alltrue([for a in concat(values(output.vault_assignments), values(output.staging_assignments)) : length(a.condition) < 8192])
    error_message = "a condition is longer than the 8 KB that Azure takes"
  }
}

run "two_hundred_servers_fit" {
  command = plan

  variables {
    servers = { for n in range(200) : "server-${n}" => {} }
  }

  assert {
    condition     = length(output.vault_assignments) + length(output.staging_assignments) < 1000
    error_message = "there are too many role assignments"
  }
}

run "a_host_may_have_an_identity_already" {
  command = plan

  variables {
    servers = { branch = { principal_id = "33333333-3333-3333-3333-333333333333" } }
  }

  assert {
    condition     = length(azurerm_user_assigned_identity.host) == 0 && output.hosts["branch"] == "33333333-3333-3333-3333-333333333333"
    error_message = "an identity was made all the same"
  }
}
