package azurebucket_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localazure"
)

// barman runs a stock barman-cloud program as somebody.
func (s *store) barman(t *testing.T, who, program string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%v: run scripts/install-deps test", err)
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"--cloud-provider", "azure-blob-storage"}, args...)...)
	cmd.Env = append(os.Environ(), s.Env(who)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Debian's programs work through the proxy with nothing but an environment: what the tests of whole backups rely on.
func TestStockBarmanReadsWhatTheDriverWroteAndCannotWriteOver(t *testing.T) {
	s := start(t, localazure.Config{VaultRetention: 24 * time.Hour, Prefix: "p/q"})
	const segment = "000000010000000000000003"
	host := s.open(t, cloud.Host, s.Vault+"/p/q")
	want := body(16 << 20)
	if _, err := host.Create(t.Context(), "srv/wals/0000000100000000/"+segment, bytes.NewReader(want), bucket.CreateOptions{PartSize: 4 << 20}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	got := filepath.Join(dir, "restored")
	if out, err := s.barman(t, cloud.Restore, "barman-cloud-wal-restore", s.VaultURL(), "srv", segment, got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if have, err := os.ReadFile(got); err != nil || !bytes.Equal(have, want) {
		t.Errorf("%d bytes, %v", len(have), err)
	}
	if out, err := s.barman(t, cloud.Restore, "barman-cloud-backup-list", "--format", "json", s.VaultURL(), "srv"); err != nil || !strings.Contains(out, "backups_list") {
		t.Errorf("%v: %s", err, out)
	}

	// It overwrites without a condition, so that it is the policy that refuses.
	file := filepath.Join(dir, segment)
	if err := os.WriteFile(file, want, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.barman(t, cloud.Host, "barman-cloud-wal-archive", s.VaultURL(), "srv", file); err == nil {
		t.Errorf("it wrote over a locked segment: %s", out)
	}
	if refused := s.Requests(cloud.By(cloud.Host), cloud.Operations("PutBlob", "PutBlock"), func(r cloud.Request) bool { return r.Status == 409 }); len(refused) == 0 {
		t.Error("the policy has refused nothing")
	}
	next := filepath.Join(dir, "000000010000000000000004")
	if err := os.WriteFile(next, want, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.barman(t, cloud.Host, "barman-cloud-wal-archive", s.VaultURL(), "srv", next); err != nil {
		t.Errorf("a new segment: %v: %s", err, out)
	}
}
