package pgdata_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pgseal/pgseal/uploader/pgdata"
)

// what every archive of PGDATA holds, whatever is on disk.
var always = []string{"./", "PG_VERSION", "base/", "global/", "pg_commit_ts/", "pg_dynshmem/",
	"pg_logical/", "pg_logical/mappings/", "pg_logical/snapshots/", "pg_multixact/", "pg_multixact/members/",
	"pg_multixact/offsets/", "pg_notify/", "pg_replslot/", "pg_serial/", "pg_snapshots/", "pg_stat/",
	"pg_stat_tmp/", "pg_subtrans/", "pg_tblspc/", "pg_twophase/", "pg_wal/", "pg_xact/"}

func TestWalk(t *testing.T) {
	elsewhere := t.TempDir()
	fill(t, elsewhere, "wal/000000010000000000000001", "xact/0000", "conf/pg_hba.conf", "log/x.log")
	for name, test := range map[string]struct {
		files []string
		want  []string // in addition to always
		log   string
	}{
		"required directories that are missing are made": {},
		"contents of the server's own directories stay behind": {files: []string{
			"pg_wal/000000010000000000000001", "pg_wal/archive_status/x", "pg_notify/0000", "pg_replslot/slot/state",
			"pg_subtrans/0000", "pg_stat_tmp/x", "pg_dynshmem/mmap.1", "pg_serial/0000", "pg_snapshots/1"}},
		"statistics, transaction state and logical snapshots go along": {
			files: []string{"pg_stat/pgstat.stat", "pg_xact/0000", "pg_logical/replorigin_checkpoint", "pg_twophase/00000001"},
			want:  []string{"pg_stat/pgstat.stat", "pg_xact/0000", "pg_logical/replorigin_checkpoint", "pg_twophase/00000001"}},
		"the files of the running server stay behind": {files: []string{
			"postmaster.pid", "postmaster.opts", "postgresql.auto.conf.tmp", "current_logfiles", "current_logfiles.tmp",
			"global/pg_internal.init", "base/5/pg_internal.init.123", "lost+found/x", "base/pgsql_tmp/pgsql_tmp1.0"},
			want: []string{"base/5/"}},
		"what belongs to another backup or recovery stays behind": {files: []string{
			"backup_label", "backup_label.old", "tablespace_map", "tablespace_map.old", "backup_manifest",
			"recovery.signal", "standby.signal", "recovery.conf"}},
		"temporary and unlogged relations stay behind, init forks go along": {files: []string{
			"base/5/t3_16384", "base/5/t3_16384_fsm", "base/5/t12_16384.1", "base/5/16390", "base/5/16390.1", "base/5/16390_fsm",
			"base/5/16390_vm", "base/5/16390_init", "base/5/16391", "base/5/16391_fsm", "base/5/163900", "base/5/t3_", "base/5/t3_1x"},
			want: []string{"base/5/", "base/5/16390_init", "base/5/16391", "base/5/16391_fsm", "base/5/163900", "base/5/t3_", "base/5/t3_1x"}},
		"names like relations outside of a database's directory are kept": {
			files: []string{"base/t3_16384", "pg_xact/16390", "pg_xact/16390_init"},
			want:  []string{"base/t3_16384", "pg_xact/16390", "pg_xact/16390_init"}},
		"log files stay behind, however deep": {files: []string{"log/a/b/c.log", "pg_log/x.log"}, want: []string{"log/", "pg_log/"}},
		"a log_directory of another name is left empty": {log: "var/logs",
			files: []string{"var/logs/x.log", "var/other"}, want: []string{"var/", "var/logs/", "var/other"}},
		"a log_directory that the server needs otherwise is kept": {log: "pg_xact", files: []string{"pg_xact/0000"}, want: []string{"pg_xact/0000"}},
		"a log_directory that is PGDATA is kept":                  {log: ".", files: []string{"x.log"}, want: []string{"x.log"}},
		"a known directory that is a link becomes a directory": {
			files: []string{"pg_wal -> " + elsewhere + "/wal", "pg_xact -> " + elsewhere + "/xact", "log -> " + elsewhere + "/log"},
			want:  []string{"pg_xact/0000", "log/"}},
		"a link to a known directory that is emptied may lead nowhere": {files: []string{"pg_stat_tmp -> /nowhere/at/all"}},
		"a link to a file becomes the file": {
			files: []string{"pg_hba.conf -> " + elsewhere + "/conf/pg_hba.conf"}, want: []string{"pg_hba.conf"}},
		"links of tablespaces stay behind, tablespaces in place go along": {
			files: []string{"pg_tblspc/16400 -> /nowhere", "pg_tblspc/16401/PG_15_202209061/5/t3_1", "pg_tblspc/16401/PG_15_202209061/5/16402"},
			want:  []string{"pg_tblspc/16401/", "pg_tblspc/16401/PG_15_202209061/", "pg_tblspc/16401/PG_15_202209061/5/", "pg_tblspc/16401/PG_15_202209061/5/16402"}},
		"names may hold a newline and bytes that are no UTF-8": {
			files: []string{"odd\nname", "odd\xff"}, want: []string{"odd\nname", "odd\xff"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := fakeCluster(t, test.files...)
			got := names(t, plan(t, pgdata.Options{Root: root, LogDirectory: test.log}), "data")
			if got[0] != "./" {
				t.Errorf("the first entry is %q", got[0])
			}
			want := slices.Concat(always, test.want)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestWalkRefusesByName(t *testing.T) {
	elsewhere := t.TempDir()
	for name, test := range map[string]struct {
		files []string
		make  func(root string) error
		bad   string
	}{
		"a link to a directory that PostgreSQL does not know": {files: []string{"mine -> " + elsewhere}, bad: "mine"},
		"a database's directory that is a link":               {files: []string{"base/5 -> " + elsewhere}, bad: "base/5"},
		"a link that leads nowhere":                           {files: []string{"postgresql.conf -> /nowhere"}, bad: "postgresql.conf"},
		"a link to itself":                                    {files: []string{"loop -> loop"}, bad: "loop"},
		"a needed directory whose link leads nowhere":         {files: []string{"pg_xact -> /nowhere"}, bad: "pg_xact"},
		"a named pipe":                                        {make: func(root string) error { return syscall.Mkfifo(root+"/pipe", 0o600) }, bad: "pipe"},
	} {
		t.Run(name, func(t *testing.T) {
			root := fakeCluster(t, test.files...)
			if test.make != nil {
				if err := test.make(root); err != nil {
					t.Fatal(err)
				}
			}
			_, err := plan(t, pgdata.Options{Root: root}).Survey(context.Background())
			if err == nil || !strings.Contains(err.Error(), filepath.Join(root, test.bad)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSocketsAreSkipped(t *testing.T) {
	root := fakeCluster(t)
	l, err := net.Listen("unix", filepath.Join(root, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := names(t, plan(t, pgdata.Options{Root: root}), "data"); slices.Contains(got, ".s.PGSQL.5432") {
		t.Errorf("got %q", got)
	}
}

func TestEntriesCarryModesAndSizes(t *testing.T) {
	root := fakeCluster(t, "base/5/1259")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	p := plan(t, pgdata.Options{Root: link})
	if p.Root != root || p.Major != "15" {
		t.Errorf("root %s, major %s", p.Root, p.Major)
	}
	err := p.Walk(context.Background(), p.Archives[0], func(e pgdata.Entry) error {
		switch e.Name {
		case ".", "pg_xact":
			if e.Kind != pgdata.Dir || e.Mode != 0o700 || e.Size != 0 || e.UID != os.Getuid() || e.ModTime.IsZero() {
				t.Errorf("%+v", e)
			}
		case "base/5/1259":
			if e.Kind != pgdata.Regular || e.Mode != 0o600 || e.Size != 11 || e.Path != filepath.Join(root, e.Name) {
				t.Errorf("%+v", e)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	totals, err := p.Survey(context.Background())
	if err != nil || totals.Files != 2 || totals.Bytes != 11+3 {
		t.Errorf("%+v, %v", totals, err)
	}
}

func TestWalkEndsWithItsCallerAndItsContext(t *testing.T) {
	p := plan(t, pgdata.Options{Root: fakeCluster(t)})
	stop := errors.New("enough")
	if err := p.Walk(context.Background(), p.Archives[0], func(pgdata.Entry) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(stop)
	if err := p.Walk(ctx, p.Archives[0], func(pgdata.Entry) error { return nil }); err != stop {
		t.Errorf("got %v", err)
	}
}
