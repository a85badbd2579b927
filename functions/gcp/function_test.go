package gcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/functions/wake"
)

const id = "20261123T010203"

// left is how much time the last read was given.
var left time.Duration

// begin gives a function whose places are directories that gs:// URLs name, and its log.
func begin(t *testing.T, env map[string]string) (f *function, dir string, log *bytes.Buffer) {
	t.Helper()
	dir, log = t.TempDir(), &bytes.Buffer{}
	for _, place := range []string{"vault", "staging"} {
		if err := os.MkdirAll(filepath.Join(dir, place, "p"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	open := func(_ context.Context, url string) (bucket.Bucket, error) {
		below, ok := strings.CutPrefix(url, "gs://")
		if !ok {
			return nil, errors.New("no URL of Google Cloud Storage")
		}
		b, err := filebucket.Open("file://" + filepath.Join(dir, below))
		return place{b, url}, err
	}
	getenv := func(name string) string {
		if value, set := env[name]; set {
			return value
		}
		return map[string]string{wake.EnvVault: "gs://vault/p", wake.EnvStaging: "gs://staging/p"}[name]
	}
	return newFunction(getenv, open, slog.New(logHandler(log))), dir, log
}

// place is a directory under another URL.
type place struct {
	bucket.Bucket
	url string
}

func (p place) URL() string { return p.url }

func (p place) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	return p.Bucket.Open(ctx, key, version, offset, length)
}

func TestACallEndsBeforeTheFunctionsTimeout(t *testing.T) {
	event := received(t, objectFinalized, storageObject("staging", "p/"+layout.Marker("main", id)), false)
	for set, want := range map[string]time.Duration{"": time.Minute, "9m": 9 * time.Minute} {
		f, _, _ := begin(t, map[string]string{finalizer.EnvDeadline: set})
		if err := f.handle(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		if left > want-time.Second || left < want-10*time.Second {
			t.Errorf("%q: %s left", set, left)
		}
	}
	f, _, _ := begin(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // as the framework does where it is told
	defer cancel()
	if err := f.handle(ctx, event); err != nil || left > 19*time.Second {
		t.Errorf("%s left, %v", left, err)
	}
}

// lines are the log's lines, each read as Cloud Logging does.
func lines(t *testing.T, log *bytes.Buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if _, err := time.Parse(time.RFC3339Nano, fields["time"].(string)); err != nil || fields["severity"] == nil || fields["message"] == nil {
			t.Errorf("%q: %v", line, err)
		}
		all = append(all, fields)
	}
	return all
}

func TestWhatIsWrongForGoodIsASuccessAndOnRecord(t *testing.T) {
	f, dir, log := begin(t, nil)
	manifest := filepath.Join(dir, "vault/p", layout.Manifest("main", id))
	if err := os.MkdirAll(filepath.Dir(manifest), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(manifest, []byte("no JSON"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := f.handle(t.Context(), received(t, objectFinalized, storageObject("staging", "p/"+layout.Marker("main", id)), false)); err != nil {
		t.Fatal(err)
	}
	verdict, _, err := finalizer.ReadVerdict(t.Context(), must(filebucket.Open("file://"+dir+"/staging/p")), "main", id)
	if err != nil || verdict.State != finalizer.Rejected {
		t.Errorf("%+v, %v", verdict, err)
	}
	if l := lines(t, log); len(l) != 1 || l[0]["severity"] != "ERROR" || l[0]["verdict"] != "rejected" {
		t.Error(l)
	}
}

func must(b *filebucket.Bucket, err error) *filebucket.Bucket {
	if err != nil {
		panic(err)
	}
	return b
}

func TestAnEventThatCannotBeReadIsDroppedWithAnErrorInTheLog(t *testing.T) {
	f, _, log := begin(t, nil)
	if err := f.handle(t.Context(), received(t, "some.thing.else", `{}`, false)); err != nil {
		t.Error(err)
	}
	if l := lines(t, log); len(l) != 1 || l[0]["severity"] != "ERROR" || !strings.Contains(l[0]["error"].(string), "some.thing.else") {
		t.Error(l)
	}
}

func TestAnEventOfAnotherBucketComesAgainUntilSomebodyCorrectsTheTrigger(t *testing.T) {
	f, _, log := begin(t, nil)
	err := f.handle(t.Context(), received(t, objectFinalized, storageObject("vault", "p/"+layout.Marker("main", id)), false))
	var eventErr *wake.EventError
	if !errors.As(err, &eventErr) || !strings.Contains(log.String(), "connect the trigger to staging") {
		t.Errorf("%v\n%s", err, log)
	}
}

func TestAStrayObjectIsPassedOver(t *testing.T) {
	f, _, log := begin(t, nil)
	if err := f.handle(t.Context(), received(t, objectFinalized, storageObject("staging", "p/x"), false)); err != nil {
		t.Error(err)
	}
	if l := lines(t, log); len(l) != 1 || l[0]["severity"] != "WARNING" {
		t.Error(l)
	}
}

func TestTheSchedulersMessageSweeps(t *testing.T) {
	sweep := received(t, messagePublish, `{"message":{"attributes":{"pgseal":"sweep"}}}`, false)
	f, dir, log := begin(t, nil)
	if err := f.handle(t.Context(), sweep); err != nil {
		t.Error(err)
	}
	if l := lines(t, log); len(l) != 1 || l[0]["message"] != "swept" || l[0]["severity"] != "INFO" {
		t.Error(l)
	}
	log.Reset()
	if err := os.RemoveAll(filepath.Join(dir, "staging")); err != nil {
		t.Fatal(err)
	}
	if err := f.handle(t.Context(), sweep); err != nil {
		t.Errorf("what failed comes again many times: %v", err)
	}
	if l := lines(t, log); len(l) == 0 || l[len(l)-1]["severity"] != "ERROR" || l[len(l)-1]["kind"] != "AccessError" {
		t.Error(l)
	}
}

func TestEveryEventIsToldOfAWrongSetting(t *testing.T) {
	for name, value := range map[string]string{wake.EnvVault: "", wake.EnvStaging: "s3://x", "PGSEAL_DEADLINE": "1s"} {
		f, _, log := begin(t, map[string]string{name: value})
		for range 2 {
			if err := f.handle(t.Context(), received(t, "some.thing.else", `{}`, false)); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if l := lines(t, log); len(l) != 2 || !strings.Contains(l[1]["error"].(string), name) {
			t.Error(l)
		}
	}
}

func TestAPanicIsAnErrorOfItsEventAlone(t *testing.T) {
	f, _, log := begin(t, nil)
	f.open = func() (*wake.Function, error) { panic("as asked") }
	if err := f.handle(t.Context(), received(t, objectFinalized, `{}`, false)); err == nil {
		t.Error("a success")
	}
	if l := lines(t, log); len(l) != 1 || l[0]["severity"] != "ERROR" || l[0]["stack_trace"] == nil {
		t.Error(l)
	}
}
