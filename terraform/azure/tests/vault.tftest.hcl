mock_provider "azurerm" {
  mock_resource "azurerm_storage_account" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/examplevault" }
  }

  mock_resource "azurerm_storage_container" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/examplevault/blobServices/default/containers/vault" }
  }

  mock_resource "azurerm_role_definition" {
    defaults = { role_definition_resource_id = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/roleDefinitions/00000000-0000-0000-0000-000000000000" }
  }
}

variables {
  resource_group_name    = "vaults"
  location               = "westeurope"
  account_name           = "examplevault"
  lock_days              = 35
  hosts                  = { main = "11111111-1111-1111-1111-111111111111" }
  finalizer_principal_id = "22222222-2222-2222-2222-222222222222"
}

run "the_vault_keeps_what_it_is_given" {
  module {
    source = "./vault"
  }

  assert {
    condition     = azurerm_storage_container_immutability_policy.vault[0].immutability_period_in_days == 35 && azurerm_storage_container_immutability_policy.vault[0].storage_container_resource_manager_id == azurerm_storage_container.vault[0].id
    error_message = "the policy is not lock_days, or not on the container"
  }

  assert {
    condition     = azurerm_storage_container_immutability_policy.vault[0].locked == false
    error_message = "the policy is locked without being asked"
  }

  assert {
    condition     = azurerm_storage_container_immutability_policy.vault[0].protected_append_writes_enabled == false && azurerm_storage_container_immutability_policy.vault[0].protected_append_writes_all_enabled == false
    error_message = "more can be written to a blob that is there"
  }

  assert {
    condition     = azurerm_storage_account.vault[0].shared_access_key_enabled == false && azurerm_storage_account.vault[0].local_user_enabled == false
    error_message = "keys and local users know no condition"
  }

  assert {
    condition     = azurerm_storage_account.vault[0].min_tls_version == "TLS1_2" && azurerm_storage_account.vault[0].https_traffic_only_enabled == true
    error_message = "plain HTTP or old TLS is allowed"
  }

  assert {
    condition     = azurerm_storage_account.vault[0].allow_nested_items_to_be_public == false && azurerm_storage_container.vault[0].container_access_type == "private" && azurerm_storage_account.vault[0].cross_tenant_replication_enabled == false
    error_message = "the public could get in"
  }

  assert {
    condition     = azurerm_storage_account.vault[0].is_hns_enabled == false && azurerm_storage_account.vault[0].blob_properties[0].versioning_enabled == false
    error_message = "the account is not flat, or has versions"
  }

  assert {
    condition     = alltrue([for a in azurerm_role_assignment.vault : a.scope == azurerm_storage_container.vault[0].id && a.condition_version == "2.0" && a.condition != null])
    error_message = "an assignment has no condition, or is wider than the container"
  }

  assert {
    condition     = alltrue([for a in azurerm_role_assignment.vault : a.condition == output.assignments[trimprefix(a.description, "pgseal: ")].condition])
    error_message = "another condition is assigned than is shown"
  }

  assert {
    condition     = alltrue([for who, r in azurerm_role_definition.vault : one(r.permissions).actions == tolist(["Microsoft.Storage/storageAccounts/blobServices/containers/read"])])
    error_message = "a role may change the container"
  }

  assert {
    condition     = length(azurerm_role_assignment.break_glass) == 0
    error_message = "somebody may break glass who was not named"
  }
}

run "locked_when_asked" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    lock_permanently          = true
    break_glass_principal_ids = { ciso = "44444444-4444-4444-4444-444444444444" }
  }

  assert {
    condition     = azurerm_storage_container_immutability_policy.vault[0].locked == true && length(azurerm_role_assignment.break_glass) == 2
    error_message = "the policy is not locked, or nobody may break glass"
  }
}

run "an_adopted_vault_is_left_alone" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    create_account = false
    account_id     = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/examplevault"
  }

  assert {
    condition     = length(azurerm_storage_account.vault) == 0 && length(azurerm_storage_container.vault) == 0 && length(azurerm_storage_container_immutability_policy.vault) == 0
    error_message = "something of an adopted account is owned"
  }

  assert {
    condition     = azurerm_role_assignment.vault["host main"].scope == "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/examplevault/blobServices/default/containers/vault"
    error_message = "nothing is assigned on the container"
  }
}

run "the_finalizer_is_no_host" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    hosts = { main = "22222222-2222-2222-2222-222222222222" }
  }

  expect_failures = [var.finalizer_principal_id]
}

run "no_host_deletes_or_administers" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    expire_principal_ids      = { main = "11111111-1111-1111-1111-111111111111" }
    break_glass_principal_ids = { main = "11111111-1111-1111-1111-111111111111" }
  }

  expect_failures = [var.expire_principal_ids, var.break_glass_principal_ids]
}

run "bad_values" {
  command = plan

  module {
    source = "./vault"
  }

  variables {
    account_name     = "Example"
    container        = "a--b"
    replication_type = "TRIPLE"
    access_tier      = "Archive"
    lock_days        = 146001
    prefix           = "/a/"
    network          = { default_action = "Maybe" }
    hosts            = { "_pgseal" = "33333333-3333-3333-3333-333333333333" }
  }

  expect_failures = [var.account_name, var.container, var.replication_type, var.access_tier, var.lock_days, var.prefix, var.network, var.hosts]
}
