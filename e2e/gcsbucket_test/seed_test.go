package gcsbucket_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

// What this project began with: a tool that writes backup.info twice fails on a bucket with a retention policy of a day.
func TestASecondBackupInfoIsRefusedAsTheCloudDoes(t *testing.T) {
	s := start(t, localgcp.Config{VaultRetention: 24 * time.Hour})
	const key = "main/base/20261126T100000/backup.info"
	who := s.raw(cloud.Breakglass, s.Vault)
	if err := who.put(t.Context(), key, "", strings.NewReader("status=STARTED\n")); err != nil {
		t.Fatal(err)
	}
	err := who.put(t.Context(), key, "", strings.NewReader("status=DONE\n"))
	var no *refusal
	if !errors.As(err, &no) || no.Code != 403 || no.Errors[0].Reason != "retentionPolicyNotMet" {
		t.Fatalf("%v, want 403 retentionPolicyNotMet", err)
	}
	want := regexp.MustCompile(`^Object 'vault/main/base/20261126T100000/backup\.info' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?[-+]\d\d:\d\d$`)
	if !want.MatchString(no.Message) {
		t.Errorf("%q", no.Message)
	}
	if err := who.remove(t.Context(), key, ""); err == nil || err.Error() != no.Error() {
		t.Errorf("a delete is answered %v, want the same", err)
	}
	b := s.open(t, cloud.Finalizer, s.Vault+"/main")
	if got, _, err := bucket.ReadAll(t.Context(), b, "base/20261126T100000/backup.info", "", 100); string(got) != "status=STARTED\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
