package chaos_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// checkPostgres: no session of pgseal's is left, and so no backup, which ends with it; nothing in the data directory.
func (s *scene) checkPostgres(t *testing.T) {
	t.Helper()
	s.until(t, "pgseal's sessions to end", func() bool {
		return s.source.SQL("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgseal%'") == "0"
	})
	if n := s.source.SQL("SELECT count(*) FROM pg_stat_progress_basebackup"); n != "0" {
		t.Errorf("%s base backups run", n)
	}
	for _, name := range []string{"backup_label", "tablespace_map"} {
		if _, err := os.Stat(filepath.Join(s.source.DataDir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left in the data directory: %v", name, err)
		}
	}
}

// status is what "pgseal status --format json" says.
func (s *scene) status(t *testing.T) (c catalog.Catalog) {
	t.Helper()
	o := start(t, s.command(t, cloud.Restore, "status", "--format", "json", s.VaultURL(), server)).wait(t).want(t, 0)
	if err := json.Unmarshal([]byte(o.stdout), &c); err != nil {
		t.Fatalf("%v\n%s", err, o.all)
	}
	return c
}

// checkStatus: every id that anybody claimed has a state that is final, and all but the sealed have a reason; the page
// for people shows each as well. Whoever has a manifest in the vault is sealed: nothing is lost.
func (s *scene) checkStatus(t *testing.T) {
	t.Helper()
	told, counts := map[string]catalog.Backup{}, map[catalog.State]int{}
	for _, b := range s.status(t).Backups {
		told[b.ID] = b
		counts[b.State]++
		final := slices.Contains([]catalog.State{catalog.Sealed, catalog.Failed, catalog.Abandoned}, b.State)
		explained := b.State == catalog.Sealed && len(b.Reasons)+len(b.Findings) == 0 || b.State != catalog.Sealed && len(b.Reasons) > 0 && b.Reasons[0].Text != ""
		if !final || !explained {
			t.Errorf("not explained: %+v", b)
		}
	}
	t.Logf("states: %v", counts)
	page := start(t, s.command(t, cloud.Restore, "status", s.VaultURL(), server)).wait(t).want(t, 0).stdout
	for _, place := range []bucket.Bucket{s.vault, s.staging} {
		for key := range s.everything(t, place, server+"/base/") {
			id := strings.Split(key, "/")[2]
			b, known := told[id]
			if !known || !strings.Contains(page, id) {
				t.Errorf("status does not tell of %s", key)
			}
			if place == s.vault && path.Base(key) == "manifest.json" && b.State != catalog.Sealed {
				t.Errorf("%s is complete, and %s: %+v", id, b.State, b.Reasons)
			}
		}
	}
}

// everything is what stands below a prefix, with the number of versions.
func (s *scene) everything(t *testing.T, b bucket.Bucket, prefix string) map[string]int {
	t.Helper()
	all := map[string]int{}
	for o, err := range b.ListVersions(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		all[o.Key]++
	}
	return all
}

func (s *scene) content(t *testing.T, key string) []byte {
	t.Helper()
	body, _, err := bucket.ReadAll(t.Context(), s.vault, key, "", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// checkVault: nothing was written twice, and every backup.info tells the truth: what it says is held against the bytes
// that are there, without a look at what pgseal thinks of them.
func (s *scene) checkVault(t *testing.T) {
	t.Helper()
	all := s.everything(t, s.vault, "")
	seals := 0
	for key, versions := range all {
		if versions != 1 {
			t.Errorf("%d versions of %s", versions, key)
		}
		if path.Base(key) == "backup.info" {
			seals++
			if err := s.checkSeal(t, path.Dir(key)+"/", all); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	}
	if seals == 0 {
		t.Error("nothing is sealed")
	}
	for _, r := range s.Requests() {
		switch {
		case r.Op == cloud.Delete:
			t.Errorf("a delete: %+v", r)
		case r.Op == cloud.Create && r.Bucket == s.VaultName() && !r.CreateOnly:
			t.Errorf("a write that could replace something: %+v", r)
		case r.Op == cloud.Create && strings.HasSuffix(r.Key, "/backup.info") && r.Bucket == s.VaultName() && r.Identity != cloud.Finalizer:
			t.Errorf("a seal by somebody else: %+v", r)
		}
	}
}

var archiveName = regexp.MustCompile(`^data(_\d+)?\.tar$`)

func (s *scene) checkSeal(t *testing.T, dir string, all map[string]int) error {
	t.Helper()
	info := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(s.content(t, dir+"backup.info"))); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			info[name] = value
		}
	}
	if info["status"] != "DONE" || info["server_name"] != "cloud" {
		return fmt.Errorf("it says %v", info)
	}
	var m struct {
		Objects []struct{ Name, SHA256 string }
	}
	if err := json.Unmarshal(s.content(t, dir+"manifest.json"), &m); err != nil {
		return err
	}
	digests := map[string]string{}
	for _, o := range m.Objects {
		digests[o.Name] = o.SHA256
	}
	var archives []string
	for key := range all {
		if name, ok := strings.CutPrefix(key, dir); ok && archiveName.MatchString(name) {
			archives = append(archives, name)
		}
	}
	slices.Sort(archives)
	if len(archives) != len(digests) || archives[0] != "data.tar" {
		return fmt.Errorf("the vault has %q, and the manifest %v", archives, digests)
	}
	files := map[string]int{}
	for n, name := range archives {
		if n > 0 && name != fmt.Sprintf("data_%04d.tar", n) {
			return fmt.Errorf("%q have a gap", archives)
		}
		body := s.content(t, dir+name)
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != digests[name] {
			return fmt.Errorf("%s holds other bytes than were sent", name)
		}
		for r := tar.NewReader(bytes.NewReader(body)); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				return fmt.Errorf("%s in %s: %w", h.Name, name, err)
			}
			if h.Typeflag == tar.TypeReg {
				files[strings.TrimPrefix(h.Name, "./")]++
			}
		}
	}
	for _, name := range []string{"PG_VERSION", "global/pg_control", "backup_label", "base/1/PG_VERSION", "postgresql.conf"} {
		if files[name] != 1 {
			return fmt.Errorf("%s is in the archives %d times", name, files[name])
		}
	}
	return checkWAL(info, all)
}

// checkWAL: from begin_wal to the segment of the byte before end_xlog all are there.
func checkWAL(info map[string]string, all map[string]int) error {
	first, err := strconv.ParseUint(info["begin_wal"][16:], 16, 32)
	if err != nil {
		return err
	}
	high, low, _ := strings.Cut(info["end_xlog"], "/")
	h, err1 := strconv.ParseUint(high, 16, 32)
	l, err2 := strconv.ParseUint(low, 16, 32)
	if err := errors.Join(err1, err2); err != nil || h != 0 {
		return fmt.Errorf("end_xlog is %s, %w", info["end_xlog"], err)
	}
	for n := first; n <= (l-1)>>20; n++ {
		if key := fmt.Sprintf("%s/wals/0000000100000000/00000001%08X%08X", server, 0, n); all[key] != 1 {
			return fmt.Errorf("%s is not there", key)
		}
	}
	return nil
}

// checkUploads: on S3 none is open after the last sweep. A session of Cloud Storage ends after a week, and Azure drops
// blocks that nobody commits after a week; neither is an object, can be listed, or is paid for by the name.
func (s *scene) checkUploads(t *testing.T) {
	t.Helper()
	open, err := s.OpenUploads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Kind.Name == clouds.AWS.Name && len(open) > 0 {
		t.Errorf("uploads are open: %q", open)
	}
}
