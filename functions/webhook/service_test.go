package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/functions/wake"
)

// scene is a vault and a staging place in memory, with a host's set in it, and what the service logs.
type scene struct {
	vault, staging *membucket.Store
	set            *settest.Set
	down           atomic.Bool // the store fails every request of the service
	log            *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newTestService is a service over a model of S3, with the true finalizer.
func newTestService(t testing.TB, set settings) (*service, *scene) {
	t.Helper()
	c := &scene{log: &syncBuffer{}}
	c.vault = membucket.New(membucket.Options{URL: "s3://vault/p", Now: time.Now, Locked: true, Default: 24 * time.Hour})
	c.staging = membucket.New(membucket.Options{URL: "s3://staging/p", Now: time.Now})
	hook := func(context.Context, membucket.Call) membucket.Fault {
		if c.down.Load() {
			return membucket.Fault{Skip: true, Err: membucket.ErrThrottle}
		}
		return membucket.Fault{}
	}
	log := slog.New(slog.NewJSONHandler(c.log, nil))
	env := map[string]string{wake.EnvVault: "vault", wake.EnvStaging: "staging"}
	f, err := wake.Open(t.Context(), func(name string) string { return env[name] }, func(_ context.Context, url string) (bucket.Bucket, error) {
		return map[string]*membucket.Store{"vault": c.vault, "staging": c.staging}[url].Hooked(hook, false), nil
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	if set.sweepEvery == 0 {
		set.sweepEvery = time.Hour
	}
	return newService(set, f.Backup, f.Finalize, f.Sweep, log), c
}

// uploaded puts a whole set into the vault.
func (c *scene) uploaded(t *testing.T) *scene {
	t.Helper()
	c.set = settest.New("main", time.Now())
	c.set.Upload(t, c.vault.Bucket())
	return c
}

// notice is the event of the set's marker as versitygw sends it.
func (c *scene) notice() string {
	return shapes["versitygw"]("staging", "p/"+layout.Marker("main", c.set.ID()))
}

func (c *scene) sealed(t *testing.T) bool {
	t.Helper()
	_, err := c.vault.Bucket().Stat(t.Context(), layout.BackupInfo("main", c.set.ID()), "")
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// serve has the queue work, and gives the address.
func (s *service) serve(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go s.queue.run(ctx)
	server := httptest.NewServer(s.routes())
	t.Cleanup(func() { server.Close(); cancel(); s.queue.stop(); <-s.queue.stopped })
	return server.URL
}

func post(t *testing.T, url, body string, header ...string) *http.Response {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body)))
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	answer := must(http.DefaultClient.Do(r))
	text := must(io.ReadAll(answer.Body))
	answer.Body = io.NopCloser(bytes.NewReader(text))
	if answer.StatusCode == http.StatusNoContent && len(text) > 0 {
		t.Errorf("a 2xx with a body: %q", text)
	}
	return answer
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	answer := must(http.DefaultClient.Do(must(http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))))
	return answer.StatusCode, string(must(io.ReadAll(answer.Body)))
}

func TestAnEventSealsAndItsDuplicatesDoNot(t *testing.T) {
	s, c := newTestService(t, settings{token: secret})
	c.uploaded(t)
	url := s.serve(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if a := post(t, url+"/events", c.notice(), "Authorization", "Bearer "+secret); a.StatusCode != http.StatusNoContent {
				t.Error(a.Status)
			}
		})
	}
	all.Wait()
	if !c.sealed(t) {
		t.Errorf("not sealed\n%s", c.log)
	}
	if n := strings.Count(c.log.String(), `"verdict":"sealed"`); n == 0 || n > 20 {
		t.Errorf("%d verdicts", n)
	}
	if _, text := get(t, url+"/metrics"); !strings.Contains(text, `pgseal_webhook_requests_total{code="204"} 20`) || !strings.Contains(text, `pgseal_webhook_events_total{event="marker"} 20`) {
		t.Error(text)
	}
}

func TestForgedRequests(t *testing.T) {
	s, c := newTestService(t, settings{token: secret})
	c.uploaded(t)
	url := s.serve(t)
	right := []string{"Authorization", "Bearer " + secret}
	at := func(bucket, key string) string { return shapes["versitygw"](bucket, key) }
	key := "p/" + layout.Marker("main", c.set.ID())
	for name, test := range map[string]struct {
		path, body string
		header     []string
		want       int
	}{
		"no secret":            {"/events", c.notice(), nil, http.StatusUnauthorized},
		"a wrong secret":       {"/events", c.notice(), []string{"Authorization", "Bearer " + secret + "x"}, http.StatusUnauthorized},
		"a wrong path":         {"/events/wrong", c.notice(), nil, http.StatusUnauthorized},
		"another bucket":       {"/events", at("vault", key), right, http.StatusNoContent},
		"a bucket like it":     {"/events", at("staging2", key), right, http.StatusNoContent},
		"another prefix":       {"/events", at("staging", "q"+key), right, http.StatusNoContent},
		"a key that climbs":    {"/events", at("staging", "p/../"+key), right, http.StatusNoContent},
		"no marker":            {"/events", at("staging", "p/main/base/x/backup.info"), right, http.StatusNoContent},
		"a verdict":            {"/events", at("staging", "p/"+layout.Verdict("main", c.set.ID())), right, http.StatusNoContent},
		"a backup that is not": {"/events", at("staging", "p/"+layout.Marker("main", "20010101T000000")), right, http.StatusNoContent},
		"malformed":            {"/events", `{"Records":`, right, http.StatusBadRequest},
		"something else":       {"/events", `{"hello":"world"}`, right, http.StatusBadRequest},
		"huge":                 {"/events", c.notice() + strings.Repeat(" ", maxEvent), right, http.StatusRequestEntityTooLarge},
		"another place":        {"/", c.notice(), right, http.StatusNotFound},
	} {
		if a := post(t, url+test.path, test.body, test.header...); a.StatusCode != test.want {
			t.Errorf("%s: %s", name, a.Status)
		}
		if c.sealed(t) {
			t.Fatalf("%s sealed", name)
		}
	}
	if code, _ := get(t, url+"/events"); code != http.StatusMethodNotAllowed {
		t.Error(code)
	}
	if n := strings.Count(c.log.String(), "are refused"); n != 1 {
		t.Errorf("%d lines for three who knocked\n%s", n, c.log)
	}
	if strings.Contains(c.log.String(), secret) {
		t.Error("the secret is in the log")
	}
	if post(t, url+"/events/"+strings.ReplaceAll(secret, " ", "%20"), c.notice()).StatusCode != http.StatusNoContent || !c.sealed(t) {
		t.Errorf("the true event was not let in any more\n%s", c.log)
	}
}

func TestAStoreThatIsAway(t *testing.T) {
	s, c := newTestService(t, settings{})
	c.uploaded(t)
	c.down.Store(true)
	url := s.serve(t)
	a := post(t, url+"/events", c.notice())
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") != "30" || c.sealed(t) {
		t.Error(a.Status, a.Header)
	}
	if text := string(must(io.ReadAll(a.Body))); strings.Contains(text, "vault") {
		t.Errorf("what the store said is not for the sender: %q", text)
	}
	select {
	case <-s.sweeper.failed:
	default:
		t.Error("no sweep was asked for")
	}
	c.down.Store(false)
	if a := post(t, url+"/events", c.notice()); a.StatusCode != http.StatusNoContent || !c.sealed(t) {
		t.Error(a.Status)
	}
}

func TestAMistakeIsToldAsAFailure(t *testing.T) {
	s, c := newTestService(t, settings{})
	c.uploaded(t)
	s.finalize = func(context.Context, []wake.Object) ([]wake.Result, error) { panic("as asked") }
	if a := post(t, s.serve(t)+"/events", c.notice()); a.StatusCode != http.StatusServiceUnavailable || s.metrics.values[failuresTotal][""] != 1 {
		t.Error(a.Status)
	}
}

func TestWhoDoesNotWaitDoesNotEndTheCall(t *testing.T) {
	s, c := newTestService(t, settings{})
	c.uploaded(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	finalize := s.finalize
	s.finalize = func(ctx context.Context, o []wake.Object) ([]wake.Result, error) {
		close(begun)
		<-goOn
		return finalize(ctx, o)
	}
	url := s.serve(t)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(must(http.NewRequestWithContext(ctx, http.MethodPost, url+"/events", strings.NewReader(c.notice()))))
		left <- err
	}()
	<-begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for text := ""; !strings.Contains(text, `pgseal_webhook_requests_total{code="gone"} 1`); _, text = get(t, url+"/metrics") {
		time.Sleep(time.Millisecond)
	}
	close(goOn)
	for !c.sealed(t) {
		time.Sleep(time.Millisecond)
	}
}

func TestTooManyAtOnce(t *testing.T) {
	s, c := newTestService(t, settings{})
	c.uploaded(t)
	url := s.serve(t)
	for range maxRequests {
		s.room <- struct{}{}
	}
	if a := post(t, url+"/events", c.notice()); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Error(a.Status)
	}
}

// runService starts the whole, and gives its address and how it ended.
func runService(t *testing.T, s *service, c *scene) (address string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	for address == "" {
		if _, rest, ok := strings.Cut(c.log.String(), `"address":"`); ok {
			address, _, _ = strings.Cut(rest, `"`)
		}
		select {
		case err := <-ended:
			t.Fatalf("it did not start: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	return address, func() error { cancel(); return <-ended }
}

func TestTheStartSweeps(t *testing.T) {
	s, c := newTestService(t, settings{listen: "127.0.0.1:0"})
	c.uploaded(t)
	address, stop := runService(t, s, c)
	for !c.sealed(t) {
		time.Sleep(time.Millisecond)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, text := get(t, "http://"+address+path); code != http.StatusOK || text != "ok\n" {
			t.Error(path, code, text)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestTheEndWaitsForWhatRuns(t *testing.T) {
	s, c := newTestService(t, settings{listen: "127.0.0.1:0"})
	c.uploaded(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	finalize := s.finalize
	s.finalize = func(ctx context.Context, o []wake.Object) ([]wake.Result, error) {
		close(begun)
		<-goOn
		return finalize(ctx, o)
	}
	s.sweeper.sweep = func(context.Context) (finalizer.SweepReport, error) { return finalizer.SweepReport{Done: true}, nil }
	address, stop := runService(t, s, c)
	answered := make(chan int, 1)
	go func() { answered <- post(t, "http://"+address+"/events", c.notice()).StatusCode }()
	<-begun
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for !s.ending.Load() {
		time.Sleep(time.Millisecond)
	}
	if code, _ := get(t, "http://"+address+"/readyz"); code != http.StatusServiceUnavailable {
		t.Error("ready while it ends:", code)
	}
	close(goOn)
	if code := <-answered; code != http.StatusNoContent {
		t.Error(code)
	}
	if err := <-ended; err != nil || !c.sealed(t) {
		t.Error(err)
	}
}

func TestItRefusesToBeOpen(t *testing.T) {
	s, _ := newTestService(t, settings{listen: ":0"})
	if err := s.run(t.Context()); !errors.Is(err, errOpen) {
		t.Error(err)
	}
}

func TestSendersShowACertificate(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	a.server(t, "server")
	a.client(t, "sender")
	other.client(t, "sender")
	env := map[string]string{envListen: "127.0.0.1:0", envCert: a.file("server.crt"), envKey: a.file("server.key"), envClientCA: a.file("ca.crt")}
	set := must(settingsFromEnv(func(name string) string { return env[name] }))
	s, c := newTestService(t, set)
	s.sweeper.sweep = func(context.Context) (finalizer.SweepReport, error) { return finalizer.SweepReport{Done: true}, nil }
	c.uploaded(t)
	address, stop := runService(t, s, c)
	defer func() { _ = stop() }()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(a.file("ca.crt"))))
	send := func(path string, from *authority, name string) (int, error) {
		config := &tls.Config{RootCAs: roots}
		if from != nil {
			config.Certificates = []tls.Certificate{must(tls.LoadX509KeyPair(from.file(name+".crt"), from.file(name+".key")))}
		}
		client := http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
		method := http.MethodPost
		if path != "/events" {
			method = http.MethodGet
		}
		r, err := client.Do(must(http.NewRequestWithContext(t.Context(), method, "https://"+address+path, strings.NewReader(c.notice()))))
		if err != nil {
			return 0, err
		}
		return r.StatusCode, r.Body.Close()
	}
	if code, err := send("/events", nil, ""); code != http.StatusUnauthorized {
		t.Error("without a certificate:", code, err)
	}
	if code, err := send("/events", other, "sender"); code == http.StatusNoContent {
		t.Error("a certificate of another authority:", code, err)
	}
	if code, err := send("/events", a, "server"); code == http.StatusNoContent {
		t.Error("a server's certificate:", code, err)
	}
	if c.sealed(t) {
		t.Fatal("sealed")
	}
	if code, err := send("/healthz", nil, ""); code != http.StatusOK {
		t.Error("health is asked without one:", code, err)
	}
	if code, err := send("/events", a, "sender"); code != http.StatusNoContent || !c.sealed(t) {
		t.Error(code, err)
	}
}

func TestMetricsAreTold(t *testing.T) {
	m := newMetrics()
	m.swept(finalizer.SweepReport{Sealed: 2, Tampered: 1, Waiting: 3, Failed: 4, Done: true}, nil, time.Unix(1764000000, 500_000_000))
	m.swept(finalizer.SweepReport{}, errors.New("503"), time.Now())
	m.finalized([]wake.Result{{Verdict: finalizer.Rejected}}, errors.New("503"), 1500*time.Millisecond)
	var text strings.Builder
	m.write(&text)
	for _, line := range []string{
		`# TYPE pgseal_sweeps_total counter`, `pgseal_sweeps_total{outcome="done"} 1`, `pgseal_sweeps_total{outcome="failed"} 1`, `pgseal_sweeps_total{outcome="unfinished"} 0`,
		`pgseal_sweep_found_total{what="sealed"} 2`, `pgseal_sweep_found_total{what="tampered"} 1`, `pgseal_sweep_found_total{what="damaged"} 0`,
		`pgseal_sweep_last_success_timestamp_seconds 1764000000.5`, `pgseal_sweep_waiting 0`, `pgseal_sweep_failed_looks_total 4`,
		`pgseal_finalizer_verdicts_total{verdict="rejected"} 1`, `pgseal_finalizer_verdicts_total{verdict="sealed"} 0`, `pgseal_finalizer_failures_total 1`, `pgseal_finalizer_seconds_total 1.5`,
	} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("%s is not in\n%s", line, text.String())
		}
	}
	for _, f := range families {
		if strings.Count(text.String(), fmt.Sprintf("# HELP %s ", f.name)) != 1 {
			t.Errorf("%s", f.name)
		}
	}
}
