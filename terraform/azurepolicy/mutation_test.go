package azurepolicy

import (
	"testing"

	"github.com/pgseal/pgseal/terraform/tftest"
)

var mutations = []tftest.Mutation{
	{Name: "the host may seal", File: "vault/iam.tf", Test: "access complete",
		Old: "\"((${local.others}) OR (${local.path} StringLike '${local.own[server]}' AND ${local.path} StringNotLike '*/backup.info' AND ${local.path} StringNotLike '*/annotations/keep'))\"",
		New: "\"((${local.others}) OR (${local.path} StringLike '${local.own[server]}'))\""},
	{Name: "the host may write for every server", File: "vault/iam.tf", Test: "access complete",
		Old: "\"${local.root}${server}/*\"", New: "\"${local.root}*\""},
	{Name: "a server's name is only a beginning", File: "vault/iam.tf", Test: "access complete",
		Old: "\"${local.root}${server}/*\"", New: "\"${local.root}${server}*\""},
	{Name: "tiers may be changed", File: "vault/iam.tf", Test: "access complete",
		Old: "SubOperationMatches{'Blob.Write.Tier'}", New: "SubOperationMatches{'Blob.Write.WithTagHeaders'}"},
	{Name: "the host may delete", File: "vault/iam.tf", Test: "access complete",
		Old: "\"${local.blobs}/add/action\"], var.hosts_may_tag", New: "\"${local.blobs}/add/action\", \"${local.blobs}/delete\"], var.hosts_may_tag"},
	{Name: "the finalizer may overwrite", File: "vault/iam.tf", Test: "access complete",
		Old: "finalizer = [\"${local.blobs}/read\", \"${local.blobs}/add/action\"]", New: "finalizer = [\"${local.blobs}/read\", \"${local.blobs}/add/action\", \"${local.blobs}/write\"]"},
	{Name: "the finalizer creates anything", File: "vault/iam.tf", Test: "access complete",
		Old: "StringLike '${local.root}*/base/*/backup.info'", New: "StringLike '${local.root}*'"},
	{Name: "the operator keeps anything", File: "vault/iam.tf", Test: "access complete",
		Old: "StringLike '${local.root}*/base/*/annotations/keep'", New: "StringLike '${local.root}*'"},
	{Name: "the host reads every server", File: "vault/iam.tf", Test: "access complete",
		Old: "\"((!(${local.reads})) OR (${local.path} StringLike '${local.own[server]}'))\"", New: "local.read_all"},
	{Name: "the host gives verdicts", File: "iam.tf", Test: "access complete",
		Old: `"_pgseal/complete/${server}/"] :`, New: `"_pgseal/complete/${server}/", "_pgseal/verdict/${server}/"] :`},
	{Name: "the finalizer writes all of staging", File: "iam.tf", Test: "access complete",
		Old: "StringLike '${local.root}_pgseal/sweep/*'", New: "StringLike '${local.root}*'"},
	{Name: "the host proves drills", File: "iam.tf", Test: "access complete",
		Old: "for path in [\"${server}/\", \"_pgseal/progress/", New: "for path in [\"_pgseal/drill/\", \"${server}/\", \"_pgseal/progress/"},
	{Name: "who restores writes all of staging", File: "iam.tf", Test: "access complete",
		Old: "StringLike '${local.root}_pgseal/drill/*'", New: "StringLike '${local.root}*'"},
	{Name: "no condition is assigned", File: "vault/iam.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "  condition_version  = \"2.0\"\n  condition          = each.value.condition\n", New: ""},
	{Name: "roles for the whole account", File: "vault/iam.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "scope              = local.container_id", New: "scope              = local.account"},
	{Name: "keys", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "shared_access_key_enabled        = false", New: "shared_access_key_enabled        = true"},
	{Name: "plain HTTP", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "https_traffic_only_enabled       = true", New: "https_traffic_only_enabled       = false"},
	{Name: "a policy of another length", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "immutability_period_in_days           = var.lock_days", New: "immutability_period_in_days           = 1"},
	{Name: "a policy that cannot be undone, unasked", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "locked                                = var.lock_permanently", New: "locked                                = true"},
	{Name: "appends to what is there", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "protected_append_writes_all_enabled = false", New: "protected_append_writes_all_enabled = true"},
	{Name: "a finalizer that is a host", File: "vault/variables.tf", Test: "vault the_finalizer_is_no_host",
		Old: "condition     = !contains(values(var.hosts), var.finalizer_principal_id)", New: "condition     = var.finalizer_principal_id != \"\""},
	{Name: "no dead-letter container", File: "trigger.tf", Test: "wiring what_cannot_be_delivered_is_kept",
		Old: "  storage_blob_dead_letter_destination {\n    storage_account_id          = azurerm_storage_account.function.id\n    storage_blob_container_name = azurerm_storage_container.dead_letter.name\n  }\n\n  dead_letter_identity {\n    type                   = \"UserAssigned\"\n    user_assigned_identity = azurerm_user_assigned_identity.events.id\n  }\n", New: ""},
	{Name: "no second try", File: "trigger.tf", Test: "wiring an_event_reaches_the_function",
		Old: "max_delivery_attempts = 30", New: "max_delivery_attempts = 1"},
	{Name: "every blob wakes the function", File: "trigger.tf", Test: "wiring an_event_reaches_the_function",
		Old: "/blobs/${local.root}_pgseal/complete/\"", New: "/blobs/${local.root}\""},
	{Name: "another account wakes the function", File: "trigger.tf", Test: "wiring an_event_reaches_the_function",
		Old: "source_resource_id  = azurerm_storage_account.staging.id", New: "source_resource_id  = azurerm_storage_account.function.id"},
	{Name: "a poison queue that nobody fills", File: "trigger.tf", Test: "wiring what_cannot_be_delivered_is_kept",
		Old: `name               = "${var.name}-poison"`, New: `name               = "${var.name}-dead"`},
	{Name: "the function does not know the policy's period", File: "function.tf", Test: "wiring the_function",
		Old: "      PGSEAL_AZURE_RETENTION = \"${var.lock_days}d\"\n", New: ""},
	{Name: "staging is never emptied", File: "main.tf", Test: "wiring staging",
		Old: "delete_after_days_since_modification_greater_than = var.staging_expire_days", New: "tier_to_cool_after_days_since_modification_greater_than = var.staging_expire_days"},
	{Name: "missing seals raise no alarm", File: "alarms.tf", Test: "wiring alarms",
		Old: `and verdict == "sealed"`, New: `and verdict != ""`},
	{Name: "an old seal that is looked at again counts", File: "alarms.tf", Test: "wiring alarms",
		Old: ` and toint(line.seal_age_s) < 86400`, New: ``},
	{Name: "one account for both", File: "variables.tf", Test: "values three_accounts",
		Old: "condition     = var.staging_account != var.vault_account && ", New: "condition     = "},
	{Name: "a lock shorter than the recovery window", File: "variables.tf", Test: "values the_lock_covers_the_recovery_window",
		Old: "var.lock_days >= var.recovery_window_days + var.longest_gap_days + var.backup_duration_days", New: "var.lock_days >= 1"},
}

// TestMutations: each mistake in the module turns a test red, or breaks a promise.
func TestMutations(t *testing.T) {
	results := tftest.Mutate(t, "azure", mutations)
	for i, m := range mutations {
		t.Run(m.Name, func(t *testing.T) {
			problems := results[i].Problems
			if len(problems) == 0 && m.Test == "access complete" {
				problems = brokenAssignments(t, results[i])
			}
			if len(problems) == 0 {
				t.Fatal("nobody notices")
			}
			t.Logf("%.300s", problems[0])
		})
	}
}

// brokenAssignments are the promises that the assignments of the run "complete" break.
func brokenAssignments(t *testing.T, r tftest.Result) []string {
	t.Helper()
	rules, err := parse(text(t, map[string]Rules{Complete: render(t, r)}), Complete, "pg", "main")
	if err != nil {
		return []string{err.Error()}
	}
	return broken(rules, "pg")
}
