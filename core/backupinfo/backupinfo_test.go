package backupinfo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
)

// The samples were written by barman 3.4.0 and 3.17.0 on a PostgreSQL 15.
func TestBarmansOwnFilesAreRead(t *testing.T) {
	files, _ := filepath.Glob("testdata/v3*.backup.info")
	if len(files) < 9 {
		t.Fatal("samples are missing")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			info, err := backupinfo.Parse(b)
			if err != nil || len(info.Unknown) > 0 {
				t.Fatal(err, info.Unknown)
			}
			if info.Version != 150018 || info.BeginLSN == 0 || info.BeginTime.IsZero() || info.ServerName != "cloud" {
				t.Errorf("%+v", info)
			}
			for name, got := range map[string]string{"begin_wal": info.BeginWAL(), "end_wal": info.EndWAL()} {
				if got == "" {
					got = "None"
				}
				if !strings.Contains(string(b), "\n"+name+"="+got+"\n") {
					t.Errorf("%s is not %s", name, got)
				}
			}
		})
	}
}

// A file of barman 3.4 is written back byte for byte, but for the figures of
// copy_stats that nobody shows.
func TestWrittenAsBarman34Writes(t *testing.T) {
	b, err := os.ReadFile("testdata/v34-plain.backup.info")
	if err != nil {
		t.Fatal(err)
	}
	info, err := backupinfo.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := backupinfo.Render(info)
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(string(b), "\n"), strings.Split(string(out), "\n")
	if len(want) != len(got) {
		t.Fatalf("%d lines, not %d", len(got), len(want))
	}
	for n := range want {
		if want[n] != got[n] && !strings.HasPrefix(want[n], "copy_stats=") {
			t.Errorf("line %d:\n got %s\nwant %s", n+1, got[n], want[n])
		}
	}
	if again, err := backupinfo.Parse(out); err != nil || again.Stats.Total != 4098*time.Millisecond {
		t.Error(again.Stats, err)
	}
}

func TestNoValueCanAddALine(t *testing.T) {
	for name, change := range map[string]func(*backupinfo.Info){
		"a line break in a path":       func(i *backupinfo.Info) { i.PGData = "/a\nstatus=FAILED" },
		"a carriage return":            func(i *backupinfo.Info) { i.ConfigFile = "/a\rb" },
		"a vertical tab":               func(i *backupinfo.Info) { i.HBAFile = "/a\vb" },
		"a unicode line separator":     func(i *backupinfo.Info) { i.IdentFile = "/a\u2028b" },
		"a next-line character":        func(i *backupinfo.Info) { i.PGData = "/a\u0085b" },
		"a blank at the end":           func(i *backupinfo.Info) { i.PGData = "/a " },
		"no UTF-8":                     func(i *backupinfo.Info) { i.PGData = "/a\xff" },
		"a backup that is called None": func(i *backupinfo.Info) { i.BackupName = "None" },
		"a line break in a comment":    func(i *backupinfo.Info) { i.Comments = []string{"x\nstatus=FAILED"} },
	} {
		i := backupinfo.Info{Status: backupinfo.Done}
		change(&i)
		if out, err := backupinfo.Render(i); !errors.Is(err, backupinfo.ErrFormat) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// What is written as a Python literal is read by Python itself, and gives back
// what went in.
func TestPythonReadsTheLiterals(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is needed: run scripts/install-deps test")
	}
	odd := []string{"plain", "it's", `say "hi"`, `both ' and "`, "back\\slash", "line\nbreak\r\t", "ünï", "\u2028\u0085\x7f", "😀", "nul\x00"}
	i := backupinfo.Info{Label: strings.Join(odd, "|"), Included: odd}
	for n, s := range odd {
		i.Tablespaces = append(i.Tablespaces, backupinfo.Tablespace{Name: s, OID: uint32(16384 + n), Location: "/x/" + s})
	}
	out, err := backupinfo.Render(i)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", `
import ast, json, sys
d = dict(l.split("=", 1) for l in sys.stdin.buffer.read().decode("utf-8").split("\n") if l)
print(json.dumps([ast.literal_eval(d["backup_label"]), ast.literal_eval(d["included_files"]), [list(t) for t in ast.literal_eval(d["tablespaces"])]]))`)
	cmd.Stdin = bytes.NewReader(out)
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal([]any{i.Label, i.Included, func() (l [][]any) {
		for _, ts := range i.Tablespaces {
			l = append(l, []any{ts.Name, ts.OID, ts.Location})
		}
		return
	}()})
	var a, b any
	if json.Unmarshal(said, &a) != nil || json.Unmarshal(want, &b) != nil {
		t.Fatal("no JSON")
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if !bytes.Equal(x, y) {
		t.Errorf("python read\n%s\nnot\n%s", x, y)
	}
	back, err := backupinfo.Parse(out)
	if err != nil || back.Label != i.Label || len(back.Tablespaces) != len(odd) {
		t.Error(err, back)
	}
}

func TestComments(t *testing.T) {
	out, err := backupinfo.Render(backupinfo.Info{Status: backupinfo.Done, Comments: []string{"pgseal seal_format=1"}})
	if err != nil || !bytes.HasPrefix(out, []byte("# pgseal seal_format=1\nbackup_label=None\n")) {
		t.Fatalf("%s %v", out, err)
	}
	i, err := backupinfo.Parse(out)
	if err != nil || i.Comment("seal_format") != "1" || i.Comment("other") != "" {
		t.Error(i, err)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for _, bad := range []string{"status", "  # indented", "timeline=x", "tablespaces=[1]", "tablespaces=[('a', '1', '/x')]",
		"backup_label=[", "backup_label='", "backup_label='\\q'", "begin_time=yesterday", "\xff", "begin_xlog=1",
		"included_files=" + strings.Repeat("[", 100), "copy_stats={1: 2}"} {
		if i, err := backupinfo.Parse([]byte(bad)); !errors.Is(err, backupinfo.ErrFormat) {
			t.Errorf("%q: %v %+v", bad, err, i)
		}
	}
	if i, err := backupinfo.Parse([]byte("status=DONE\r\nnew_field=1\n\n")); err != nil || i.Status != "DONE" || i.Unknown[0] != "new_field" {
		t.Error(i, err)
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/v3*.backup.info")
	for _, file := range files {
		b, _ := os.ReadFile(file)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := backupinfo.Parse(b)
		if err != nil {
			return
		}
		out, err := backupinfo.Render(i)
		if err != nil {
			return
		}
		again, err := backupinfo.Parse(out)
		if err != nil || again.Status != i.Status || again.PGData != i.PGData || again.Label != i.Label {
			t.Errorf("%v: %q became %q", err, b, out)
		}
	})
}
