package webhook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/e2e/versity"
)

// The whole, as docs/on-premises.md sets it up: a backup by pgseal of a real server is sealed by versitygw's own event.
func TestABackupIsSealedByTheStoresOwnEvent(t *testing.T) {
	s := begin(t)
	env := s.Env(versity.Host)
	pgseal := build.Pgseal(t)
	c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15), Env: env,
		ArchiveCommand: fmt.Sprintf("%s wal-archive --retention 1d %s %s %%p", pgseal, versity.VaultURL(), versity.Server)})
	c.SQL("CREATE TABLE t AS SELECT generate_series(1, 1000) n")
	c.ArchiveAll()
	cmd := pgtest.Command(t.Context(), pgseal, "backup", "--staging-url", versity.StagingURL(), "-d", c.DSN(), "--immediate-checkpoint", "--retention", "1d",
		"--wait", "--wait-timeout", "1m", versity.VaultURL(), versity.Server)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	id := regexp.MustCompile(`\b\d{8}T\d{6}\b`).FindString(string(out))
	if _, err := s.seen.Stat(t.Context(), layout.BackupInfo(versity.Server, id), ""); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := s.service.metric(t, `pgseal_finalizer_verdicts_total{verdict="sealed"}`); n == 0 {
		t.Error("no event sealed it")
	}
	if n := s.service.metric(t, `pgseal_webhook_events_total{event="test"}`); n != 1 {
		t.Errorf("%v test events: versitygw sends one at its start", n)
	}

	// Stock rules of the store, and no condition on them: what the policies enforce here.
	info := layout.BackupInfo(versity.Server, "20010101T000000")
	for name, try := range map[string]func() error{
		"the host seals": func() error {
			_, err := s.host.Create(t.Context(), info, strings.NewReader("x"), bucket.CreateOptions{PartSize: 1 << 20})
			return err
		},
		"the host writes a verdict": func() error {
			_, err := s.staged.Put(t.Context(), layout.Verdict(versity.Server, id), []byte("{}"))
			return err
		},
		"the finalizer writes an archive": func() error {
			_, err := s.open(t, versity.Finalizer, versity.VaultURL()).Create(t.Context(), "main/base/"+id+"/x.tar", strings.NewReader("x"), bucket.CreateOptions{PartSize: 1 << 20})
			return err
		},
		"the host writes for another server": func() error {
			_, err := s.host.Create(t.Context(), "other/base/x/data.tar", strings.NewReader("x"), bucket.CreateOptions{PartSize: 1 << 20})
			return err
		},
	} {
		if err := try(); !errors.Is(err, bucket.ErrDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One story after the other on one server, each with a set of its own.
func TestWhatGoesWrong(t *testing.T) {
	s := begin(t)
	t.Run("forged requests", func(t *testing.T) {
		set := s.uploaded(t, 1)
		key := versity.Prefix + "/" + layout.Marker(versity.Server, set.ID())
		for name, test := range map[string]struct {
			secret, body string
			want         int
		}{
			"no secret":      {"", notice(versity.Staging, key), http.StatusUnauthorized},
			"a wrong secret": {strings.ToUpper(token), notice(versity.Staging, key), http.StatusUnauthorized},
			"another bucket": {token, notice(versity.Vault, key), http.StatusNoContent},
			"another key":    {token, notice(versity.Staging, "elsewhere/"+key), http.StatusNoContent},
			"a huge body":    {token, notice(versity.Staging, key) + strings.Repeat(" ", 10<<20), http.StatusRequestEntityTooLarge},
			"malformed":      {token, notice(versity.Staging, key)[1:], http.StatusBadRequest},
		} {
			if code, text := s.service.ask(t, http.MethodPost, "/events", test.secret, test.body); code != test.want && !(code == 0 && test.want == http.StatusRequestEntityTooLarge) {
				t.Errorf("%s: %d %s", name, code, text)
			}
		}
		if n := s.seals(t, set); n != 0 {
			t.Fatalf("%d seals", n)
		}
		s.mark(t, set)
		s.awaitSealed(t, set)
	})
	t.Run("one event many times", func(t *testing.T) {
		set := s.uploaded(t, 2)
		body := notice(versity.Staging, versity.Prefix+"/"+layout.Marker(versity.Server, set.ID()))
		before := s.service.metric(t, `pgseal_finalizer_verdicts_total{verdict="sealed"}`)
		s.mark(t, set)
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				if code, text := s.service.ask(t, http.MethodPost, "/events", token, body); code != http.StatusNoContent {
					t.Error(code, text)
				}
			})
		}
		all.Wait()
		s.awaitSealed(t, set)
		await(t, "versitygw's own event", func() bool {
			return s.service.metric(t, `pgseal_webhook_queue_length`) == 0
		})
		if calls := s.service.metric(t, `pgseal_finalizer_verdicts_total{verdict="sealed"}`) - before; calls < 1 || calls > 25 {
			t.Errorf("%v calls for 31 events", calls)
		}
	})
	t.Run("killed between marker and seal", func(t *testing.T) {
		set := s.uploaded(t, 3)
		s.wire.silence()
		s.mark(t, set)
		await(t, "the service asks the store", func() bool { return s.wire.waiting() > 0 })
		s.service.kill()
		if n := s.seals(t, set); n != 0 {
			t.Fatalf("%d seals", n)
		}
		s.wire.open(strings.TrimPrefix(s.Endpoint, "http://"))
		s.service.start(t)
		s.awaitSealed(t, set)
		if n := s.service.metric(t, `pgseal_webhook_events_total{event="marker"}`); n != 0 {
			t.Errorf("%v events: nobody told it again", n)
		}
	})
	t.Run("away while it was told", func(t *testing.T) {
		set := s.uploaded(t, 4)
		if code := s.service.end(t); code != 0 {
			t.Errorf("exit code %d", code)
		}
		s.mark(t, set)
		s.service.start(t)
		s.awaitSealed(t, set)
	})
	t.Run("the store is away and comes back", func(t *testing.T) {
		set := s.uploaded(t, 5)
		s.wire.cut()
		s.mark(t, set)
		await(t, "a failure", func() bool { return s.service.metric(t, `pgseal_finalizer_failures_total`) > 0 })
		if code, _ := s.service.get(t, "/readyz"); code != http.StatusOK {
			t.Error("it still takes events:", code)
		}
		s.wire.open(strings.TrimPrefix(s.Endpoint, "http://"))
		s.awaitSealed(t, set)
	})
	t.Run("versitygw restarts", func(t *testing.T) {
		set := s.uploaded(t, 6)
		s.Stop()
		s.Again(t)
		s.mark(t, set)
		s.awaitSealed(t, set)
	})
	for line := range strings.Lines(s.service.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line that is no JSON: %q", line)
		}
	}
}

// Whoever starts it wrongly is told which variable it is.
func TestItDoesNotStartOpenOrUnset(t *testing.T) {
	good := newService(t, "http://127.0.0.1:1").env
	for name, test := range map[string]struct {
		env  []string
		args []string
	}{
		"PGSEAL_WEBHOOK_TOKEN_FILE, or": {append(without(good, "PGSEAL_WEBHOOK_TOKEN_FILE"), "PGSEAL_WEBHOOK_LISTEN=:0"), nil},
		"PGSEAL_VAULT_URL":              {without(good, "PGSEAL_VAULT_URL"), nil},
		"no arguments":                  {good, []string{"--token", token}},
	} {
		cmd := exec.CommandContext(t.Context(), build.Webhook(t), test.args...)
		var out bytes.Buffer
		cmd.Env, cmd.Stderr, cmd.WaitDelay = test.env, &out, time.Second
		if err := cmd.Run(); err == nil || !strings.Contains(out.String(), name) {
			t.Errorf("%s: %v\n%s", name, err, &out)
		}
	}
}

func without(env []string, name string) (rest []string) {
	for _, pair := range env {
		if !strings.HasPrefix(pair, name+"=") {
			rest = append(rest, pair)
		}
	}
	return rest
}
