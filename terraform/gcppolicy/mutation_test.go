package gcppolicy

import (
	"testing"

	"github.com/pgseal/pgseal/terraform/tftest"
)

var mutations = []tftest.Mutation{
	{Name: "the host may seal", File: "vault/iam.tf", Test: "policies complete",
		Old: "title      = \"host ${server} creates\"\n        expression = \"${local.own[server]} && !${local.is_seal} && !${local.is_keep}\"",
		New: "title      = \"host ${server} creates\"\n        expression = \"${local.own[server]} && !${local.is_keep}\""},
	{Name: "the host may write for every server", File: "vault/iam.tf", Test: "policies complete",
		Old: `"resource.name.startsWith(\"${local.objects}${server}/\")"`, New: `"resource.name.startsWith(\"${local.objects}\")"`},
	{Name: "a server's name is only a beginning", File: "vault/iam.tf", Test: "policies complete",
		Old: `${local.objects}${server}/\")"`, New: `${local.objects}${server}\")"`},
	{Name: "who creates may delete", File: "vault/iam.tf", Test: "policies complete",
		Old: `create = ["storage.objects.create"]`, New: `create = ["storage.objects.create", "storage.objects.delete"]`},
	{Name: "the finalizer creates anything", File: "vault/iam.tf", Test: "policies complete",
		Old: "title      = \"finalizer seals\"\n          expression = \"${local.below} && ${local.is_seal} && ${local.in_base}\"",
		New: "title      = \"finalizer seals\"\n          expression = local.below"},
	{Name: "listing under a condition on objects, which never holds", File: "vault/iam.tf", Test: "policies complete",
		Old: "members   = local.listers\n        condition = null", New: "members   = local.listers\n        condition = { title = \"lists\", expression = local.below }"},
	{Name: "the operator keeps anything", File: "vault/iam.tf", Test: "policies complete",
		Old: "title      = \"operator keeps backups\"\n          expression = \"${local.below} && ${local.is_keep} && ${local.in_base}\"",
		New: "title      = \"operator keeps backups\"\n          expression = local.below"},
	{Name: "the host gives verdicts", File: "iam.tf", Test: "policies complete",
		Old: `"_pgseal/complete/${server}/"] }`, New: `"_pgseal/complete/${server}/", "_pgseal/verdict/${server}/"] }`},
	{Name: "the finalizer writes all of staging", File: "iam.tf", Test: "policies complete",
		Old: `startsWith(\"${local.objects}_pgseal/sweep/\")"`, New: `startsWith(\"${local.objects}\")"`},
	{Name: "the host proves drills", File: "iam.tf", Test: "policies complete",
		Old: `members   = local.restore_members
        condition = { title = "who restores`, New: `members   = concat(local.restore_members, values(local.host_members))
        condition = { title = "who restores`},
	{Name: "who restores writes all of staging", File: "iam.tf", Test: "policies complete",
		Old: `startsWith(\"${local.objects}_pgseal/drill/\")"`, New: `startsWith(\"${local.objects}\")"`},
	{Name: "the vault keeps its editors", File: "vault/iam.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "policy_data = jsonencode(local.policy)", New: "policy_data = jsonencode({ bindings = [] })"},
	{Name: "a finalizer that is a host", File: "vault/variables.tf", Test: "vault the_finalizer_is_no_host",
		Old: "condition     = !contains(values(var.hosts), var.finalizer_member)", New: "condition     = var.finalizer_member != \"\""},
	{Name: "no retention", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "retention_period = var.lock_days * 86400", New: "retention_period = 1"},
	{Name: "a lock that cannot be undone, unasked", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "is_locked        = var.lock_permanently", New: "is_locked        = true"},
	{Name: "object ACLs", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: "uniform_bucket_level_access = true", New: "uniform_bucket_level_access = false"},
	{Name: "public access", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: `public_access_prevention    = "enforced"`, New: `public_access_prevention    = "inherited"`},
	{Name: "a lifecycle that deletes in the vault", File: "vault/main.tf", Test: "vault the_vault_keeps_what_it_is_given",
		Old: `type = "AbortIncompleteMultipartUpload"`, New: `type = "Delete"`},
	{Name: "an adopted vault is changed", File: "vault/main.tf", Test: "vault an_adopted_vault_is_left_alone",
		Old: "owned = var.create_bucket ? 1 : 0", New: "owned = 1"},
	{Name: "no dead-letter topic", File: "trigger.tf", Test: "wiring what_cannot_be_delivered_is_kept",
		Old: "  dead_letter_policy {\n    dead_letter_topic     = google_pubsub_topic.dead_letter.id\n    max_delivery_attempts = var.max_delivery_attempts\n  }\n", New: ""},
	{Name: "no pause between tries", File: "trigger.tf", Test: "wiring an_event_reaches_the_function",
		Old: "  retry_policy {\n    minimum_backoff = \"10s\"\n    maximum_backoff = \"600s\"\n  }\n", New: ""},
	{Name: "every object wakes the function", File: "trigger.tf", Test: "wiring an_event_reaches_the_function",
		Old: `object_name_prefix = "${local.root}_pgseal/complete/"`, New: `object_name_prefix = local.root`},
	{Name: "the vault wakes the function", File: "trigger.tf", Test: "wiring an_event_reaches_the_function",
		Old: "bucket             = google_storage_bucket.staging.name", New: "bucket             = var.vault_bucket"},
	{Name: "calls that nobody signs", File: "trigger.tf", Test: "wiring an_event_reaches_the_function",
		Old: "    oidc_token {\n      service_account_email = \"${var.name}-invoker@${local.at}\"\n      audience              = google_cloudfunctions2_function.finalizer.service_config[0].uri\n    }\n", New: ""},
	{Name: "calls from anywhere", File: "function.tf", Test: "wiring the_function",
		Old: `"ALLOW_INTERNAL_ONLY"`, New: `"ALLOW_ALL"`},
	{Name: "no sweep", File: "trigger.tf", Test: "wiring the_sweep",
		Old: `attributes = { pgseal = "sweep" }`, New: `attributes = {}`},
	{Name: "staging is never emptied", File: "main.tf", Test: "wiring staging",
		Old: `type = "Delete"`, New: `type = "SetStorageClass"`},
	{Name: "rejections raise no alarm", File: "logs.tf", Test: "wiring alarms",
		Old: `(\"rejected\" OR \"conflict\")`, New: `(\"conflict\")`},
	{Name: "an old seal that is looked at again counts", File: "logs.tf", Test: "wiring alarms",
		Old: ` AND jsonPayload.seal_age_s<86400`, New: ``},
	{Name: "one bucket for both", File: "variables.tf", Test: "values staging_is_not_the_vault",
		Old: "condition     = var.staging_bucket != var.vault_bucket", New: "condition     = var.staging_bucket != \"\""},
	{Name: "a lock shorter than the recovery window", File: "variables.tf", Test: "values the_lock_covers_the_recovery_window",
		Old: "var.lock_days >= var.recovery_window_days + var.longest_gap_days + var.backup_duration_days", New: "var.lock_days >= 1"},
}

// TestMutations: each mistake in the module turns a test red, or breaks a promise.
func TestMutations(t *testing.T) {
	results := tftest.Mutate(t, "gcp", mutations)
	for i, m := range mutations {
		t.Run(m.Name, func(t *testing.T) {
			problems := results[i].Problems
			if len(problems) == 0 && m.Test == "policies complete" {
				problems = brokenPolicies(t, results[i])
			}
			if len(problems) == 0 {
				t.Fatal("nobody notices")
			}
			t.Logf("%.300s", problems[0])
		})
	}
}

// brokenPolicies are the promises that the policies of the run "complete" break.
func brokenPolicies(t *testing.T, r tftest.Result) []string {
	t.Helper()
	rules, err := parse(text(t, map[string]Rules{Complete: render(t, r)}), Complete, "v", "s", "pg", "main")
	if err != nil {
		return []string{err.Error()}
	}
	return broken(rules, "v", "s", "pg")
}
