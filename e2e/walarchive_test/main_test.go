// Package walarchive_test archives WAL with the built pgseal, into a local AWS that is as strict as the real one, as the
// identity that the database host has.
package walarchive_test

import (
	"bytes"
	"context"
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

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/e2e/build"
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
func archive(t *testing.T, a *localaws.AWS, file string, flags ...string) answer {
	t.Helper()
	args := append(append([]string{"wal-archive"}, flags...), a.VaultURL(), server, file)
	return wait(t, command(t, a.Host, build.Pgseal(t), args...))
}

func command(t *testing.T, who localaws.Identity, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := pgtest.Command(t.Context(), program, args...)
	cmd.Env = append(cmd.Env, who.Env()...)
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

// versions of all objects of the vault, as "key size version", delete markers included.
func versions(t *testing.T, a *localaws.AWS) []string {
	t.Helper()
	var all []string
	pages := s3.NewListObjectVersionsPaginator(a.Client(a.Breakglass), &s3.ListObjectVersionsInput{Bucket: &a.Vault})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			all = append(all, fmt.Sprintf("%s %d %s", *v.Key, *v.Size, *v.VersionId))
		}
		for _, d := range page.DeleteMarkers {
			all = append(all, *d.Key+" deleted")
		}
	}
	return all
}

// wantOne fails unless the vault holds one version of one object, and returns that.
func wantOne(t *testing.T, a *localaws.AWS, key string) string {
	t.Helper()
	all := versions(t, a)
	if len(all) != 1 || !strings.HasPrefix(all[0], key+" ") {
		t.Fatalf("the vault holds %q, want %s alone", all, key)
	}
	return all[0]
}

// head is what the vault says about an object.
func head(t *testing.T, a *localaws.AWS, key string) *s3.HeadObjectOutput {
	t.Helper()
	out, err := a.Client(a.Breakglass).HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: &a.Vault, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wantNoUploads(t *testing.T, a *localaws.AWS) {
	t.Helper()
	out, err := a.Client(a.Breakglass).ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: &a.Vault})
	if err != nil || len(out.Uploads) != 0 {
		t.Errorf("unfinished uploads: %v, %v", out, err)
	}
}

func start(t *testing.T, c localaws.Config) *localaws.AWS {
	t.Helper()
	if c.VaultRetention == 0 {
		c.VaultRetention = 24 * time.Hour
	}
	c.Server = server
	return localaws.Start(t, c)
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
