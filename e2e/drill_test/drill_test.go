package drill_test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/proof"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/e2e/sealed"
)

// isolated ends in an error when the drill's server could reach anybody, or be reached.
const isolated = `DO $$ BEGIN
	IF EXISTS (SELECT FROM pg_settings WHERE (name, setting) IN (('archive_mode', 'on'), ('autovacuum', 'on'), ('ssl', 'on'), ('hot_standby', 'on')))
		OR EXISTS (SELECT FROM pg_settings WHERE name IN ('listen_addresses', 'primary_conninfo', 'shared_preload_libraries', 'session_preload_libraries', 'archive_command') AND setting NOT IN ('', '(disabled)'))
		OR EXISTS (SELECT FROM pg_settings WHERE name IN ('max_logical_replication_workers', 'max_wal_senders') AND setting <> '0')
		OR EXISTS (SELECT FROM pg_stat_activity WHERE backend_type NOT IN ('client backend', 'checkpointer', 'background writer', 'walwriter', 'startup'))
		OR current_setting('max_locks_per_transaction')::int <> 77
	THEN RAISE EXCEPTION 'not alone: %', (SELECT string_agg(backend_type, ', ') FROM pg_stat_activity); END IF; END $$; `

// One cluster and one cloud for all that is told here; each part takes a backup of its own.
func TestDrills(t *testing.T) {
	t.Parallel()
	scene := sealed.Start(t, clouds.AWS)
	s := &story{scene, scene.Cluster(t, pgtest.Options{Checksums: true, Tablespaces: 1, OddTablespace: true, Settings: map[string]string{
		"max_logical_replication_workers": "0", "max_prepared_transactions": "3", "max_locks_per_transaction": "77", "synchronous_standby_names": ""}}), pgtest.Dir(t)}
	for _, part := range []struct {
		name string
		told func(*testing.T)
	}{
		{"a backup that comes back", s.comesBack}, {"interrupted", s.interrupted}, {"killed", s.killed}, {"held by root", s.byRoot},
		{"what is not there", s.notThere}, {"a page is wrong", s.pageIsWrong}, {"WAL is missing", s.walIsMissing},
	} {
		if !t.Run(part.name, part.told) {
			return // the next ones would only wait
		}
	}
}

func (s *story) comesBack(t *testing.T) {
	calls, listener := called(t)
	s.source.SQL("CREATE TABLE story AS SELECT i, md5(i::text) FROM generate_series(1, 20000) i; CREATE INDEX ON story (i)")
	s.source.SQL("CREATE DATABASE shop")
	s.source.SQL("ALTER DATABASE shop SET session_preload_libraries = 'no_such_library'")
	s.source.SQL("ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'")
	s.source.SQL("CREATE SUBSCRIPTION away CONNECTION 'host=127.0.0.1 port=" + listener + " dbname=x' PUBLICATION p WITH (connect = false)")
	s.source.SQL("ALTER SUBSCRIPTION away ENABLE")
	s.source.SQL("BEGIN; INSERT INTO story VALUES (0, ''); PREPARE TRANSACTION 'open'")
	id := s.Backup(t, s.source)
	s.source.SQL("COMMIT PREPARED 'open'")
	s.source.SQL("ALTER SYSTEM RESET shared_preload_libraries")
	s.source.SQL("INSERT INTO story VALUES (-1, '')")
	s.source.ArchiveAll()

	sealed.Run(t, s.drill(t, "latest", "--dbname", "shop", "--query", isolated+"SELECT 1, NULL")).Want(t, 0, "drill of backup "+id, "passed")
	s.clean(t)
	p, first := s.proof(t, id)
	for i, name := range []string{proof.Restore, proof.Verify, proof.Recover, proof.Check, proof.Query} {
		if p.Steps[i].Name != name || p.Steps[i].Outcome != proof.Passed {
			t.Errorf("step %d: %+v", i, p.Steps[i])
		}
	}
	if p.Outcome != proof.Passed || p.Archives < 3 || p.Restored < p.Bytes/2 || p.Databases != 3 || !strings.HasPrefix(p.PostgreSQL, "15.") || p.ManifestSHA256 == "" || p.Host == "" {
		t.Errorf("%+v", p)
	}
	// printf '1:1-\n' | sha256sum
	if r := p.Result; r == nil || r.Rows != 1 || r.Database != "shop" || r.SHA256 != "3199b82a06c5ad9d78a9cf890cd6cf7acc64ea92cc9b42794631fc2c48af17d6" {
		t.Errorf("%+v", r)
	}
	end := s.source.SQL("SELECT pg_current_wal_lsn()")
	if to, err := layout.ParseLSN(end); err != nil || p.RecoveredTo > to {
		t.Errorf("recovered to %s of %s", p.RecoveredTo, end)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("the drill's server has called a publisher %d times", n)
	}

	// As who restores sees it, and as the host, who may not read it.
	for line := range strings.Lines(s.status(t, cloud.Restore).Want(t, 0, "drilled 20", "Newest drill that passed: "+id).Output) {
		if utf8.RuneCountInString(line) > 101 && !strings.HasPrefix(line, "  next: ") {
			t.Errorf("too long: %s", line)
		}
	}
	s.status(t, cloud.Host).Want(t, 0, "these credentials may not read what came of drills", id)
	s.status(t, cloud.Restore, "--check", "--max-drill-age", "1h").Want(t, 0, "drill_age=")

	// To the end of the WAL: the row that was written after the backup is there, and with the first query it is not.
	const last = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM story WHERE i = -1) THEN RAISE EXCEPTION 'the last row is missing'; END IF; END $$"
	sealed.Run(t, s.drill(t, id, "--end-of-wal", "--no-amcheck", "--query", last)).Want(t, 0, "skipped  --no-amcheck")
	far, _ := s.proof(t, id)
	if far.RecoveredTo <= p.RecoveredTo {
		t.Errorf("to the end of the WAL: %s, of the backup: %s", far.RecoveredTo, p.RecoveredTo)
	}
	sealed.Run(t, s.drill(t, id, "--no-amcheck", "--query", last)).Want(t, 14, "did not come back: query", "the last row is missing")
	s.clean(t)
	p, second := s.proof(t, id)
	if f := p.Failure(); f == nil || f.Name != proof.Query || !strings.Contains(f.Text, "the last row is missing") || second.ETag == first.ETag {
		t.Errorf("%+v", p)
	}
	s.status(t, cloud.Restore).Want(t, 0, "drill failed", "failed at the step query", "the last row is missing", "next: pgseal drill ")
	s.status(t, cloud.Restore, "--check").Want(t, 2, "its drill failed: query")
	s.status(t, cloud.Restore, "--check", "--max-drill-age", "1h").Want(t, 2, "no drill has passed")
	var c struct {
		Backups []struct {
			Drill struct{ Outcome, Step, Reason string }
		}
	}
	if err := json.Unmarshal([]byte(s.status(t, cloud.Restore, "--format", "json").Want(t, 0).Output), &c); err != nil || c.Backups[0].Drill.Step != "query" || c.Backups[0].Drill.Outcome != "failed" {
		t.Errorf("%+v %v", c, err)
	}
}

// SIGTERM: exit code 1, and nothing is left but what was there before.
func (s *story) interrupted(t *testing.T) {
	cmd := s.drill(t, "latest", "--no-amcheck", "--query", "SELECT pg_sleep(3600)")
	var said lines
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := s.underWay(t, &said)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(said.String(), "interrupted (terminated): the drill was broken off") {
		t.Errorf("exit code %d\n%s", code, &said)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Errorf("the server still runs")
	}
	s.clean(t)
	for _, line := range strings.Split(s.status(t, cloud.Restore).Output, "\n") {
		if strings.Contains(line, "pg_sleep") {
			t.Errorf("the drill has left a proof: %s", line)
		}
	}
}

// SIGKILL: the server ends with its drill, and the next drill removes what is left.
func (s *story) killed(t *testing.T) {
	cmd := s.drill(t, "latest", "--no-amcheck", "--query", "SELECT pg_sleep(3600)")
	var said lines
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := s.underWay(t, &said)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	ended(t, pid)
	o := sealed.Run(t, s.drill(t, "latest", "--no-amcheck", "--keep")).Want(t, 0, "a drill was killed; what it left is removed", "are kept")
	left, err := os.ReadDir(s.scratch)
	if err != nil || len(left) != 1 {
		t.Fatalf("%v %v\n%s", left, err, o.Output)
	}
	if err := os.RemoveAll(s.scratch + "/" + left[0].Name()); err != nil {
		t.Fatal(err)
	}
}

func (s *story) byRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		return // whoever is not root cannot try
	}
	cmd := s.drill(t, "latest")
	byRoot := exec.Command(cmd.Path, cmd.Args[1:]...)
	byRoot.Env = cmd.Env
	sealed.Run(t, byRoot).Want(t, 3, "PostgreSQL does not run as root", "runuser -u postgres")
}

// What says nothing of a backup is exit code 1, and leaves no proof.
func (s *story) notThere(t *testing.T) {
	id := s.Backup(t, s.source)
	sealed.Run(t, s.drill(t, id, "--user", "nobody")).Want(t, 1, `as "nobody"`, "--user names the superuser")
	sealed.Run(t, s.drill(t, id, "--pg-bindir", "/nonexistent")).Want(t, 1, "of version 15 are not in /nonexistent", "--pg-bindir")
	sealed.Run(t, s.drill(t, id, "--scratch-directory", "/nonexistent")).Want(t, 1, "scratch directory", "names another place")
	sealed.Run(t, s.drill(t, "20200101T000000")).Want(t, 1, "no such backup")
	asHost := s.drill(t, id)
	asHost.Env = s.Command(cloud.Host, build.Pgseal(t)).Env
	sealed.Run(t, asHost).Want(t, 1, "staging takes no proof from these credentials")
	s.clean(t)
	if out := s.status(t, cloud.Restore, "--format", "json").Output; strings.Count(out, `"drill":`) != 1 {
		t.Errorf("a proof was left:\n%s", out)
	}
}

// A page that went bad on the source's disk was backed up as it was. Reading it is what shows it.
func (s *story) pageIsWrong(t *testing.T) {
	s.source.SQL("CREATE TABLE damaged AS SELECT i, md5(i::text) FROM generate_series(1, 1000) i")
	s.source.SQL("CHECKPOINT")
	path := s.source.DataDir + "/" + s.source.SQL("SELECT pg_relation_filepath('damaged')")
	s.source.Stop()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("not what PostgreSQL wrote"), 8192+4000); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s.source.Start()
	id := s.Backup(t, s.source)
	sealed.Run(t, s.drill(t, id)).Want(t, 14, "did not come back: check: pg_amcheck", "invalid page in block 1", "Note: 1 pages failed PostgreSQL's checksums")
	s.clean(t)
	if p, _ := s.proof(t, id); p.Outcome != proof.Failed || p.Failure().Name != proof.Check || len(p.Notes) != 1 || p.RecoveredTo == 0 {
		t.Errorf("%+v", p)
	}
}

// The segment that the backup begins in is gone.
func (s *story) walIsMissing(t *testing.T) {
	id := s.Backup(t, s.source)
	segment := s.source.SQL("SELECT pg_walfile_name('" + s.begin(t, id) + "')")
	key := s.Root() + layout.WAL(sealed.Server, segment, ".gz")
	if _, err := s.Remove(t.Context(), s.VaultName(), key, ""); err != nil {
		t.Fatal(err)
	}
	sealed.Run(t, s.drill(t, id)).Want(t, 14, "did not come back: restore", segment)
	s.clean(t)
	if p, _ := s.proof(t, id); p.Outcome != proof.Failed || p.Failure().Name != proof.Restore || !strings.Contains(p.Failure().Text, segment) {
		t.Errorf("%+v", p)
	}
}

// called is a listener that counts who calls.
func called(t *testing.T) (calls *atomic.Int64, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	calls = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			_ = c.Close()
		}
	}()
	return calls, strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
