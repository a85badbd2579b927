package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestMain(m *testing.M) { localaws.Main(m) }

// screen is an output that a test can watch.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// shows waits for the text.
func (s *screen) shows(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(s.String(), want) {
			return
		}
	}
	t.Fatalf("no %q in:\n%s", want, s)
}

// exports reads the lines to paste below the identity's heading.
func exports(text, identity string) map[string]string {
	_, text, _ = strings.Cut(text, "\n# "+identity+":")
	block, _, _ := strings.Cut(text, "\n\n")
	out := map[string]string{}
	for line := range strings.Lines(block) {
		if assignment, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			name, value, _ := strings.Cut(assignment, "=")
			out[name] = value
		}
	}
	return out
}

func TestAMarkerWrittenWithThePastedKeysWakesTheFunction(t *testing.T) {
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	if out, err := exec.Command("go", "build", "-o", bootstrap, "../../runtimeapi/testdata/sample").CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	dir := filepath.Join(t.TempDir(), "kept")
	var keys []string
	for range 2 { // the second start finds buckets and keys of the first
		var stdout, stderr screen
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error)
		go func() {
			done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-dir", dir, "-prefix", "/pg/", "-bootstrap", bootstrap}, &stdout, &stderr)
		}()
		stdout.shows(t, "Ctrl-C")
		if !strings.Contains(stdout.String(), "s3://vault/pg  (Object Lock, COMPLIANCE, default retention in days: 1)") {
			t.Errorf("%s", &stdout)
		}
		env := exports(stdout.String(), "host")
		keys = append(keys, env["AWS_SECRET_ACCESS_KEY"])
		client := s3.New(s3.Options{BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL_S3"]), Region: env["AWS_REGION"], UsePathStyle: true,
			Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], "")})
		_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("staging"),
			Key: aws.String("pg/_pgseal/complete/main/20260101T000000.json"), Body: strings.NewReader("{}")})
		if err != nil {
			t.Fatal(err)
		}
		stderr.shows(t, "REPORT RequestId")
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if keys[0] == "" || keys[0] != keys[1] {
		t.Errorf("keys changed: %q", keys)
	}
	if _, err := os.Stat(filepath.Join(dir, "objects", "vault")); err != nil {
		t.Error(err)
	}
}

func TestBadFlagsAreRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"a negative retention": {"-retention-days", "-1"},
		"a stray argument":     {"start"},
		"a missing bootstrap":  {"-listen", "127.0.0.1:0", "-bootstrap", "/does/not/exist"},
	} {
		var out screen
		if err := run(context.Background(), args, &out, &out); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
