// Package walarchive_test archives WAL with the built pgseal, into local clouds that are as strict as the real ones, as the
// identity that the database host has.
package walarchive_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestMain(m *testing.M) { localaws.Main(m) }

const (
	server  = "main"
	first   = "000000010000000000000001"
	mib     = 1 << 20
	onTheir = "main/wals/0000000100000000/" // the keys of first and its neighbours
)

// answer is how a program ended, and what it said.
type answer struct {
	code   int
	signal bool // it died of one
	output string
}

// archive runs pgseal wal-archive as the host, or as whoever the environment names, with the vault's URL and the server
// before the file.
func archive(t *testing.T, a *store, file string, flags ...string) answer {
	t.Helper()
	args := append(append([]string{"wal-archive"}, flags...), a.VaultURL(), server, file)
	return wait(t, a.command(t, cloud.Host, build.Pgseal(t), args...))
}

func (s *store) command(t *testing.T, who, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := pgtest.Command(t.Context(), program, args...)
	cmd.Env = append(cmd.Env, s.Env(who)...)
	return cmd
}

func wait(t *testing.T, cmd *exec.Cmd) answer {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return ended(t, err, &out)
}

func ended(t *testing.T, err error, out *bytes.Buffer) answer {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return answer{output: out.String()}
	case !errors.As(err, &exit):
		t.Fatal(err)
	}
	return answer{code: exit.ExitCode(), signal: exit.ExitCode() < 0, output: out.String()}
}

func (a answer) want(t *testing.T, code int, words ...string) {
	t.Helper()
	if a.code != code {
		t.Fatalf("exit code %d, want %d\n%s", a.code, code, a.output)
	}
	for _, w := range words {
		if !strings.Contains(a.output, w) {
			t.Errorf("%q is not said:\n%s", w, a.output)
		}
	}
}

// segment is the beginning of a segment as PostgreSQL writes it, and then the filling.
func segment(size int, filling byte) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = filling + byte(i>>12)
	}
	le := binary.LittleEndian
	le.PutUint16(b, 0xD110)
	le.PutUint16(b[2:], 2)
	le.PutUint32(b[4:], 1)
	le.PutUint64(b[8:], uint64(size))
	le.PutUint64(b[24:], 7123456789012345678)
	le.PutUint32(b[32:], uint32(size))
	le.PutUint32(b[36:], 8192)
	return b
}

// write makes a file of that name, in a directory of its own.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(pgtest.Dir(t), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// versions of all objects of the vault, as "key size version etag", delete markers included.
func versions(t *testing.T, a *store) []string {
	t.Helper()
	var all []string
	for v, err := range a.vault.ListVersions(t.Context(), "") {
		switch {
		case err != nil:
			t.Fatal(err)
		case v.DeleteMarker:
			all = append(all, v.Key+" deleted")
		default:
			all = append(all, fmt.Sprintf("%s %d %s %s", v.Key, v.Size, v.Version, v.ETag))
		}
	}
	return all
}

// wantOne fails unless the vault holds one version of one object, and returns that.
func wantOne(t *testing.T, a *store, key string) string {
	t.Helper()
	all := versions(t, a)
	if len(all) != 1 || !strings.HasPrefix(all[0], key+" ") {
		t.Fatalf("the vault holds %q, want %s alone", all, key)
	}
	return all[0]
}

func wantNoUploads(t *testing.T, a *store) {
	t.Helper()
	if open, err := a.OpenUploads(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("unfinished uploads: %v, %v", open, err)
	}
}

// store is a local cloud, and its vault as somebody sees it who may do anything.
type store struct {
	*clouds.Cloud
	vault bucket.Bucket
}

func start(t *testing.T, k clouds.Kind, c cloud.Config) *store {
	t.Helper()
	if c.VaultRetention == 0 {
		c.VaultRetention = 24 * time.Hour
	}
	c.Server = server
	s := &store{Cloud: k.Start(t, c)}
	var err error
	if s.vault, err = s.Open(t.Context(), cloud.Breakglass, s.VaultURL()); err != nil {
		t.Fatal(err)
	}
	return s
}

func digest(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// eventually waits for what another process does.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
