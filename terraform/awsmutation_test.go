package terraform_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/terraform/awspolicy"
	"github.com/pgseal/pgseal/terraform/tftest"
)

// mutation is one mistake in the module for AWS, and the run of its tests that has to notice: by an assertion, or in the
// table of requests, evaluated over the policies that the run renders.
type mutation struct {
	name     string
	file     string // below terraform/aws
	old, new string // old stands there once
	test     string // file and run: "tests/policies complete"
}

var mutations = []mutation{
	{"the seal is for everybody", "buckets/vault_policy.tf", `Condition = local.except_finalizer`, `Condition = { Bool = { "aws:SecureTransport" = "false" } }`, "tests/policies minimal"},
	{"the seal may come in parts", "buckets/vault_policy.tf", `"s3:ObjectCreationOperation" = "false"`, `"s3:ObjectCreationOperation" = "never"`, "tests/policies e2e"},
	{"creates need no condition", "buckets/vault_policy.tf", `Null = { "s3:if-none-match" = "true" }`, `Null = { "s3:if-none-match" = "never" }`, "tests/policies minimal"},
	{"parts need a condition, so that nothing large can be stored", "buckets/vault_policy.tf", "          Bool = { \"s3:ObjectCreationOperation\" = \"true\" }\n", "", "tests/policies e2e"},
	{"delete markers are let through", "buckets/vault_policy.tf", `Action      = ["s3:DeleteObject"]`, `Action      = ["s3:DeleteBucketWebsite"]`, "tests/policies minimal"},
	{"versions may be deleted", "buckets/vault_policy.tf", `Action    = ["s3:DeleteObjectVersion"]`, `Action    = ["s3:DeleteBucketWebsite"]`, "tests/policies minimal"},
	{"a governance lock may be bypassed", "buckets/vault_policy.tf", `"s3:BypassGovernanceRetention", `, ``, "tests/policies minimal"},
	{"the vault may be replicated into", "buckets/vault_policy.tf", `"s3:ReplicateObject", `, ``, "tests/policies minimal"},
	{"the lock's configuration may be changed", "buckets/vault_policy.tf", "          \"s3:PutBucketObjectLockConfiguration\",\n", "", "tests/policies minimal"},
	{"versions may be suspended", "buckets/vault_policy.tf", "          \"s3:PutBucketVersioning\",\n", "", "tests/policies minimal"},
	{"any storage class", "buckets/vault_policy.tf", `StringNotEquals = { "s3:x-amz-storage-class" = var.allowed_storage_classes }`, `StringEquals = { "s3:x-amz-storage-class" = "NONE" }`, "tests/policies complete"},
	{"a lock of another mode", "buckets/vault_policy.tf", `StringNotEquals = { "s3:object-lock-mode" = var.lock_mode }`, `StringNotEquals = { "s3:object-lock-mode" = ["COMPLIANCE", "GOVERNANCE"] }`, "tests/policies complete"},
	{"locks for ever", "buckets/vault_policy.tf", `tostring(var.retention_days.max)`, `"36500"`, "tests/policies complete"},
	{"locks for a day", "buckets/vault_policy.tf", `tostring(var.retention_days.min - 1)`, `"0"`, "tests/policies complete"},
	{"a key that only the host has", "buckets/policy.tf", `Null = { "s3:x-amz-server-side-encryption-customer-algorithm" = "false" }`, `Null = { "s3:x-amz-server-side-encryption-customer-algorithm" = "never" }`, "tests/policies minimal"},
	{"another KMS key", "buckets/policy.tf", `StringNotEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = var.kms_key_arn }`, `StringEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = var.kms_key_arn }`, "tests/policies complete"},
	{"requests that name no key are refused", "buckets/policy.tf", "        Null            = { \"s3:x-amz-server-side-encryption\" = \"false\" }\n", "", "tests/policies complete"},
	{"plain HTTP", "buckets/policy.tf", `Bool = { "aws:SecureTransport" = "false" }`, `Bool = { "aws:SecureTransport" = "never" }`, "tests/policies minimal"},
	{"anybody gives verdicts", "buckets/staging_policy.tf", "Action    = [\"s3:PutObject\"]\n      Resource  = local.spoken", "Action    = [\"s3:PutObjectAcl\"]\n      Resource  = local.spoken", "tests/policies minimal"},
	{"anybody proves drills", "buckets/staging_policy.tf", "Resource  = local.proofs\n      Condition = local.except_restore", "Resource  = local.spoken\n      Condition = local.except_finalizer", "tests/policies minimal"},
	{"who restores writes all that is pgseal's", "iam.tf", `"${local.staging}/${local.root}_pgseal/drill/*"`, `"${local.staging}/${local.root}_pgseal/*"`, "tests/policies e2e"},
	{"a host writes for any server", "hosts/main.tf", `"$${aws:PrincipalTag/pgseal-server}"`, `"*"`, "tests/policies complete"},
	{"hosts of other accounts write for any server", "buckets/vault_policy.tf", "${local.root}$${aws:PrincipalTag/pgseal-server}/${dir}/*", "${local.root}*/${dir}/*", "tests/policies own_account"},
	{"any role of the other account is a host", "buckets/policy.tf", "role/${var.host_role_pattern}", "role/*", "tests/policies own_account"},
	{"the finalizer may wake itself", "iam.tf", `Resource = ["${local.vault}/${local.root}*/base/*/backup.info"] },`, `Resource = ["${local.vault}/${local.root}*/backup.info", "${local.staging}/${local.root}_pgseal/complete/*"] },`, "tests/policies e2e"},
	{"break-glass is always there", "main.tf", "length(var.breakglass_trusted_arns) > 0 ? local.role.breakglass : null", "local.role.breakglass", "tests/policies minimal"},

	{"the vault's events wake the function", "trigger.tf", "bucket = module.buckets.staging_name", "bucket = module.buckets.vault_name", "tests/policies complete"},
	{"every object in staging wakes the function", "trigger.tf", "filter_prefix = \"${local.root}_pgseal/complete/\"", "filter_prefix = local.root", "tests/policies complete"},
	{"no dead-letter queue", "trigger.tf", "deadLetterTargetArn = local.dead\n", "deadLetterTargetArn = local.queue\n", "tests/policies complete"},
	{"no second try", "trigger.tf", "maxReceiveCount     = var.max_receives", "maxReceiveCount     = 1", "tests/policies complete"},
	{"failures count as done", "trigger.tf", "  function_response_types = [\"ReportBatchItemFailures\"]\n", "", "tests/policies complete"},
	{"messages come again too early", "trigger.tf", "6 * var.function_timeout_seconds", "30", "tests/policies complete"},
	{"a sweep that fails is forgotten", "trigger.tf", "maximum_retry_attempts       = 2\n", "maximum_retry_attempts       = 0\n", "tests/policies complete"},
	{"silence is no alarm", "alarms.tf", "  datapoints_to_alarm = each.value\n  comparison_operator = \"LessThanThreshold\"\n  threshold           = 1\n  treat_missing_data  = \"breaching\"", "  datapoints_to_alarm = each.value\n  comparison_operator = \"LessThanThreshold\"\n  threshold           = 1\n  treat_missing_data  = \"ignore\"", "tests/policies complete"},
	{"dead letters are no alarm", "alarms.tf", "  threshold           = 0\n", "  threshold           = 10\n", "tests/policies complete"},

	{"the vault may be public", "buckets/vault.tf", "  block_public_policy     = true\n", "  block_public_policy     = false\n", "buckets/tests/buckets buckets"},
	{"no default lock", "buckets/vault.tf", "days = var.lock_days", "days = 1", "buckets/tests/buckets buckets"},
	{"no Object Lock", "buckets/main.tf", "object_lock_enabled = true", "object_lock_enabled = false", "buckets/tests/buckets buckets"},
	{"a rule that expires what is in the vault", "buckets/vault.tf", "    noncurrent_version_expiration {\n", "    expiration {\n      days = 365\n    }\n\n    noncurrent_version_expiration {\n", "buckets/tests/buckets buckets"},
	{"staging is kept for ever", "buckets/staging.tf", "    expiration {\n      days = var.staging_expire_days\n    }\n", "", "buckets/tests/buckets buckets"},
	{"an adopted vault gets a policy", "buckets/vault.tf", "resource \"aws_s3_bucket_policy\" \"vault\" {\n  count = var.create_vault ? 1 : 0\n\n  bucket = aws_s3_bucket_public_access_block.vault[0].bucket", "resource \"aws_s3_bucket_policy\" \"vault\" {\n  count = 1\n\n  bucket = var.vault_name", "buckets/tests/buckets adopted"},

	{"a lock shorter than the window", "variables.tf", "var.lock_days >= var.recovery_window_days + var.longest_gap_days + var.backup_duration_days", "var.lock_days >= 1", "tests/validations lock_shorter_than_the_window"},
	{"staging shorter than the wait", "variables.tf", "24 * 60 * var.staging_expire_days > 60 * var.wal_deadline_hours + var.sweep_interval_minutes", "var.staging_expire_days > 0", "tests/validations staging_shorter_than_the_wait"},
	{"one bucket for both", "variables.tf", "condition     = var.staging_bucket != var.vault_bucket", "condition     = var.staging_bucket != \"\"", "tests/validations one_bucket_for_both"},
	{"a host may name its server", "hosts/variables.tf", "sts:TagSession|", "", "hosts/tests/hosts a_trust_that_lets_hosts_choose_their_server"},
}

// TestMutationsOfAWS makes each mistake in a copy of the module, plans all copies in one go, and has each found. Every
// statement of the buckets' policies that denies is missed by the table of requests as well (package awspolicy).
func TestMutationsOfAWS(t *testing.T) {
	tree := t.TempDir()
	source := filepath.Join(tftest.Root(), "aws")
	for i, m := range mutations {
		copyModule(t, source, filepath.Join(tree, "aws", fmt.Sprintf("m%02d", i)))
		mutate(t, filepath.Join(tree, "aws", fmt.Sprintf("m%02d", i), m.file), m)
		file, run, _ := strings.Cut(m.test, " ")
		// A file of its own: Terraform skips what follows a run that ends in an error.
		write(t, filepath.Join(tree, "aws", "tests", fmt.Sprintf("m%02d.tftest.hcl", i)), oneRun(t, filepath.Join(source, file+".tftest.hcl"), run, i))
	}
	write(t, filepath.Join(tree, "aws", "tests", "fixtures", "function.zip"), "x")
	versions, err := os.ReadFile(filepath.Join(source, "versions.tf"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(tree, "aws", "versions.tf"), string(versions))

	results := map[string]tftest.Result{}
	for _, r := range tftest.At(t, "aws", tree).Test(t) {
		if r.Run == "" {
			t.Errorf("%s: %v", r.File, r.Problems)
		}
		results[r.Run] = r
	}
	for i, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			r, ok := results[fmt.Sprintf("m%02d", i)]
			if !ok || r.Status == "skip" {
				t.Fatalf("it was not run: %+v", r)
			}
			_, run, _ := strings.Cut(m.test, " ")
			found := append(r.Problems, wrongAnswers(t, r, run)...)
			if len(found) == 0 {
				t.Fatal("nothing has noticed")
			}
			t.Log(found[0])
		})
	}
}

// wrongAnswers are the requests of the table that the policies of a mutated module answer wrongly.
func wrongAnswers(t *testing.T, r tftest.Result, run string) (wrong []string) {
	t.Helper()
	var documents map[string]string
	if json.Unmarshal(r.Outputs["policies"], &documents) != nil || documents == nil {
		return nil
	}
	set, err := awspolicy.Read(documents)
	if err != nil {
		return []string{err.Error()}
	}
	for _, request := range awspolicy.Requests {
		if request.Run == run && request.Decide(set).Allowed != request.Want {
			wrong = append(wrong, request.Name)
		}
	}
	return wrong
}

// copyModule copies a module without its examples and tests.
func copyModule(t *testing.T, from, to string) {
	t.Helper()
	tftest.Copy(t, from, to)
	for _, below := range []string{"examples", "tests", "buckets/tests", "hosts/tests"} {
		if err := os.RemoveAll(filepath.Join(to, below)); err != nil {
			t.Fatal(err)
		}
	}
}

// mutate changes one place of a file.
func mutate(t *testing.T, path string, m mutation) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), m.old) != 1 {
		t.Fatalf("%s: %q stands there %d times", m.name, m.old, strings.Count(string(text), m.old))
	}
	write(t, path, strings.Replace(string(text), m.old, m.new, 1))
}

var inRun = regexp.MustCompile(`(?m)^}$`)

// oneRun is a test file with one of its runs only, for the mutated copy with this number.
func oneRun(t *testing.T, path, run string, i int) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(string(text), fmt.Sprintf("\nrun %q {\n", run))
	if !found {
		t.Fatalf("%s has no run %q", path, run)
	}
	body = body[:inRun.FindStringIndex(body)[0]]
	dir := fmt.Sprintf("./m%02d", i)
	for _, below := range []string{"buckets", "hosts"} {
		if strings.Contains(path, "/"+below+"/tests/") {
			dir += "/" + below
		}
	}
	head, _, _ := strings.Cut(string(text), "\nrun \"")
	return fmt.Sprintf("%s\nrun \"m%02d\" {\n  module {\n    source = %q\n  }\n\n%s}\n", head, i, dir, body)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
