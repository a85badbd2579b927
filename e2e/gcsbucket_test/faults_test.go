package gcsbucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

const part = 256 << 10

// body is n bytes, none of them alike for long.
func body(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func TestFaultsOfTheStoreAreRiddenOut(t *testing.T) {
	s := start(t, localgcp.Config{VaultRetention: time.Hour})
	for _, tc := range []struct {
		name   string
		op     cloud.Op
		action cloud.Action
		size   int
	}{
		{"too fast, twice", cloud.Create, cloud.SlowDown, 1000},
		{"a failing store, twice", cloud.Create, cloud.Internal, 1000},
		{"lost requests", cloud.Create, cloud.LoseRequest, 1000},
		{"lost answers", cloud.Create, cloud.LoseResponse, 1000},
		{"an upload that does not begin", cloud.Begin, cloud.Internal, 2*part + 1},
		{"failing chunks", cloud.Part, cloud.Internal, 2*part + 1},
		{"lost chunks", cloud.Part, cloud.LoseRequest, 2*part + 1},
		{"lost answers to chunks", cloud.Part, cloud.LoseResponse, 2*part + 1},
		{"too fast at the end", cloud.Create, cloud.SlowDown, part + 1},
		{"lost answers at the end", cloud.Create, cloud.LoseResponse, part + 1},
		{"lost requests at the end", cloud.Create, cloud.LoseRequest, part + 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := s.open(t, cloud.Host, s.Vault)
			_, key := place(b, "k")
			happened := s.Faults.Add(cloud.Fault{Op: tc.op, Key: key, Action: tc.action, Times: 2})
			want := body(tc.size)
			obj, err := bucket.CreateStream(t.Context(), b, "k", bytes.NewReader(want), bucket.CreateOptions{PartSize: part})
			if err != nil || happened() != 2 {
				t.Fatalf("%v after %d faults", err, happened())
			}
			if got, _, err := bucket.ReadAll(t.Context(), b, "k", obj.Version, 1<<30); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v; want the %d that were sent", len(got), err, len(want))
			}
			s.wantNoUploads(t, b)
		})
	}
}

func TestFaultsThatDoNotEndAreTold(t *testing.T) {
	s := start(t, localgcp.Config{VaultRetention: time.Hour})
	for _, tc := range []struct {
		name   string
		op     cloud.Op
		action cloud.Action
		size   int
	}{
		{"a store that takes nothing", cloud.Create, cloud.Internal, 1000},
		{"a store that takes no chunk", cloud.Part, cloud.Internal, 2*part + 1},
		{"a store that does not answer at the end", cloud.Create, cloud.LoseRequest, part + 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := s.open(t, cloud.Host, s.Vault)
			_, key := place(b, "k")
			happened := s.Faults.Add(cloud.Fault{Op: tc.op, Key: key, Action: tc.action})
			_, err := b.Create(t.Context(), "k", bytes.NewReader(body(tc.size)), bucket.CreateOptions{PartSize: part})
			if !errors.Is(err, bucket.ErrUnavailable) || !bucket.Retryable(err) || happened() != 5 {
				t.Errorf("%v after %d tries, want ErrUnavailable after 5", err, happened())
			}
			if _, err := b.Stat(t.Context(), "k", ""); !errors.Is(err, bucket.ErrNotFound) {
				t.Errorf("Stat = %v, want ErrNotFound", err)
			}
			s.wantNoUploads(t, b)
		})
	}
}

func TestACancelledUploadIsCancelledInTheStore(t *testing.T) {
	s := start(t, localgcp.Config{VaultRetention: time.Hour})
	b := s.open(t, cloud.Host, s.Vault)
	ctx, cancel := context.WithCancel(t.Context())
	_, key := place(b, "k")
	s.Faults.Add(cloud.Fault{Op: cloud.Part, Key: key, Action: cloud.Slow, Delay: time.Minute, After: 1})
	r := io.MultiReader(bytes.NewReader(body(3*part)), readerFunc(func([]byte) (int, error) {
		for len(s.Requests(cloud.Ops(cloud.Part))) == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
		return 0, io.EOF
	}))
	if _, err := b.Create(ctx, "k", r, bucket.CreateOptions{PartSize: part, PartsInFlight: 4}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	s.wantNoUploads(t, b)
	if aborts := s.Requests(cloud.By(cloud.Host), cloud.Ops(cloud.Abort)); len(aborts) != 1 || aborts[0].Status != 499 {
		t.Errorf("cancels: %+v, want one", aborts)
	}
}

func TestAnUploadThatIsCancelledWhileItBeginsIsCancelledInTheStore(t *testing.T) {
	s := start(t, localgcp.Config{VaultRetention: time.Hour})
	b := s.open(t, cloud.Host, s.Vault)
	if _, err := b.Lock(t.Context()); err != nil { // so that the token is there
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, key := place(b, "k")
	slow := s.Faults.Add(cloud.Fault{Op: cloud.Begin, Key: key, Action: cloud.Slow, Delay: 300 * time.Millisecond})
	go func() {
		for slow() == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := b.Create(ctx, "k", bytes.NewReader(body(3*part)), bucket.CreateOptions{PartSize: part}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	s.wantNoUploads(t, b)
	if aborts := s.Requests(cloud.By(cloud.Host), cloud.Ops(cloud.Abort)); len(aborts) != 1 {
		t.Errorf("cancels: %+v, want one", aborts)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	s := start(t, localgcp.Config{VaultRetention: time.Hour, Prefix: "see", Server: "srv"})
	host, finalizer := s.open(t, cloud.Host, s.Vault+"/see"), s.open(t, cloud.Finalizer, s.Vault+"/see")
	made, err := host.Create(t.Context(), "srv/base/1/data.tar", strings.NewReader("x"), bucket.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if seen, err := finalizer.Stat(t.Context(), "srv/base/1/data.tar", made.Version); err != nil || !seen.RetentionSeen || seen.RetainUntil.IsZero() {
		t.Errorf("the finalizer looks: %+v, %v", seen, err)
	}
	seal, err := bucket.CreateOrMatch(t.Context(), finalizer, "srv/base/1/backup.info", []byte("sealed"), bucket.CreateOptions{})
	if err != nil || seal.Version == "" || seal.RetainUntil.IsZero() {
		t.Errorf("the finalizer seals: %+v, %v", seal, err)
	}
	if err := host.CheckCreate(t.Context(), "srv/base/2/data.tar"); err != nil {
		t.Errorf("the host asks for an archive: %v", err)
	}
	staging, verdicts := s.open(t, cloud.Host, s.Staging+"/see"), s.open(t, cloud.Finalizer, s.Staging+"/see")
	for range 2 {
		if _, err := staging.Put(t.Context(), "_pgseal/progress/srv/1.json", []byte("x")); err != nil {
			t.Errorf("the host reports: %v", err)
		}
		if _, err := verdicts.Put(t.Context(), "_pgseal/verdict/srv/1.json", []byte("x")); err != nil {
			t.Errorf("the finalizer gives a verdict: %v", err)
		}
	}
	for name, do := range map[string]func() error{
		"the host seals": func() error {
			_, err := host.Create(t.Context(), "srv/base/2/backup.info", strings.NewReader("x"), bucket.CreateOptions{})
			return err
		},
		"the host asks to seal": func() error { return host.CheckCreate(t.Context(), "srv/base/2/backup.info") },
		"the host overwrites": func() error {
			_, err := host.Put(t.Context(), "srv/base/1/data.tar", []byte("z"))
			return err
		},
		"the host writes for another server": func() error {
			_, err := host.Create(t.Context(), "other/base/1/data.tar", strings.NewReader("x"), bucket.CreateOptions{})
			return err
		},
		"the host locks": func() error {
			_, err := host.Create(t.Context(), "srv/base/3/data.tar", strings.NewReader("x"), bucket.CreateOptions{RetainUntil: time.Now().Add(2 * time.Hour)})
			return err
		},
		"the host extends a lock": func() error {
			return host.Retain(t.Context(), "srv/base/1/data.tar", "", time.Now().Add(100*time.Hour))
		},
		"the host gives a verdict": func() error {
			_, err := staging.Put(t.Context(), "_pgseal/verdict/srv/1.json", []byte("x"))
			return err
		},
		"the finalizer chooses a lock": func() error {
			_, err := finalizer.Create(t.Context(), "srv/base/3/backup.info", strings.NewReader("y"), bucket.CreateOptions{RetainUntil: time.Now().Add(2 * time.Hour)})
			return err
		},
		"the finalizer creates an archive": func() error {
			_, err := finalizer.Create(t.Context(), "srv/base/1/data_0001.tar", strings.NewReader("y"), bucket.CreateOptions{})
			return err
		},
	} {
		if err := do(); !errors.Is(err, bucket.ErrDenied) || !strings.Contains(err.Error(), "storage.objects.") {
			t.Errorf("%s: %v, want ErrDenied and the permission's name", name, err)
		}
	}
	if deletes := s.Requests(cloud.Ops(cloud.Delete)); len(deletes) > 0 {
		t.Errorf("something was deleted: %+v", deletes)
	}
	s.wantNoUploads(t, host)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
