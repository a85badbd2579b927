package functionshost_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/functionshost"
)

var app string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pgseal-functionshost-")
	if err != nil {
		panic(err)
	}
	app = filepath.Join(dir, "app")
	if err := os.CopyFS(app, os.DirFS("testdata/app")); err != nil {
		panic(err)
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(app, "handler"), "./testdata/sample").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func start(t *testing.T, env ...string) *functionshost.Host {
	t.Helper()
	return functionshost.Start(t, app, append(functionshost.Settings(), env...)...)
}

// logged waits for a line: what a handler writes comes through a pipe, and may arrive after its answer.
func logged(t *testing.T, h *functionshost.Host, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(h.Logs(), want); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("no %q in the log:\n%s", want, h.Logs())
			return
		}
	}
}

func TestValuesArriveAsTheHostWritesThem(t *testing.T) {
	h := start(t, "OWN=mine")
	for _, c := range []struct {
		function string
		value    functionshost.Value
		want     string
	}{
		{"direct", functionshost.Object([]byte(`{"x":1}`)), `did {"x":1}`},
		{"finalize", functionshost.Text([]byte(`{"x":1}`)), `did "{\"x\":1}"`},
		{"finalize", functionshost.QuotedText([]byte(`{"x":1}`)), `did "\"{\\\"x\\\":1}\""`},
		{"sweep", functionshost.Timer(), `did {"Schedule"`},
	} {
		logs, err := h.Invoke(t.Context(), c.function, c.value)
		if err != nil || len(logs) != 1 || !strings.HasPrefix(logs[0], c.want) {
			t.Errorf("%s: %q, %v", c.want, logs, err)
		}
	}
	logged(t, h, `/direct doing {"x":1} count=<nil> own=mine home=`+"\n")
	if _, err := h.Invoke(t.Context(), "other", functionshost.Timer()); err == nil || h.Starts() != 1 {
		t.Errorf("%v, %d starts", err, h.Starts())
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, do, want string
		restarts       bool
	}{
		{"any status but 2xx", "fail", "500", false},
		{"an empty answer", "empty", functionshost.ErrHang.Error(), false},
		{"null", "null", functionshost.ErrHang.Error(), false},
		{"an answer of another type", "text", "text/plain", false},
		{"an answer that is no object", "list", "invalid", false},
		{"an exit", "exit", "exit status 3", true},
		{"a function that hangs costs the process", "hang", functionshost.ErrTimeout.Error(), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := start(t)
			if _, err := h.Invoke(t.Context(), "finalize", functionshost.Text([]byte("warm up"))); err != nil {
				t.Fatal(err)
			}
			if c.do == "hang" {
				h.SetTimeout(300 * time.Millisecond)
			}
			if _, err := h.Invoke(t.Context(), "finalize", functionshost.Text([]byte(c.do))); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatal(err)
			}
			h.SetTimeout(time.Minute)
			if _, err := h.Invoke(t.Context(), "finalize", functionshost.Text([]byte("after"))); err != nil || h.Starts() == 2 != c.restarts {
				t.Fatalf("%v, %d starts", err, h.Starts())
			}
		})
	}
}

func TestAKillEndsWhatRuns(t *testing.T) {
	h := start(t)
	go func() {
		logged(t, h, "doing \"hang\"")
		h.Kill()
	}()
	if _, err := h.Invoke(t.Context(), "finalize", functionshost.Text([]byte("hang"))); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Error(err)
	}
	if _, err := h.Invoke(t.Context(), "finalize", functionshost.Text([]byte("more"))); err != nil || h.Starts() != 2 {
		t.Error(err, h.Starts())
	}
}

func TestAQueueBringsMessagesAgainAndThenPoisonsThem(t *testing.T) {
	h := start(t)
	q, err := h.Queue("finalize", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	for _, what := range []string{"fail", "well", "good", "fine"} {
		q.Deliver([]byte(what))
	}
	q.Put("no base64!")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := q.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	if p := q.Poison(); len(p) != 2 || q.Dead() != 2 || p[0].DequeueCount != 3 {
		t.Errorf("%+v", p)
	}
	logged(t, h, `doing "fail" count=3`)
	logged(t, h, `doing "fine" count=1`)
	if _, err := h.Queue("sweep", 0); err == nil {
		t.Error("a timer has no queue")
	}
}

func TestWhatTheHostWouldNotStart(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(app, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, c := range []struct{ name, file, old, new, want string }{
		{"another version", "host.json", `"2.0"`, `"1.0"`, "2.0"},
		{"no program", "host.json", "defaultExecutablePath", "x", "defaultExecutablePath"},
		{"a program that is not there", "host.json", `"handler"`, `"other"`, "cannot be executed"},
		{"no bundle", "host.json", "extensionBundle", "x", "extension bundle"},
		{"a time that is none", "host.json", "00:01:00", "1m", "functionTimeout"},
		{"no JSON", "host.json", "{", "", "host.json"},
		{"no trigger's name", "finalize/function.json", `"name"`, `"x"`, "a name"},
		{"an unknown trigger", "finalize/function.json", "queueTrigger", "magicTrigger", "magicTrigger"},
		{"a setting that is not there", "finalize/function.json", "PGSEAL_QUEUE_NAME", "QUEUE", "%QUEUE% does not resolve"},
		{"a connection that is not there", "finalize/function.json", `"PGSEAL_QUEUE"`, `"OTHER"`, `"OTHER" is missing`},
		{"a name that no queue has", "finalize/function.json", "%PGSEAL_QUEUE_NAME%", "A_B", "no name of a queue"},
		{"a schedule of five fields", "sweep/function.json", "%PGSEAL_SWEEP_SCHEDULE%", "*/15 * * * *", "six fields"},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(app)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, c.file), []byte(strings.Replace(read(c.file), c.old, c.new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := functionshost.New(functionshost.Config{Dir: dir, Env: functionshost.Settings()}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	h := start(t, "OWN=broken")
	if _, err := h.Invoke(t.Context(), "sweep", functionshost.Timer()); err == nil || errors.Is(err, functionshost.ErrTimeout) {
		t.Error(err)
	}
	logged(t, h, "cannot start")
}
