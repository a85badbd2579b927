package attack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// scene is a local cloud in which markers wake the built function, as deployed by Terraform.
type scene struct {
	*clouds.Cloud
	vault, staging bucket.Bucket // as the host sees them
	all            bucket.Bucket // the vault, as somebody sees it who may do anything
	fn             cloud.Function
}

// encryption is what the module's function demands of each cloud's vault.
var encryption = map[string]string{"AWS": "AES256", "Google Cloud": "default", "Azure": "default"}

// begin starts one whose host may write for that server; "" is any.
func begin(t *testing.T, k clouds.Kind, server string) *scene {
	t.Helper()
	s := &scene{Cloud: k.Start(t, cloud.Config{Prefix: "barman", Server: server, VaultRetention: 24 * time.Hour})}
	for place, to := range map[*bucket.Bucket][2]string{
		&s.vault: {cloud.Host, s.VaultURL()}, &s.staging: {cloud.Host, s.StagingURL()}, &s.all: {cloud.Breakglass, s.VaultURL()},
	} {
		var err error
		if *place, err = s.Open(t.Context(), to[0], to[1]); err != nil {
			t.Fatal(err)
		}
	}
	s.fn = s.Deploy(t, finalizer.EnvMinRetention+"=23h", finalizer.EnvEncryption+"="+encryption[k.Name])
	s.Connect(t, s.fn, time.Second)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the function's log:\n%s", s.fn.Logs())
		}
	})
	return s
}

// pgseal runs the program as somebody; its exit code is the caller's business.
func (s *scene) pgseal(t *testing.T, who string, args ...string) (code int, stdout, all string) {
	t.Helper()
	cmd := pgtest.Command(t.Context(), build.Pgseal(t), args...)
	cmd.Env = append(append(cmd.Env, s.Env(who)...), finalizer.EnvEncryption+"="+encryption[s.Kind.Name])
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), out.String() + errs.String()
}

// create makes an object with the host's rights.
func (s *scene) create(t *testing.T, key string, body []byte) {
	t.Helper()
	if _, err := s.vault.Create(t.Context(), key, bytes.NewReader(body), bucket.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// mark leaves a set's marker, which wakes the function.
func (s *scene) mark(t *testing.T, server, id string) {
	t.Helper()
	if _, err := s.staging.Put(t.Context(), layout.Marker(server, id), []byte("{}")); err != nil {
		t.Fatal(err)
	}
}

// verdict waits for the function's.
func (s *scene) verdict(t *testing.T, server, id string) (v finalizer.Verdict) {
	t.Helper()
	until(t, "the verdict on "+server, func() bool {
		var err error
		v, _, err = finalizer.ReadVerdict(t.Context(), s.staging, server, id)
		if err != nil && !errors.Is(err, bucket.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	})
	return v
}

// sealed is a whole set of a server that the function has sealed.
func (s *scene) sealed(t *testing.T, server string) *settest.Set {
	t.Helper()
	set := settest.New(server, time.Now())
	set.Upload(t, s.vault)
	s.isSealed(t, server, set.ID())
	return set
}

// isSealed marks the set, and demands its seal.
func (s *scene) isSealed(t *testing.T, server, id string) {
	t.Helper()
	s.mark(t, server, id)
	if v := s.verdict(t, server, id); v.State != finalizer.Sealed || len(v.Findings) > 0 {
		t.Fatalf("%s %+v %+v", v.State, v.Reasons, v.Findings)
	}
}

// isRejected marks the set, and demands a rejection with that code (or one of several, with | between) and no seal.
func (s *scene) isRejected(t *testing.T, server, id string, class finalizer.Class, code string) {
	t.Helper()
	s.mark(t, server, id)
	v := s.verdict(t, server, id)
	if v.State != finalizer.Rejected || v.Class != class || !slices.Contains(strings.Split(code, "|"), v.Reasons[0].Code) {
		t.Errorf("%s %s %+v, want rejected %s %s", v.State, v.Class, v.Reasons, class, code)
	}
	if _, err := s.all.Stat(t.Context(), layout.BackupInfo(server, id), ""); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("a seal: %v", err)
	}
}

// isFound: the audit finds the codes, and so does the next sweep, which status shows beside a verdict that stays.
func (s *scene) isFound(t *testing.T, server, id string, codes ...string) {
	t.Helper()
	report := s.audit(t, server)
	for _, code := range codes {
		if !slices.ContainsFunc(report.Problems, func(p audit.Problem) bool {
			return p.Code == code && p.BackupID == id && p.Finding == finalizer.FindingOf(code)
		}) {
			t.Errorf("the audit does not find %s: %+v", code, report.Problems)
		}
	}
	until(t, "the sweep to find "+codes[0]+" of "+server, func() bool {
		s.sweep(t)
		b := s.status(t, server, id)
		return b.State == catalog.Sealed && !slices.ContainsFunc(codes, func(code string) bool {
			return !slices.ContainsFunc(b.Findings, func(r finalizer.Reason) bool { return r.Code == code })
		})
	})
}

func (s *scene) audit(t *testing.T, server string) (r audit.Report) {
	t.Helper()
	_, out, all := s.pgseal(t, cloud.Restore, "audit", "--format", "json", s.VaultURL(), server)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v\n%s", err, all)
	}
	return r
}

func (s *scene) sweep(t *testing.T) (r finalizer.SweepReport) {
	t.Helper()
	code, out, all := s.pgseal(t, cloud.Finalizer, "sweep", "--format", "json", "--staging-url", s.StagingURL(), s.VaultURL())
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("%d %v\n%s", code, err, all)
	}
	return r
}

// status is what it says of one backup.
func (s *scene) status(t *testing.T, server, id string) catalog.Backup {
	t.Helper()
	code, out, all := s.pgseal(t, cloud.Restore, "status", "--format", "json", "--staging-url", s.StagingURL(), s.VaultURL(), server)
	var c catalog.Catalog
	if err := json.Unmarshal([]byte(out), &c); err != nil || code != 0 {
		t.Fatalf("%d %v\n%s", code, err, all)
	}
	for _, b := range c.Backups {
		if b.ID == id {
			return b
		}
	}
	return catalog.Backup{}
}

// try is a request of the cloud's own client that the store must refuse, by who asks or by what is there.
type try struct {
	name string
	do   func(ctx context.Context) error
}

// errRefused is such an answer.
var errRefused = errors.New("refused")

func allRefused(t *testing.T, tries []try) {
	t.Helper()
	for _, a := range tries {
		err := a.do(t.Context())
		if !errors.Is(err, errRefused) && !errors.Is(err, bucket.ErrDenied) && !bucket.Exists(err) {
			t.Errorf("%s: %v", a.name, err)
		}
	}
}

// until waits for what another process does.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !happened(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
