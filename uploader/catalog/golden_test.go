package catalog_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/catalog"
)

var update = flag.Bool("update", false, "write the golden files anew")

// stock is a backup.info of barman's.
const stock = "backup_label=None\nbegin_time=2026-11-19 03:00:00.000000+00:00\nbegin_xlog=0/200028\nend_time=2026-11-19 03:10:00.000000+00:00\n" +
	"end_xlog=0/200100\nserver_name=cloud\nstatus=DONE\ntimeline=1\nversion=150018\nxlog_segment_size=1048576\n"

// everything makes a vault in which every state occurs once, and sealed some more.
func everything(t *testing.T) *world {
	w := newWorld(t)
	w.at("19T03:10")
	w.create(layout.BackupDir(server, "20261119T030000")+"data.tar.gz", "stock barman's archive")
	w.create(layout.BackupInfo(server, "20261119T030000"), stock)

	w.at("20T03:01")
	w.seal(finalizer.Config{})

	w.at("20T06:01")
	w.seal(finalizer.Config{WALOffElse: true})

	w.at("20T09:01") // an archive is not what the manifest says
	s := w.set()
	s.UploadArchives(t, w.vault)
	s.UploadWAL(t, w.vault)
	s.Manifest.Objects[0].CRC32C = "00000000"
	s.UploadManifest(t, w.vault)
	w.finalize(s.ID(), finalizer.Config{})

	w.at("20T12:00")
	w.record("20261120T120000", backupinfo.Failed, "could not read base/1/1259: Input/output error")

	w.at("20T15:00")
	w.record("20261120T150000", backupinfo.Started, "")
	w.at("20T15:20")
	w.heartbeat("20261120T150000", manifest.Progress{Host: "db1", PID: 4711, Bytes: 600 << 20, Total: 2 << 30, Stored: 100 << 20})
	w.create(layout.BackupDir(server, "20261120T150000")+"data.tar", strings.Repeat("x", 5000))

	w.at("20T18:00")
	w.create(layout.BackupDir(server, "20261120T180000")+"data.tar", strings.Repeat("x", 3000))

	w.at("20T21:01")
	w.set().Upload(t, w.vault)

	w.at("21T03:01") // stock barman under the same id
	s = w.set()
	s.Upload(t, w.vault)
	w.create(layout.BackupInfo(server, s.ID()), stock)
	w.finalize(s.ID(), finalizer.Config{})

	w.at("21T06:00")
	w.create(layout.BackupInfo(server, "20261121T060000"), "status=\x1b[2J\x1b]0;owned\x07\nbegin_time=\x1b[31m\n")

	w.at("21T09:01")
	s = w.seal(finalizer.Config{})
	w.lose(s.Key(layout.BackupInfoName))

	w.at("21T12:00")
	w.record("20261121T120000", backupinfo.Done, "")

	w.at("21T15:01")
	s = w.seal(finalizer.Config{})
	v, _, err := finalizer.ReadVerdict(t.Context(), w.staging, server, s.ID())
	if err != nil {
		t.Fatal(err)
	}
	v.Findings = []finalizer.Reason{{Code: "added", Object: s.Key("data_9999.tar"), Text: "an archive was added after the seal, and a stock restore would read it"}}
	w.json(layout.Verdict(server, s.ID()), v)

	w.at("21T18:01")
	w.seal(finalizer.Config{}) // and its WAL is the newest

	w.at("23T03:01")
	s = w.set()
	s.UploadArchives(t, w.vault)
	s.UploadManifest(t, w.vault)
	w.mark(s.ID())
	w.finalize(s.ID(), finalizer.Config{})

	w.at("23T11:20")
	s = w.set()
	s.UploadArchives(t, w.vault)
	s.UploadManifest(t, w.vault)
	w.mark(s.ID())

	w.at("23T11:55")
	w.record("20261123T115500", backupinfo.Started, "")
	w.at("23T11:59")
	w.heartbeat("20261123T115500", manifest.Progress{Host: "db1\x1b[31m", PID: 4712, Bytes: 6 << 30, Total: 8 << 30, Stored: 1 << 30})
	w.at("23T12:00")
	return w
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update writes it anew):\n%s", file, got)
	}
}

func table(t *testing.T, c *catalog.Catalog) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryStateInTableAndJSON(t *testing.T) {
	w := everything(t)
	c := w.read()
	text := table(t, c)
	golden(t, "status.txt", []byte(text))
	body, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "status.json", append(body, '\n'))
	fits(t, text)
	var metrics bytes.Buffer
	if err := c.WritePrometheus(&metrics); err != nil {
		t.Fatal(err)
	}
	golden(t, "status.prom", metrics.Bytes())

	states := map[catalog.State]bool{}
	for _, b := range c.Backups {
		states[b.State] = true
	}
	for _, s := range []catalog.State{catalog.Running, catalog.Complete, catalog.Waiting, catalog.Sealed, catalog.Rejected, catalog.Conflict, catalog.Failed,
		catalog.Abandoned, catalog.Unsealed, catalog.Leftovers, catalog.Tampered, catalog.Deleted, catalog.Foreign, catalog.Unreadable} {
		if !states[s] {
			t.Errorf("no backup is %s", s)
		}
		if !strings.Contains(metrics.String(), `,state="`+string(s)+`"} `) {
			t.Errorf("no metric says how many backups are %s", s)
		}
	}
}

func TestTheVaultAloneSaysWhatItCannotSee(t *testing.T) {
	w := everything(t)
	r := w.reader()
	r.Staging, r.Flags = nil, []string{"--endpoint-url", "http://127.0.0.1:7070/a b"}
	c, err := r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := table(t, c)
	golden(t, "vault-only.txt", []byte(text))
	fits(t, text)
}

func TestNothingThere(t *testing.T) {
	w := newWorld(t)
	c := w.read()
	golden(t, "nothing.txt", []byte(table(t, c)))
	body, err := json.Marshal(c)
	if err != nil || !strings.Contains(string(body), `"backups":[]`) {
		t.Error(string(body), err)
	}
	var metrics bytes.Buffer
	if err := c.WritePrometheus(&metrics); err != nil {
		t.Fatal(err)
	}
	golden(t, "nothing.prom", metrics.Bytes())
}

// fits holds what is for people to the width, and to characters that a terminal shows.
func fits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if n := utf8.RuneCountInString(line); n > catalog.Width && !strings.HasPrefix(line, "  next: ") {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("not printable: %q", line)
		}
	}
}
