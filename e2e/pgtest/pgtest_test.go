package pgtest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/pgtest"
)

// majors are the versions that the end-to-end story runs on.
var majors = []int{13, 15, 17, 18}

func TestACluster(t *testing.T) {
	for _, major := range majors {
		install := pgtest.Find(t, major)
		t.Run(fmt.Sprintf("of PostgreSQL %d runs, survives a crash, and gets a standby that becomes a primary", major), func(t *testing.T) {
			t.Parallel()
			c := pgtest.New(t, pgtest.Options{Install: install, Checksums: true, Tablespaces: 1, OddTablespace: true, InPlaceTablespace: true})
			if got := c.SQL("SHOW server_version_num"); !strings.HasPrefix(got, fmt.Sprint(major)) {
				t.Errorf("server_version_num is %s", got)
			}
			if got := c.SQL("SHOW data_checksums"); got != "on" {
				t.Errorf("data_checksums is %s", got)
			}
			c.LoadPgbench(1)
			load := c.CreateLoad(2)
			stop := c.RunPgbench(2)
			standby := c.Standby()
			stop()
			stop()
			history := c.SQL("SELECT count(*) FROM pgbench_history")
			if history == "0" {
				t.Error("pgbench left no history")
			}
			c.Kill9()
			c.Start()
			if got := c.SQL("SELECT count(*) FROM pgbench_history"); got != history {
				t.Errorf("%s rows before the crash and %s after it", history, got)
			}
			if got := c.SQL("SELECT pg_relation_size('" + load + "') / 1048576"); got != "2" {
				t.Errorf("a load of 2 MB takes %s MB", got)
			}

			c.SQL("CREATE TABLE after_the_standby AS SELECT 1")
			standby.CatchUp(c)
			if got := standby.SQL("SELECT pg_is_in_recovery(), (SELECT count(*) FROM pgbench_history), (SELECT count(*) FROM after_the_standby)"); got != "t|"+history+"|1" {
				t.Errorf("the standby says %s", got)
			}
			c.Stop()
			standby.Promote()
			if len(standby.Tablespaces) != 3 {
				t.Errorf("%d tablespaces", len(standby.Tablespaces))
			}
			for _, ts := range standby.Tablespaces {
				if got := standby.SQL("SELECT count(*) FROM " + ts.Table); got != fmt.Sprint(pgtest.RowsPerTablespace) {
					t.Errorf("tablespace %q has %s rows on the promoted standby", ts.Name, got)
				}
				if got := standby.SQL("SELECT pg_tablespace_location(" + ts.OID + ")"); ts.Location != "" && got != ts.Location {
					t.Errorf("tablespace %q is at %s and not at %s", ts.Name, got, ts.Location)
				}
			}
		})
	}
}

func TestOptions(t *testing.T) {
	install := pgtest.Find(t, 15)
	t.Run("external configuration behind a linked PGDATA with small segments", func(t *testing.T) {
		t.Parallel()
		c := pgtest.New(t, pgtest.Options{
			Install: install, ExternalConfig: true, SymlinkPGDATA: true, WALSegmentSizeMB: 1,
			Settings: map[string]string{"cluster_name": "it's quoted"},
		})
		if got := c.SQL("SHOW data_directory; SHOW config_file; SHOW wal_segment_size; SHOW cluster_name; SHOW archive_mode"); got !=
			strings.Join([]string{c.DataDir, c.ConfigFile, "1MB", "it's quoted", "off"}, "\n") {
			t.Errorf("the server says %s", got)
		}
		if filepath.Dir(c.ConfigFile) == c.DataDir {
			t.Errorf("%s is in PGDATA", c.ConfigFile)
		}
		c.Set(map[string]string{"work_mem": "5MB"})
		if got := c.SQL("SHOW work_mem"); got != "5MB" {
			t.Errorf("work_mem is %s", got)
		}
		c.Restart()
		if got := c.Standby().SQL("SELECT pg_is_in_recovery()"); got != "t" {
			t.Errorf("the standby's pg_is_in_recovery is %s", got)
		}
	})
	t.Run("the archiver's command has the cluster's environment", func(t *testing.T) {
		t.Parallel()
		out := filepath.Join(pgtest.Dir(t), "out")
		c := pgtest.New(t, pgtest.Options{Install: install, ArchiveCommand: `echo "$WHO %f" >> ` + out, Env: []string{"WHO=me"}})
		segment := c.ArchiveAll()
		log, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(log), "me "+segment+"\n") {
			t.Errorf("archived: %q, without %s", log, segment)
		}
	})
}

func TestShare(t *testing.T) {
	sh := pgtest.Share(t, "/bin/sh")
	out, err := pgtest.Command(context.Background(), sh, "-c", "id -un; pwd; env | sort").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(out), "\n")
	if lines[0] == "root" {
		t.Error("runs as root")
	}
	if want := "/ HOME=/nonexistent LC_ALL=C.UTF-8"; !strings.HasPrefix(strings.Join(lines[1:], " "), want) {
		t.Errorf("directory and environment are %q", lines[1:])
	}
}
