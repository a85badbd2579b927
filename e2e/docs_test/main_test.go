// Package docs_test does what the documentation says: every command of the quick starts and of the migration is run, in the
// order of the page, on local clouds and real servers. Names of buckets and directories stand for those of the test.
package docs_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestMain(m *testing.M) { localaws.Main(m) }

// server is the name of the database in every page.
const server = "main"

// restored is where the pages restore to.
const restored = "/var/lib/postgresql/restored"

// reader is somebody who does what a page says.
type reader struct {
	page     string
	names    []string // old, new, old, new...: what stands for what in the page's text
	cluster  *pgtest.Cluster
	sessions map[string]*session
	restored string
}

// open prepares a reader with a running server that archives nothing yet, whose environment, and that of the sessions on the
// host, is env; who restores has another.
func open(t *testing.T, page string, env, restoring []string, names ...string) *reader {
	t.Helper()
	install := pgtest.Find(t, 15)
	dir, programs := pgtest.Dir(t), pgtest.Dir(t)
	path := "PATH=" + bin(t, programs, map[string]string{"pgseal": build.Pgseal(t)}) + ":" + install.BinDir + ":/usr/bin:/bin"
	r := &reader{page: page, restored: filepath.Join(dir, "restored"), sessions: map[string]*session{}}
	r.names = append(names, restored, r.restored, "5499", freePort(t))
	r.cluster = pgtest.New(t, pgtest.Options{Install: install, Checksums: true, Env: append(slices.Clone(env), path)})
	as := func(who string, env []string) {
		home := pgtest.Dir(t)
		r.sessions[who] = &session{dir: home, state: filepath.Join(home, ".state"), command: func(name string, args ...string) *exec.Cmd {
			cmd := pgtest.Command(context.Background(), name, args...)
			cmd.Env = append(slices.Concat(cmd.Env, env), path, "HOME="+home, "PGHOST="+r.cluster.SocketDir)
			return cmd
		}}
	}
	as("host", append(slices.Clone(env), "PGPORT="+strconv.Itoa(r.cluster.Port)))
	as("restore", restoring)
	t.Cleanup(func() {
		stop := pgtest.Command(context.Background(), install.Program("pg_ctl"), "-D", r.restored, "-m", "immediate", "stop")
		_ = stop.Run() // mostly it is stopped already
	})
	return r
}

// read does what the page says, from its beginning to its end, and gives what was printed. Before each block it calls before.
func (r *reader) read(t *testing.T, before func(block)) (printed string) {
	t.Helper()
	done := map[string]int{}
	for _, b := range blocks(t, r.page) {
		before(b)
		text := strings.NewReplacer(r.names...).Replace(b.text)
		switch {
		case b.language == "sh" && r.sessions[b.who] != nil:
			printed += r.sessions[b.who].run(t, r.page, b, text)
		case b.language == "conf" && b.who == "postgresql.conf":
			r.configure(t, text)
		case b.language != "text":
			t.Fatalf("%s:%d: nobody does what is in a block of %q", r.page, b.line, b.language+" "+b.who)
		}
		done[b.language+" "+b.who]++
	}
	t.Logf("%s: %v", r.page, done)
	return printed
}

// configure adds lines to postgresql.conf. With archive_mode among them the server is started again, as the pages say.
func (r *reader) configure(t *testing.T, lines string) {
	t.Helper()
	f, err := os.OpenFile(r.cluster.ConfigFile, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = f.WriteString(lines)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(lines, "archive_mode") {
		r.cluster.Restart()
	}
}

// freePort is a port that nobody uses now.
func freePort(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
