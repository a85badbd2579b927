package backupinfo_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
)

func TestEveryFieldOfBarmansOwnFilesIsRead(t *testing.T) {
	files, _ := filepath.Glob("testdata/v3*.backup.info")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := backupinfo.ParseFields(b)
		if err != nil {
			t.Fatal(file, err)
		}
		if f["version"] != int64(150018) || f.Time("begin_time").IsZero() || f.Text("server_name") != "cloud" || f["xlog_segment_size"] != int64(16<<20) {
			t.Errorf("%s: %+v", file, f)
		}
		if stats, ok := f["copy_stats"].(map[string]any); f.Text("status") == backupinfo.Done && (!ok || stats["number_of_workers"] != int64(2)) {
			t.Errorf("%s: copy_stats %v", file, f["copy_stats"])
		}
	}
}

func TestFieldsThatAreNotThere(t *testing.T) {
	f, err := backupinfo.ParseFields([]byte("# a comment\nend_time=None\n\n"))
	if err != nil || f.Text("status") != "EMPTY" || f["xlog_segment_size"] != int64(16<<20) || len(f) != 3 {
		t.Fatal(f, err)
	}
	if v, there := f["end_time"]; v != nil || !there || !f.Time("end_time").Equal(time.Time{}) {
		t.Error(v, there)
	}
	for _, bad := range []string{"status", "version=x", "begin_time=soon", "tablespaces=[", "backup_label=1", "a=\xff"} {
		if _, err := backupinfo.ParseFields([]byte(bad)); !errors.Is(err, backupinfo.ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add([]byte("status=DONE\ntablespaces=[('a', 1, '/b')]\nend_time=2026-11-22 22:19:38.604283+00:00\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := backupinfo.ParseFields(b); err != nil && !errors.Is(err, backupinfo.ErrFormat) {
			t.Error(err)
		}
	})
}
