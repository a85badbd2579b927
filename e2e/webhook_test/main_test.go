// Package webhook_test runs the built service beside versitygw as it stands on premises: real users under bucket
// policies, and events that versitygw sends itself, once and to whoever listens.
package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/versity"
)

func TestMain(m *testing.M) { versity.Main(m) }

// token is the secret that versitygw has in its webhook's URL.
const token = "0123456789abcdef0123456789abcdef"

// scene is one server, what lies between it and the service, and the service.
type scene struct {
	*versity.Gateway
	service *service
	wire    *wire
	host    bucket.Bucket // the vault as the host sees it
	seen    bucket.Bucket // the vault as its owner sees it
	staged  bucket.Bucket // staging as the host sees it
}

// begin starts the service first, as versitygw does not start without its webhook.
func begin(t *testing.T) *scene {
	t.Helper()
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{wire: newWire(t)}
	s.service = newService(t, "http://"+s.wire.address())
	t.Cleanup(s.service.kill)
	s.service.start(t)
	s.Gateway = versity.Start(t, "http://pgseal:"+token+"@"+s.service.address+"/events", filepath.Join(root, "functions/webhook/versitygw"))
	s.wire.open(strings.TrimPrefix(s.Endpoint, "http://"))
	s.host, s.seen, s.staged = s.open(t, versity.Host, versity.VaultURL()), s.open(t, versity.Root, versity.VaultURL()), s.open(t, versity.Host, versity.StagingURL())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the service:\n%s\nversitygw:\n%s", s.service.log, s.Output())
		}
		if log := s.service.log.String(); strings.Contains(log, token) || strings.Contains(log, versity.Finalizer.Secret) {
			t.Error("a secret is in the service's log")
		}
	})
	return s
}

func (s *scene) open(t *testing.T, who versity.User, url string) bucket.Bucket {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "credentials")
	text := fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", who.Access, who.Access, who.Secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	b, err := s3bucket.Open(t.Context(), s3bucket.Options{URL: url, Endpoint: s.Endpoint, Region: versity.Region, Profile: who.Access})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// uploaded is a whole set of the host's, locked, with no marker yet; each is from another minute and has WAL of its own.
func (s *scene) uploaded(t *testing.T, minutesAgo int) *settest.Set {
	t.Helper()
	set := settest.New(versity.Server, time.Now().Add(-time.Duration(minutesAgo)*time.Minute))
	until := time.Now().Add(24 * time.Hour).Truncate(time.Second)
	set.Options.RetainUntil, set.Manifest.RetainUntil = until, &until
	set.Manifest.Begin.LSN += layout.LSN(minutesAgo) << 24
	set.Manifest.End.LSN += layout.LSN(minutesAgo) << 24
	set.Relabel()
	set.Upload(t, s.host)
	return set
}

// mark writes the marker, of which versitygw tells the service.
func (s *scene) mark(t *testing.T, set *settest.Set) {
	t.Helper()
	if _, err := s.staged.Put(t.Context(), layout.Marker(versity.Server, set.ID()), []byte("{}")); err != nil {
		t.Fatal(err)
	}
}

// seals are the versions of the set's backup.info.
func (s *scene) seals(t *testing.T, set *settest.Set) (n int) {
	t.Helper()
	for _, err := range s.seen.ListVersions(t.Context(), layout.BackupInfo(versity.Server, set.ID())) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// awaitSealed waits for the one seal and the verdict that says so.
func (s *scene) awaitSealed(t *testing.T, set *settest.Set) {
	t.Helper()
	await(t, "the verdict on "+set.ID(), func() bool {
		v, _, err := finalizer.ReadVerdict(t.Context(), s.staged, versity.Server, set.ID())
		if err != nil && !errors.Is(err, bucket.ErrNotFound) {
			t.Fatal(err)
		}
		if v.State == finalizer.Rejected || len(v.Findings) > 0 {
			t.Fatalf("%+v", v)
		}
		return v.State == finalizer.Sealed
	})
	if n := s.seals(t, set); n != 1 {
		t.Errorf("%d seals", n)
	}
}

// notice is an event of versitygw's, as whoever has seen one can make it.
func notice(bucket, key string) string {
	return `{"Records":[{"eventVersion":"2.2","eventSource":"aws:s3","eventName":"s3:ObjectCreated:Put","s3":{"configurationId":"webhook-global",
	"bucket":{"name":"` + bucket + `"},"object":{"key":"` + key + `","size":2,"versionId":null}}}]}`
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// service is the built program.
type service struct {
	address string
	env     []string
	log     *output
	cmd     *exec.Cmd
	program string
}

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// newService prepares the program, with its secrets in files. It sweeps once an hour: what is sealed sooner is sealed
// by an event, by the sweep at the start, or by the one after a failure.
func newService(t *testing.T, endpoint string) *service {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"token":       token + "\n",
		"credentials": fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", versity.Finalizer.Access, versity.Finalizer.Secret),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &service{address: l.Addr().String(), log: &output{}, program: build.Webhook(t), env: []string{
		"PGSEAL_WEBHOOK_LISTEN=" + l.Addr().String(), "PGSEAL_WEBHOOK_TOKEN_FILE=" + filepath.Join(dir, "token"), "PGSEAL_SWEEP_EVERY=1h",
		"PGSEAL_VAULT_URL=" + versity.VaultURL(), "PGSEAL_STAGING_URL=" + versity.StagingURL(), "PGSEAL_MIN_RETENTION=12h",
		"PGSEAL_DEADLINE=8s", // a store that is away is given up sooner
		"AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(dir, "credentials"), "AWS_REGION=" + versity.Region, "AWS_ENDPOINT_URL_S3=" + endpoint,
		"AWS_EC2_METADATA_DISABLED=true",
	}}
}

// start returns when it takes events.
func (s *service) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.CommandContext(context.Background(), s.program)
	s.cmd.Env, s.cmd.Stderr, s.cmd.Stdout = s.env, s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the service is ready", func() bool {
		code, _ := s.get(t, "/readyz")
		return code == http.StatusOK
	})
}

// kill ends it without a word.
func (s *service) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// end asks it to end, and gives its exit code.
func (s *service) end(t *testing.T) int {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

func (s *service) get(t *testing.T, path string) (int, string) {
	t.Helper()
	return s.ask(t, http.MethodGet, path, "", "")
}

func (s *service) ask(t *testing.T, method, path, secret, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// metric is the value of one line of /metrics.
func (s *service) metric(t *testing.T, line string) float64 {
	t.Helper()
	_, text := s.get(t, "/metrics")
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(line) + ` (\S+)$`).FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
