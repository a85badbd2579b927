// Package buckettest is the suite that every driver passes unchanged. A driver
// hands over ways to open places in its store, and the store's back doors that
// the Bucket interface lacks on purpose, so that the suite can prove that the
// lock bites.
package buckettest

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// Keeps says what a locked store keeps when somebody writes over an object.
type Keeps string

const (
	// KeepsName: the overwrite is refused (GCS, Azure container policy, file).
	KeepsName Keeps = "name"
	// KeepsVersion: the overwrite lands on top as a new version and the old one
	// reads unchanged by its version (S3, Azure version-level policy).
	KeepsVersion Keeps = "version"
)

// Config is what the suite needs to know of one store. Functions are called
// from parallel tests.
type Config struct {
	// Open makes a fresh, empty prefix in a vault: a bucket with a lock.
	Open func(t *testing.T) bucket.Bucket
	// OpenStaging makes a fresh, empty prefix in a bucket without a lock.
	OpenStaging func(t *testing.T) bucket.Bucket
	// Missing opens a place in a bucket that does not exist.
	Missing func(t *testing.T) bucket.Bucket
	// Denied opens a vault with credentials that may create nothing there.
	Denied func(t *testing.T) bucket.Bucket
	// Everything opens a fresh, empty prefix in a vault with credentials that may
	// do anything there.
	Everything func(t *testing.T) bucket.Bucket
	// Remover opens the deleting side of a place that one of the above has opened,
	// with credentials that may delete there.
	Remover func(t *testing.T, b bucket.Bucket) bucket.Remover

	// Keeps is what an overwrite meets in the vault.
	Keeps Keeps
	// Overwrite writes body over key without any condition, as the store's own
	// client would.
	Overwrite func(ctx context.Context, b bucket.Bucket, key string, body []byte) error
	// Delete deletes one version of key, or, with version "", key itself.
	Delete func(ctx context.Context, b bucket.Bucket, key, version string) error
	// OpenUploads counts the unfinished uploads below b's prefix.
	OpenUploads func(ctx context.Context, b bucket.Bucket) (int, error)
	// LoseAnswer makes the store's answer to the next create of key get lost
	// after the object was stored. Whoever tries again gets true answers.
	LoseAnswer func(t *testing.T, b bucket.Bucket, key string)

	// Cannot explains each function above that is nil, by its name.
	Cannot map[string]string

	// FixedRetention: every object of the vault has the vault's own retention and
	// no other (Azure container policy). What chooses ends for single objects is
	// replaced by: ends that the vault covers are accepted and change nothing,
	// later ones are ErrInvalid and nothing is stored.
	FixedRetention bool

	// PartSize is the smallest part that the store takes in the middle of an
	// upload; 0 means 64 KiB.
	PartSize int64
	// ManyKeys is how many keys the paging tests create; 0 means 1,050, a
	// little more than a page of every store.
	ManyKeys int
	// MinRetention is the shortest retention that the store takes; the suite
	// locks objects for small multiples of it. 0 means a minute.
	MinRetention time.Duration
	// Now is the store's clock; nil means time.Now.
	Now func() time.Time
}

// testCase is one situation; its name is a sentence that the driver makes true.
type testCase struct {
	name string
	run  func(t *testing.T, s suite)
}

type suite struct{ Config }

// Run holds one driver to the contract of bucket.Bucket.
func Run(t *testing.T, c Config) {
	if c.PartSize == 0 {
		c.PartSize = 64 << 10
	}
	if c.ManyKeys == 0 {
		c.ManyKeys = 1050
	}
	if c.MinRetention == 0 {
		c.MinRetention = time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	for _, topic := range []struct {
		name  string
		cases []testCase
	}{
		{"create", createCases},
		{"stream", streamCases},
		{"race", raceCases},
		{"lost answer", lostCases},
		{"read", readCases},
		{"list", listCases},
		{"version", versionCases},
		{"retention", retentionCases},
		{"staging", stagingCases},
		{"cancel", cancelCases},
		{"error", errorCases},
		{"inspect", inspectCases},
		{"remove", removeCases},
	} {
		t.Run(topic.name, func(t *testing.T) {
			for _, tc := range topic.cases {
				t.Run(tc.name, func(t *testing.T) {
					t.Parallel()
					tc.run(t, suite{c})
				})
			}
		})
	}
}

// need skips the test when the store cannot do something, and fails it when
// nobody said why.
func (s suite) need(t *testing.T, name string, given bool) {
	t.Helper()
	if given {
		return
	}
	if s.Cannot[name] == "" {
		t.Fatalf("Config.%s is nil and Config.Cannot does not say why", name)
	}
	t.Skipf("%s: %s", name, s.Cannot[name])
}

// until is a retention end that the store takes, in whole seconds: n minimal
// retentions from now, and some for slow tests.
func (s suite) until(n int) time.Time {
	return s.Now().Add(time.Duration(n)*s.MinRetention + 2*time.Second).UTC().Truncate(time.Second)
}

// wantNothing checks that no object and no unfinished upload is left of key.
func (s suite) wantNothing(t *testing.T, b bucket.Bucket, key string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if _, err := b.Stat(ctx, key, ""); !isKind(err, bucket.ErrNotFound) {
		t.Errorf("Stat(%q) = %v, want ErrNotFound: something was left behind", key, err)
	}
	for obj, err := range b.ListVersions(ctx, key) {
		if err != nil {
			t.Errorf("ListVersions(%q): %v", key, err)
		} else {
			t.Errorf("ListVersions(%q) shows %+v, want nothing", key, obj)
		}
	}
	s.wantNoUploads(t, b)
}

func (s suite) wantNoUploads(t *testing.T, b bucket.Bucket) {
	t.Helper()
	if s.OpenUploads == nil {
		if s.Cannot["OpenUploads"] == "" {
			t.Error("Config.OpenUploads is nil and Config.Cannot does not say why")
		}
		return
	}
	n, err := s.OpenUploads(context.WithoutCancel(t.Context()), b)
	if err != nil || n != 0 {
		t.Errorf("OpenUploads = %d, %v; want none", n, err)
	}
}

// content is n bytes that differ for each seed and do not repeat.
func content(seed, n int) []byte {
	var key [32]byte
	copy(key[:], fmt.Sprintf("content %d", seed))
	body := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(body) // never fails
	return body
}

func crc32c(body []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

func create(t *testing.T, b bucket.Bucket, key string, body []byte, o bucket.CreateOptions) bucket.Object {
	t.Helper()
	obj, err := b.Create(t.Context(), key, bytes.NewReader(body), o)
	if err != nil {
		t.Fatalf("Create(%q, %d bytes): %v", key, len(body), err)
	}
	return obj
}

func stat(t *testing.T, b bucket.Bucket, key, version string) bucket.Object {
	t.Helper()
	obj, err := b.Stat(t.Context(), key, version)
	if err != nil {
		t.Fatalf("Stat(%q, %q): %v", key, version, err)
	}
	return obj
}

func read(t *testing.T, b bucket.Bucket, key, version string, offset, length int64) ([]byte, bucket.Object) {
	t.Helper()
	r, obj, err := b.Open(t.Context(), key, version, offset, length)
	if err != nil {
		t.Fatalf("Open(%q, %q, %d, %d): %v", key, version, offset, length, err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("close %q: %v", key, err)
	}
	return body, obj
}

func wantBody(t *testing.T, b bucket.Bucket, key, version string, want []byte) {
	t.Helper()
	if got, _ := read(t, b, key, version, 0, -1); !bytes.Equal(got, want) {
		t.Errorf("%q holds %d bytes with CRC %s, want %d bytes with CRC %s",
			key, len(got), crc32c(got), len(want), crc32c(want))
	}
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		if err != nil {
			t.Fatalf("after %d entries: %v", len(all), err)
		}
		all = append(all, v)
	}
	return all
}
