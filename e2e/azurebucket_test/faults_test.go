package azurebucket_test

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
	"github.com/pgseal/pgseal/e2e/localazure"
)

const part = 64 << 10

// body is n bytes, none of them alike for long.
func body(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func TestFaultsOfTheStoreAreRiddenOut(t *testing.T) {
	s := start(t, localazure.Config{VaultRetention: time.Hour})
	for _, tc := range []struct {
		name      string
		operation string
		action    cloud.Action
		size      int
	}{
		{"too fast, twice", "PutBlob", cloud.SlowDown, 1000},
		{"a failing store, twice", "PutBlob", cloud.Internal, 1000},
		{"lost requests", "PutBlob", cloud.LoseRequest, 1000},
		{"lost answers", "PutBlob", cloud.LoseResponse, 1000},
		{"failing blocks", "PutBlock", cloud.Internal, 2*part + 1},
		{"lost answers to blocks", "PutBlock", cloud.LoseResponse, 2*part + 1},
		{"too fast at the end", "PutBlockList", cloud.SlowDown, part + 1},
		{"lost answers at the end", "PutBlockList", cloud.LoseResponse, part + 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := s.open(t, cloud.Host, s.Vault)
			_, key := s.place(b, "k")
			happened := s.Faults.Add(cloud.Fault{Operation: tc.operation, Key: key, Action: tc.action, Times: 2})
			want := body(tc.size)
			obj, err := bucket.CreateStream(t.Context(), b, "k", bytes.NewReader(want), bucket.CreateOptions{PartSize: part})
			if err != nil || happened() != 2 {
				t.Fatalf("%v after %d faults", err, happened())
			}
			if got, _, err := bucket.ReadAll(t.Context(), b, "k", obj.Version, 1<<30); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v; want the %d that were sent", len(got), err, len(want))
			}
		})
	}
}

func TestFaultsThatDoNotEndAreTold(t *testing.T) {
	s := start(t, localazure.Config{VaultRetention: time.Hour})
	for _, tc := range []struct {
		name      string
		operation string
		action    cloud.Action
		want      error
	}{
		{"a store that takes no block", "PutBlock", cloud.Internal, bucket.ErrUnavailable},
		{"a store that is busy at the end", "PutBlockList", cloud.SlowDown, bucket.ErrThrottled},
		{"a store that does not answer at the end", "PutBlockList", cloud.LoseRequest, bucket.ErrUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := s.open(t, cloud.Host, s.Vault)
			_, key := s.place(b, "k")
			happened := s.Faults.Add(cloud.Fault{Operation: tc.operation, Key: key, Action: tc.action})
			_, err := b.Create(t.Context(), "k", bytes.NewReader(body(part+1)), bucket.CreateOptions{PartSize: part, PartsInFlight: 1})
			if !errors.Is(err, tc.want) || !bucket.Retryable(err) || happened() != 5 {
				t.Errorf("%v after %d tries, want %v after 5", err, happened(), tc.want)
			}
			if _, err := b.Stat(t.Context(), "k", ""); !errors.Is(err, bucket.ErrNotFound) {
				t.Errorf("Stat = %v, want ErrNotFound", err)
			}
		})
	}
}

func TestACancelledUploadMakesNoBlob(t *testing.T) {
	s := start(t, localazure.Config{VaultRetention: time.Hour})
	b := s.open(t, cloud.Host, s.Vault)
	ctx, cancel := context.WithCancel(t.Context())
	_, key := s.place(b, "k")
	s.Faults.Add(cloud.Fault{Operation: "PutBlock", Key: key, Action: cloud.Slow, Delay: time.Minute, After: 1})
	r := io.MultiReader(bytes.NewReader(body(3*part)), readerFunc(func([]byte) (int, error) {
		for len(s.Requests(cloud.Operations("PutBlock"))) == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
		return 0, io.EOF
	}))
	if _, err := b.Create(ctx, "k", r, bucket.CreateOptions{PartSize: part, PartsInFlight: 4}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if commits := s.Requests(cloud.Ops(cloud.Create, cloud.Delete)); len(commits) != 0 {
		t.Errorf("it sent %+v", commits)
	}
	// What it sent is no blob, and stands in nobody's way.
	if left, err := s.Uncommitted(t.Context(), s.Vault); err != nil || len(left) != 1 || left[0] != key {
		t.Errorf("uncommitted: %q, %v", left, err)
	}
	if _, err := b.Create(t.Context(), "k", strings.NewReader("whole"), bucket.CreateOptions{}); err != nil {
		t.Error(err)
	}
}

func TestAnotherWritersBlocksAreNeverCommitted(t *testing.T) {
	s := start(t, localazure.Config{VaultRetention: time.Hour})
	b := s.open(t, cloud.Host, s.Vault)
	_, key := s.place(b, "k")
	// The slow writer has one block there and is held at its second when the fast one makes the blob.
	s.Faults.Add(cloud.Fault{Operation: "PutBlock", Key: key, Action: cloud.Slow, Delay: time.Second, After: 1, Times: 1})
	slow := make(chan error)
	go func() {
		_, err := b.Create(context.Background(), "k", bytes.NewReader(bytes.Repeat([]byte("slow"), part)), bucket.CreateOptions{PartSize: part, PartsInFlight: 1})
		slow <- err
	}()
	for len(s.Requests(cloud.Operations("PutBlock"), cloud.Keys(key))) == 0 {
		time.Sleep(time.Millisecond)
	}
	want := bytes.Repeat([]byte("fast"), part)
	if _, err := b.Create(t.Context(), "k", bytes.NewReader(want), bucket.CreateOptions{PartSize: part}); err != nil {
		t.Fatal(err)
	}
	if err := <-slow; !bucket.Exists(err) {
		t.Errorf("the slow writer: %v, want that something is there", err)
	}
	if got, _, err := bucket.ReadAll(t.Context(), b, "k", "", 1<<20); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
