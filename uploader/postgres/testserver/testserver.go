// Package testserver runs throw-away PostgreSQL servers for the unit tests of
// the packages that talk to one. (The end-to-end tests have their own, in a
// module of their own.) As root everything runs as the user postgres.
package testserver

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is one cluster.
type Server struct {
	Major int
	// Data is PGDATA, Dir a directory for whatever else the server may reach,
	// Socket its socket directory.
	Data, Dir, Socket string
	Port              int

	t     testing.TB
	bin   string
	stdin io.Closer
	cmd   *exec.Cmd
}

// Majors lists the PostgreSQL versions installed here, from Debian's packages
// and from the cache that scripts/install-deps fills. Debian's 15 must be there.
func Majors(t testing.TB) []int {
	var majors []int
	for _, pattern := range binPatterns() {
		dirs, _ := filepath.Glob(fmt.Sprintf(pattern, "*"))
		for _, dir := range dirs {
			major, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
			if err == nil && !slices.Contains(majors, major) {
				majors = append(majors, major)
			}
		}
	}
	slices.Sort(majors)
	if !slices.Contains(majors, 15) {
		t.Fatal("PostgreSQL 15 is not installed; run scripts/install-deps test")
	}
	return majors
}

func binPatterns() []string {
	cache := os.Getenv("PGSEAL_CACHE")
	if cache == "" {
		cache = "/var/tmp/pgseal-cache"
	}
	return []string{"/usr/lib/postgresql/%s/bin", filepath.Join(cache, "postgresql", "%s", "bin")}
}

// New makes a cluster without starting it. Its superuser is postgres, its
// locale C, its pages have checksums, and every connection is trusted.
func New(t testing.TB, major int) *Server {
	t.Helper()
	s := &Server{Major: major, Dir: Dir(t), t: t}
	for _, pattern := range binPatterns() {
		bin := fmt.Sprintf(pattern, strconv.Itoa(major))
		if _, err := os.Stat(filepath.Join(bin, "initdb")); err == nil {
			s.bin = bin
			break
		}
	}
	if s.bin == "" {
		t.Fatalf("PostgreSQL %d is not installed; run scripts/install-deps test", major)
	}
	s.Data, s.Socket, s.Port = filepath.Join(s.Dir, "data"), s.Dir, freePort(t)
	s.Run("initdb", "-D", s.Data, "-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8", "-N", "--data-checksums")
	s.Configure("fsync = off", "wal_level = replica", "max_wal_senders = 4", "listen_addresses = '127.0.0.1'",
		"unix_socket_directories = '"+s.Socket+"'", fmt.Sprintf("port = %d", s.Port), "shared_buffers = 16MB", "log_timezone = UTC",
		"dynamic_shared_memory_type = mmap")
	return s
}

// Start makes a cluster with these lines of configuration and starts it.
func Start(t testing.TB, major int, lines ...string) *Server {
	t.Helper()
	s := New(t, major)
	s.Configure(lines...)
	s.Start()
	return s
}

// Dir makes a directory that the server's user owns and can reach, removed at
// the end of the test.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pgs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if cred := account(t); cred != nil {
		if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// account is the user to run as, nil when the tests do not run as root.
func account(t testing.TB) *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("tests as root need a user postgres: %v", err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// command runs a program of the server's installation as the server's user.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.Dir
	cmd.Env = []string{"PATH=" + s.bin + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + s.Dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account(s.t)}
	return cmd
}

// Run runs a program of the server's installation and returns its output.
func (s *Server) Run(name string, args ...string) string {
	s.t.Helper()
	out, err := s.command(filepath.Join(s.bin, name), args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// Sh runs a shell script as the server's user.
func (s *Server) Sh(script string) string {
	s.t.Helper()
	out, err := s.command("/bin/sh", "-ec", script).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// Configure appends lines to postgresql.conf.
func (s *Server) Configure(lines ...string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
		s.t.Fatal(err)
	}
}

// Start starts the server and waits until it answers. The server ends with the
// test, also when the test binary dies: a shell waits for the end of its input.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = s.command("/bin/sh", "-c", `postgres -D "$0" >>"$1" 2>&1 </dev/null & pid=$!; read -r line; kill -INT $pid; wait $pid`,
		s.Data, filepath.Join(s.Dir, "log"))
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.stdin = stdin
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.Stop)
	deadline := time.Now().Add(time.Minute)
	for {
		conn, err := pgx.Connect(context.Background(), s.DSN())
		if err == nil {
			conn.Close(context.Background())
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
			s.t.Fatalf("the server does not answer: %v\n%s", err, log)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Stop stops the server if it runs.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	s.stdin.Close()
	_ = s.cmd.Wait() // a fast shutdown by signal is no clean exit for the shell
	s.cmd = nil
}

// DSN connects as the superuser over the socket.
func (s *Server) DSN() string {
	return fmt.Sprintf("host=%s port=%d user=postgres dbname=postgres", s.Socket, s.Port)
}

// SQL runs statements and returns the first column of the last one's first row.
func (s *Server) SQL(statements ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(ctx)
	var answer string
	for _, statement := range statements {
		results, err := conn.PgConn().Exec(ctx, statement).ReadAll()
		if err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
		answer = ""
		if last := results[len(results)-1]; len(last.Rows) > 0 {
			answer = string(last.Rows[0][0])
		}
	}
	return answer
}

// At is the server on a directory that was restored from a backup of s: not
// started, with a port and a socket of its own.
func (s *Server) At(data string) *Server {
	s.t.Helper()
	r := &Server{Major: s.Major, Data: data, Dir: Dir(s.t), t: s.t, bin: s.bin, Port: freePort(s.t)}
	r.Socket = r.Dir
	r.Configure(fmt.Sprintf("port = %d", r.Port), "unix_socket_directories = '"+r.Socket+"'")
	return r
}

// Standby makes and starts a streaming standby of s from a cold copy: s is
// stopped and started again.
func (s *Server) Standby(lines ...string) *Server {
	s.t.Helper()
	s.Stop()
	b := &Server{Major: s.Major, Dir: Dir(s.t), t: s.t, bin: s.bin, Port: freePort(s.t)}
	b.Data, b.Socket = filepath.Join(b.Dir, "data"), b.Dir
	b.Sh(fmt.Sprintf("cp -a %s %s && touch %s/standby.signal", s.Data, b.Data, b.Data))
	b.Configure(fmt.Sprintf("port = %d", b.Port), "unix_socket_directories = '"+b.Socket+"'",
		"wal_retrieve_retry_interval = '100ms'", fmt.Sprintf("primary_conninfo = 'host=%s port=%d user=postgres'", s.Socket, s.Port))
	b.Configure(lines...)
	s.Start()
	b.Start()
	return b
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Owner of a file.
func Owner(t testing.TB, path string) (uid, gid int) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	return int(st.Uid), int(st.Gid)
}
