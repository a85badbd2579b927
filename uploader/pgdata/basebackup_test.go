package pgdata_test

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

// declared is all that pg_basebackup takes and a Plan does not: what the caller
// adds later (pg_control, backup_label), what has no place in barman's layout
// (links, tablespace_map), and the deviations of exclude.go.
var declared = regexp.MustCompile(`^(global/pg_control|backup_label|tablespace_map|pg_tblspc/\d+@` +
	`|pg_wal/(archive_status|summaries)/|current_logfiles|log/.+|pg_log/.+|lost\+found/.*` +
	`|recovery\.signal|standby\.signal|recovery\.conf|backup_label\.old|tablespace_map\.old)$`)

// TestSameFilesAsPgBasebackup: the server's own program decides which files
// make a backup. The program reaches servers up to its own version.
func TestSameFilesAsPgBasebackup(t *testing.T) {
	const program = "/usr/lib/postgresql/15/bin/pg_basebackup"
	for _, major := range testserver.Majors(t) {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			s := clusterWithEverything(t, major)
			hold := temporaryTables(t, s)
			defer hold()

			if major > 15 {
				baseBackup(t, s, filepath.Join(s.Dir, "copy"))
			} else {
				s.Sh(fmt.Sprintf("%s -h %s -p %d -U postgres -Ft -X none --no-manifest -c fast -D %s/copy", program, s.Socket, s.Port, s.Dir))
			}
			session, err := postgres.Connect(ctx, postgres.Options{DBName: s.DSN()})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			facts, err := session.Facts(ctx)
			if err != nil {
				t.Fatal(err)
			}
			p := plan(t, facts.PlanOptions())
			if len(p.Archives) != 3 {
				t.Fatalf("archives %v", p.Archives)
			}
			for _, a := range p.Archives {
				name := a.Base
				if a.OID == 0 {
					name = "base"
				}
				theirs := tarNames(t, filepath.Join(s.Dir, "copy", name+".tar"))
				ours := names(t, p, a.Base)
				for _, n := range theirs {
					if !slices.Contains(ours, n) && !declared.MatchString(n) {
						t.Errorf("%s: pg_basebackup takes %q", name, n)
					}
				}
				for _, n := range ours {
					if !slices.Contains(theirs, n) && n != "./" {
						t.Errorf("%s: pg_basebackup does not take %q", name, n)
					}
					if declared.MatchString(n) {
						t.Errorf("%s: %q is declared to be left out", name, n)
					}
				}
				t.Logf("%s: %d entries, pg_basebackup %d", name, len(ours), len(theirs))
			}
		})
	}
}

// clusterWithEverything has two tablespaces, one of them within PGDATA, and all
// kinds of files that do not belong in a backup.
func clusterWithEverything(t *testing.T, major int) *testserver.Server {
	s := testserver.Start(t, major, "logging_collector = on", "autovacuum = off", "temp_tablespaces = ''")
	outside, inside := testserver.Dir(t), filepath.Join(s.Data, "inside")
	s.Sh("mkdir " + inside)
	s.SQL("CREATE TABLESPACE outside LOCATION '" + outside + "'")
	s.SQL("CREATE TABLESPACE inside LOCATION '" + inside + "'")
	for _, ts := range []string{"pg_default", "outside", "inside"} {
		s.SQL(fmt.Sprintf("CREATE TABLE %[1]s_t TABLESPACE %[1]s AS SELECT g AS i, repeat('x', 500) AS s FROM generate_series(1, 2000) g", ts),
			fmt.Sprintf("CREATE UNLOGGED TABLE %[1]s_u TABLESPACE %[1]s AS SELECT * FROM %[1]s_t", ts),
			fmt.Sprintf("CREATE INDEX ON %[1]s_u(i) TABLESPACE %[1]s", ts),
			fmt.Sprintf("VACUUM %[1]s_t", ts), fmt.Sprintf("VACUUM %[1]s_u", ts))
	}
	s.SQL("SELECT pg_create_physical_replication_slot('slot', true)")
	s.Sh(`cd "` + s.Data + `"
		mkdir -p stray/deep log/a/b pg_log lost+found pg_notify/x stray/pg_notify/y base/pgsql_tmp
		for f in stray/deep/x log/a/b/c pg_log/x lost+found/x pg_notify/x/y stray/pg_notify/y/z base/pgsql_tmp/pgsql_tmp1.0 \
			stray/backup_label stray/postmaster.pid stray/pg_internal.init.1 stray/t3_1 base/5x backup_manifest \
			backup_label tablespace_map backup_label.old tablespace_map.old recovery.signal postgresql.auto.conf.tmp \
			current_logfiles.tmp base/1/t9_1 base/1/t9_1_fsm base/1/t9_1.1 base/1/t9_1x; do echo x >$f; done`)
	s.Sh("mkdir -p " + outside + "/PG_12_201909212/1 && echo x >" + outside + "/PG_12_201909212/1/2 && echo x >" + outside + "/other")
	return s
}

// temporaryTables keeps temporary tables with files alive.
func temporaryTables(t *testing.T, s *testserver.Server) (end func()) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	for _, ts := range []string{"pg_default", "outside", "inside"} {
		_, err := conn.Exec(ctx, fmt.Sprintf("CREATE TEMPORARY TABLE tmp_%[1]s TABLESPACE %[1]s AS SELECT generate_series(1, 30000) i", ts))
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close(ctx) }
}

// tarNames lists a tar file: directories end in a slash, links in "@".
func tarNames(t *testing.T, path string) (list []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
		switch h.Typeflag {
		case tar.TypeDir:
			name += "/"
		case tar.TypeSymlink:
			name += "@"
		}
		list = append(list, name)
	}
}
