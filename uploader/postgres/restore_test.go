package postgres_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pgseal/pgseal/uploader/pgdata"
	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

// TestCopiedFilesBecomeAServer is the proof that session and plan belong
// together: files copied while the server writes, pg_control last, the label
// from the stop, and WAL give a server with all rows.
func TestCopiedFilesBecomeAServer(t *testing.T) {
	for _, major := range testserver.Majors(t) {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			s := testserver.Start(t, major, "wal_keep_size = '1GB'", "logging_collector = on")
			s.SQL("CREATE TABLESPACE ts LOCATION '" + testserver.Dir(t) + "'")
			s.SQL("CREATE TABLE t (i int)", "CREATE TABLE u (i int) TABLESPACE ts", "CREATE UNLOGGED TABLE v (i int)")
			s.SQL("INSERT INTO t SELECT generate_series(1, 100000)", "INSERT INTO u SELECT generate_series(1, 100000)", "INSERT INTO v VALUES (1)")

			session := connect(t, s, "")
			facts, err := session.Facts(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := session.Start(ctx, "restore me", true); err != nil {
				t.Fatal(err)
			}
			writing := make(chan struct{})
			go func() {
				defer close(writing)
				for range 10 {
					s.SQL("INSERT INTO t SELECT generate_series(1, 1000)", "INSERT INTO u SELECT generate_series(1, 1000)")
				}
				s.SQL("CREATE TABLE late AS SELECT 1 AS i", "VACUUM FULL t", "CHECKPOINT", "TRUNCATE u", "INSERT INTO u VALUES (1)")
			}()
			target := filepath.Join(testserver.Dir(t), "data")
			copyPlan(t, facts, target)
			<-writing
			raw, _, err := pgdata.ReadControl(s.Data)
			if err != nil {
				t.Fatal(err)
			}
			stop, err := session.Stop(ctx)
			if err != nil {
				t.Fatal(err)
			}
			must(t, os.WriteFile(filepath.Join(target, pgdata.ControlName), raw, 0o600))
			must(t, os.WriteFile(filepath.Join(target, "backup_label"), []byte(stop.Label), 0o600))
			s.Stop()
			must(t, os.CopyFS(filepath.Join(target, "pg_wal"), os.DirFS(filepath.Join(s.Data, "pg_wal"))))
			own(t, filepath.Dir(target), s.Data)

			restored := s.At(target)
			restored.Start()
			for sql, want := range map[string]string{
				"SELECT count(*) FROM t": "110000", "SELECT count(*) FROM u": "1", "SELECT count(*) FROM v": "0", "SELECT i FROM late": "1"} {
				if got := restored.SQL(sql); got != want {
					t.Errorf("%s: %s instead of %s", sql, got, want)
				}
			}
		})
	}
}

// copyPlan copies PGDATA to target and the tablespaces to directories beside
// it, with links to them.
func copyPlan(t *testing.T, facts postgres.Facts, target string) {
	t.Helper()
	p, err := pgdata.NewPlan(facts.PlanOptions())
	must(t, err)
	for _, a := range p.Archives {
		root := target
		if a.OID != 0 {
			root = filepath.Join(filepath.Dir(target), a.Base)
			must(t, os.Mkdir(root, 0o700))
			must(t, os.Symlink(root, filepath.Join(target, "pg_tblspc", a.Base)))
		}
		must(t, p.Walk(context.Background(), a, func(e pgdata.Entry) error {
			path := filepath.Join(root, e.Name)
			if e.Kind == pgdata.Dir {
				return os.Mkdir(path, e.Mode)
			}
			return copyFile(e, path)
		}))
	}
}

func copyFile(e pgdata.Entry, path string) error {
	in, err := pgdata.Open(e)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, e.Mode)
	if err != nil {
		return err
	}
	if n, err := io.Copy(out, in); err != nil || n != in.Size {
		return fmt.Errorf("%s: %d bytes of %d: %w", e.Name, n, in.Size, err)
	}
	if err := out.Close(); err != nil {
		return err
	}
	return in.Done()
}

// own gives everything below root to the owner of like.
func own(t *testing.T, root, like string) {
	t.Helper()
	uid, gid := testserver.Owner(t, like)
	must(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
