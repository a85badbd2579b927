package postgres_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

func connect(t *testing.T, s *testserver.Server, more string) *postgres.Session {
	t.Helper()
	session, err := postgres.Connect(context.Background(), postgres.Options{DBName: s.DSN() + " " + more})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	return session
}

// TestBackupOnEveryInstalledVersion goes through a backup with a user that has
// exactly what the error about its privileges asked for.
func TestBackupOnEveryInstalledVersion(t *testing.T) {
	for _, major := range testserver.Majors(t) {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			s := testserver.Start(t, major, "archive_mode = on", "archive_command = 'true'", "log_directory = 'my logs'")
			outside := testserver.Dir(t)
			s.SQL("CREATE TABLESPACE \"t's 2\" LOCATION '" + outside + "'")
			s.SQL(`CREATE ROLE "back ""up" LOGIN`)
			s.SQL(`ALTER ROLE "back ""up" SET statement_timeout = '1s'`, `ALTER ROLE "back ""up" SET timezone = 'America/St_Johns'`,
				`ALTER ROLE "back ""up" SET datestyle = 'German'`)
			session := connect(t, s, `user='back "up'`)

			_, err := session.Facts(ctx)
			if !errors.Is(err, postgres.ErrPrivilege) {
				t.Fatalf("a user without privileges gets %v", err)
			}
			_, grants, _ := strings.Cut(err.Error(), `in database "postgres": `)
			if strings.Count(grants, "GRANT ") != 3 {
				t.Errorf("grants: %s", grants)
			}
			for grant := range strings.SplitSeq(strings.TrimSuffix(grants, ";"), "; ") {
				s.SQL(grant)
			}

			facts, err := session.Facts(ctx)
			if err != nil {
				t.Fatal(err)
			}
			checkFacts(t, s, facts, outside)
			checkTablespaceInPlace(t, s, session)
			if err := facts.CheckArchiving(); err != nil {
				t.Error(err)
			}
			if err := session.SameServer(ctx, facts, facts.DataDirectory); err != nil {
				t.Error(err)
			}
			start, err := session.Start(ctx, "it's a label", true)
			if err != nil {
				t.Fatal(err)
			}
			if err := postgres.CheckStarted(start, s.Data); err != nil {
				t.Error(err)
			}
			if _, err := session.Start(ctx, "another", true); err == nil {
				t.Error("a second start in one session is accepted")
			}
			s.SQL("CREATE TABLE t AS SELECT generate_series(1, 1000)")
			stop, err := session.Stop(ctx)
			if err != nil {
				t.Fatal(err)
			}
			label, err := manifest.ParseLabel(stop.Label)
			if err != nil || label.Text != "it's a label" || label.From != "primary" {
				t.Errorf("label %+v, %v", label, err)
			}
			if stop.LSN <= start.LSN || stop.Timeline != 1 || start.Timeline != 1 || stop.Time.Before(start.Time) {
				t.Errorf("start %+v, stop %+v", start, stop)
			}
			if _, offset := start.Time.Zone(); offset != -12600 && offset != -9000 {
				t.Errorf("start at %s, not in the session's time zone", start.Time)
			}
			if want := layout.SegmentAt(1, start.LSN, 16<<20).Name(16 << 20); start.WALFile != want || label.StartWALFile != want {
				t.Errorf("WAL file %s, label %s, want %s", start.WALFile, label.StartWALFile, want)
			}
			if _, err := session.Stop(ctx); err == nil {
				t.Error("a second stop is accepted")
			}
		})
	}
}

func checkFacts(t *testing.T, s *testserver.Server, f postgres.Facts, outside string) {
	t.Helper()
	for name, pair := range map[string][2]string{
		"version":     {strconv.Itoa(f.Version), s.SQL("SHOW server_version_num")},
		"system id":   {strconv.FormatUint(f.SystemID, 10), s.SQL("SELECT system_identifier FROM pg_control_system()")},
		"data":        {f.DataDirectory, s.Data},
		"config":      {f.ConfigFile, filepath.Join(s.Data, "postgresql.conf")},
		"hba":         {f.HBAFile, filepath.Join(s.Data, "pg_hba.conf")},
		"ident":       {f.IdentFile, filepath.Join(s.Data, "pg_ident.conf")},
		"logs":        {f.LogDirectory, "my logs"},
		"segment":     {strconv.FormatInt(f.WALSegmentSize, 10), "16777216"},
		"checksums":   {onOff(f.DataChecksums), s.SQL("SHOW data_checksums")},
		"archiving":   {f.ArchiveMode, "on"},
		"port":        {strconv.Itoa(f.Port), strconv.Itoa(s.Port)},
		"tablespaces": {strconv.Itoa(len(f.Tablespaces)), "1"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s, the server says %s", name, pair[0], pair[1])
		}
	}
	if !f.ArchiveTarget || f.InRecovery || f.Timeline != 1 || f.Now.IsZero() {
		t.Errorf("%+v", f)
	}
	if ts := f.Tablespaces[0]; ts.Name != "t's 2" || ts.Location != outside || ts.InPlace || ts.OID < 16384 {
		t.Errorf("tablespace %+v", ts)
	}
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// checkTablespaceInPlace: minor versions from before 2022 have none.
func checkTablespaceInPlace(t *testing.T, s *testserver.Server, session *postgres.Session) {
	t.Helper()
	if s.SQL("SELECT count(*) FROM pg_settings WHERE name = 'allow_in_place_tablespaces'") == "0" {
		return
	}
	s.SQL("SET allow_in_place_tablespaces = on", "CREATE TABLESPACE here LOCATION ''")
	list, err := session.Tablespaces(context.Background())
	if err != nil || len(list) != 2 || list[0].InPlace || !list[1].InPlace {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestIncludedFiles(t *testing.T) {
	t.Parallel()
	s := testserver.New(t, 15)
	extra := filepath.Join(testserver.Dir(t), "extra.conf")
	if err := os.WriteFile(extra, []byte("work_mem = '5MB'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.Configure("include '" + extra + "'")
	s.Start()
	s.SQL("ALTER SYSTEM SET maintenance_work_mem = '70MB'")
	s.SQL("SELECT pg_reload_conf()")
	s.SQL("SELECT pg_sleep(0.5)")
	f, err := connect(t, s, "").Facts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(f.IncludedFiles, " ") != filepath.Join(s.Data, "postgresql.auto.conf")+" "+extra && strings.Join(f.IncludedFiles, " ") != extra+" "+filepath.Join(s.Data, "postgresql.auto.conf") {
		t.Errorf("included %q", f.IncludedFiles)
	}
}

func TestUnreachable(t *testing.T) {
	_, err := postgres.Connect(context.Background(), postgres.Options{DBName: "host=/nowhere user=u password=topsecret dbname=d"})
	if err == nil || !strings.Contains(err.Error(), "/nowhere") || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("got %v", err)
	}
}

func TestSettingsOfTheRoleDoNotEndTheSession(t *testing.T) {
	t.Parallel()
	s := testserver.Start(t, 15)
	s.SQL("ALTER ROLE postgres SET idle_session_timeout = '100ms'", "ALTER ROLE postgres SET statement_timeout = '100ms'",
		"ALTER ROLE postgres SET lock_timeout = '100ms'", "ALTER ROLE postgres SET search_path = 'nowhere'")
	session := connect(t, s, "")
	time.Sleep(300 * time.Millisecond)
	if _, err := session.Facts(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestPoolerIsRefused(t *testing.T) {
	t.Parallel()
	s := testserver.Start(t, 15)
	port := pooler(t, filepath.Join(s.Socket, ".s.PGSQL."+strconv.Itoa(s.Port)))
	_, err := postgres.Connect(context.Background(), postgres.Options{Host: "127.0.0.1", Port: port, User: "postgres", DBName: "postgres"})
	if !errors.Is(err, postgres.ErrPooler) || !strings.Contains(err.Error(), "connect to PostgreSQL itself") {
		t.Errorf("got %v", err)
	}
}

// pooler passes everything on, but gives the client a pid of its own, as
// PgBouncer does.
func pooler(t *testing.T, socket string) (port string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", socket)
			if err != nil {
				client.Close()
				return
			}
			go pass(server, client, nil)
			go pass(client, server, []byte{'K', 0, 0, 0, 12})
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

func pass(to, from net.Conn, key []byte) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if at := strings.Index(string(buf[:n]), string(key)); key != nil && at >= 0 && at+9 <= n {
			buf[at+8] ^= 0x55
			key = nil
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
