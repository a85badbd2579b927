package seal_test

import (
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/runtimeapi"
)

// A function that is set up wrongly does not start, and its log names the variable.
func TestSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, env := range [][]string{
		{"PGSEAL_VAULT_URL"}, {"PGSEAL_STAGING_URL"},
		{"PGSEAL_VAULT_URL", "gs://vault"}, {"PGSEAL_VAULT_URL", "s3://V"}, {"PGSEAL_STAGING_URL", "s3://staging/../x"},
		{"PGSEAL_STAGING_URL", "s3://vault/p/"}, {"PGSEAL_WAL_CHECK", "sometimes"}, {"PGSEAL_WAL_CHECK", "off,x y=require"},
		{"PGSEAL_WAL_DEADLINE", "soon"}, {"PGSEAL_WAL_DEADLINE", "0s"}, {"PGSEAL_MIN_RETENTION", "-1h"}, {"PGSEAL_MIN_RETENTION", "30"},
		{"PGSEAL_DEADLINE", "1s"},
	} {
		settings := map[string]string{"PGSEAL_VAULT_URL": "s3://vault/p", "PGSEAL_STAGING_URL": "s3://staging/p"}
		delete(settings, env[0])
		if len(env) == 2 {
			settings[env[0]] = env[1]
		}
		var all []string
		for name, value := range settings {
			all = append(all, name+"="+value)
		}
		fn := runtimeapi.Start(t, build.Bootstrap(t), all...)
		result := fn.Call(t.Context(), localaws.TestEvent("staging"))
		if result.Err == nil || result.Err.Type != "Runtime.ExitError" {
			t.Errorf("%q: %+v", env, result)
		}
		has(t, fn.Logs(), "the function cannot start", env[0])
	}
}

// Rights that are missing are told as what they are, and no verdict is made of them.
func TestRightsThatAreMissing(t *testing.T) {
	t.Parallel()
	for _, right := range []string{"s3:GetObject", "s3:ListBucketVersions", "s3:ListBucket", "s3:PutObject", "s3:GetObjectVersion"} {
		t.Run(right, func(t *testing.T) {
			t.Parallel()
			s := begin(t, locked)
			rules := s.Rules.Statements()
			if err := s.Rules.Add(localaws.Statement{Sid: "Missing", Effect: localaws.Deny, Principal: []string{s.Finalizer.Name},
				Actions: []string{right}, Resources: []string{"arn:aws:s3:::" + s.Vault, "arn:aws:s3:::" + s.Vault + "/*"}}); err != nil {
				t.Fatal(err)
			}
			b := s.uploaded(t, "main")
			r := b.mark(t)
			failsAs(t, s.wake(t, direct, r), "AccessError", right)
			b.isNotSealed(t, want{})
			if err := s.Rules.Replace(rules...); err != nil {
				t.Fatal(err)
			}
			if err := s.wake(t, direct, r); err != nil {
				t.Fatal(err)
			}
			b.isSealed(t)
		})
	}
}
