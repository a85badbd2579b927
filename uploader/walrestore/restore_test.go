package walrestore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/uploader/walrestore"
)

const (
	first   = "000000010000000000000004"
	history = "00000002.history"
)

// vault is a store, and a request for the first segment from it.
type vault struct {
	*membucket.Store
	walrestore.Request
	said bytes.Buffer
	now  time.Time
}

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{now: time.Now()}
	s := membucket.New(membucket.Options{
		Personality: membucket.S3, URL: "s3://vault", Now: func() time.Time { return v.now }, Locked: true, Default: time.Hour,
	})
	v.Store = s
	v.Request = walrestore.Request{
		Bucket: s.Bucket(), Server: "main", Name: first, To: filepath.Join(t.TempDir(), "RECOVERYXLOG"),
		Log: slog.New(slog.NewTextHandler(&v.said, nil)),
	}
	return v
}

// segment is segment 4 of timeline 1.
func segment(t *testing.T) []byte {
	t.Helper()
	return settest.New("main", time.Now()).Segment(layout.Segment{Timeline: 1, Number: 4})
}

func (v *vault) archive(t *testing.T, key string, body []byte, metadata map[string]string) {
	t.Helper()
	if _, err := v.Store.Bucket().Create(t.Context(), key, bytes.NewReader(body), bucket.CreateOptions{Metadata: metadata}); err != nil {
		t.Fatal(err)
	}
}

func told(b []byte) map[string]string {
	return map[string]string{"pgseal-sha256": fmt.Sprintf("%x", sha256.Sum256(b))}
}

func pack(t *testing.T, c codec.Codec, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := c.NewWriter(&out, codec.Default)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// want restores, and looks at what is there afterwards: the content, or for an error what was there before.
func (v *vault) want(t *testing.T, kind error, content []byte) {
	t.Helper()
	before := []byte("what was there before")
	if err := os.WriteFile(v.To, before, 0o600); err != nil {
		t.Fatal(err)
	}
	err := walrestore.Restore(t.Context(), v.Request)
	if !errors.Is(err, kind) {
		t.Fatalf("%v, want %v", err, kind)
	}
	if kind != nil {
		content = before
	}
	if got, err := os.ReadFile(v.To); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes are there, %v; want %d", len(got), err, len(content))
	}
	if left, err := os.ReadDir(filepath.Dir(v.To)); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestASegmentComesBackFromEveryCompression(t *testing.T) {
	for _, c := range append(codec.All(), codec.None) {
		v := newVault(t)
		v.archive(t, layout.WAL("main", first, c.Suffix), pack(t, c, segment(t)), told(segment(t)))
		v.want(t, nil, segment(t))
	}
}

func TestEveryKindOfFileComesBack(t *testing.T) {
	for name, content := range map[string][]byte{
		history:                    []byte("1\t0/3000000\tno recovery target specified\n"),
		first + ".00000028.backup": []byte("START WAL LOCATION: 0/400028 (file 000000010000000000000004)\n"),
		first + ".partial":         segment(t),
	} {
		for _, suffix := range []string{"", ".gz"} {
			v := newVault(t)
			v.Name = name
			v.archive(t, layout.WAL("main", name, suffix), pack(t, codec.BySuffix(suffix), content), nil)
			v.want(t, nil, content)
		}
	}
}

// What stands beside a segment, or in its place.
func TestWhatIsTakenAndWhatIsNot(t *testing.T) {
	whole := segment(t)
	other := append([]byte(nil), whole...)
	other[5000] = 'x'
	key := layout.WAL("main", first, "")
	for name, tc := range map[string]struct {
		do   func(v *vault)
		kind error
		want []byte
	}{
		"nothing":                           {func(*vault) {}, walrestore.ErrNotThere, nil},
		"a .backup file":                    {func(v *vault) { v.archive(t, key+".00000028.backup", []byte("x"), nil) }, walrestore.ErrNotThere, nil},
		"a file beside it":                  {func(v *vault) { v.archive(t, key+".sha256", []byte("x"), nil) }, walrestore.ErrNotThere, nil},
		"another segment":                   {func(v *vault) { v.archive(t, layout.WAL("main", "000000010000000000000005", ""), whole, nil) }, walrestore.ErrNotThere, nil},
		"the whole one before the .partial": {func(v *vault) { v.archive(t, key+".partial", other, nil); v.archive(t, key, whole, nil) }, nil, whole},
		"even if it is compressed": {func(v *vault) {
			v.archive(t, key+".partial", other, nil)
			v.archive(t, key+".zst", pack(t, codec.Zstd, whole), nil)
		}, nil, whole},
		"a .partial alone":              {func(v *vault) { v.archive(t, key+".partial.gz", pack(t, codec.Gzip, whole), nil) }, nil, whole},
		"a .partial that is not wanted": {func(v *vault) { v.archive(t, key+".partial", whole, nil); v.NoPartial = true }, walrestore.ErrNotThere, nil},
		"what was archived first": {func(v *vault) {
			v.archive(t, key+".lz4", pack(t, codec.LZ4, whole), nil)
			v.now = v.now.Add(time.Minute)
			v.archive(t, key+".gz", pack(t, codec.Gzip, other), nil)
		}, nil, whole},
		"other content than its digest says": {func(v *vault) { v.archive(t, key, other, told(whole)) }, walrestore.ErrContent, nil},
		"too short":                          {func(v *vault) { v.archive(t, key, whole[:5000], nil) }, walrestore.ErrContent, nil},
		"empty":                              {func(v *vault) { v.archive(t, key, nil, nil) }, walrestore.ErrContent, nil},
		"another segment's content": {func(v *vault) {
			v.Name = "000000010000000000000005"
			v.archive(t, layout.WAL("main", v.Name, ""), whole, told(whole))
		}, walrestore.ErrContent, nil},
		"no compressed data": {func(v *vault) { v.archive(t, key+".gz", whole, nil) }, codec.ErrCorrupt, nil},
		"a history of another timeline": {func(v *vault) {
			v.Name = history
			v.archive(t, layout.WAL("main", history, ""), []byte("7\t0/3000000\tx\n"), nil)
		}, walrestore.ErrContent, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVault(t)
			tc.do(v)
			v.want(t, tc.kind, tc.want)
		})
	}
}

// PostgreSQL ends recovery at "not there". A store that fails, refuses or is another one does not say so.
func TestOnlyTheStoreSaysThatAFileIsNotThere(t *testing.T) {
	denied := &bucket.Error{Kind: bucket.ErrDenied, Code: "403 AccessDenied"}
	for name, tc := range map[string]struct {
		op   string
		err  error
		want error
	}{
		"the listing fails":             {"list", membucket.ErrServer, bucket.ErrUnavailable},
		"the listing is throttled":      {"list", membucket.ErrThrottle, bucket.ErrThrottled},
		"the listing is denied":         {"list", denied, bucket.ErrDenied},
		"there is no bucket":            {"list", &bucket.Error{Kind: bucket.ErrNotFound, Code: "404 NoSuchBucket"}, bucket.ErrNotFound},
		"looking for versions fails":    {"versions", membucket.ErrServer, bucket.ErrUnavailable},
		"versions may not be looked at": {"versions", denied, walrestore.ErrNotThere},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVault(t)
			v.Request.Bucket = v.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
				if c.Op == tc.op {
					return membucket.Fault{Skip: true, Err: tc.err}
				}
				return membucket.Fault{}
			}, false)
			v.want(t, tc.want, nil)
		})
	}
}

func TestADeletedSegmentIsNotTheEndOfTheWAL(t *testing.T) {
	v := newVault(t)
	v.archive(t, layout.WAL("main", first, ".gz"), pack(t, codec.Gzip, segment(t)), nil)
	if err := v.Delete(layout.WAL("main", first, ".gz"), ""); err != nil {
		t.Fatal(err)
	}
	err := walrestore.Restore(t.Context(), v.Request)
	if err == nil || errors.Is(err, walrestore.ErrNotThere) {
		t.Error(err)
	}
}

func TestAFailureIsTriedAgain(t *testing.T) {
	v := newVault(t)
	v.archive(t, layout.WAL("main", first, ""), segment(t), nil)
	failed := 0
	v.Request.Bucket = v.Hooked(func(_ context.Context, c membucket.Call) membucket.Fault {
		if c.Op == "read" && failed < 1 {
			failed++
			return membucket.Fault{Skip: true, Err: membucket.ErrServer}
		}
		return membucket.Fault{}
	}, false)
	v.RetryFor = time.Minute
	v.want(t, nil, segment(t))
	if !bytes.Contains(v.said.Bytes(), []byte("trying again")) {
		t.Error("it says nothing")
	}
}

func TestLeftoversOfAKilledProcessAreRemoved(t *testing.T) {
	v := newVault(t)
	v.archive(t, layout.WAL("main", first, ""), segment(t), nil)
	old := filepath.Join(filepath.Dir(v.To), ".RECOVERYXLOG.pgseal-1")
	if err := os.WriteFile(old, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	v.want(t, nil, segment(t))
}

func TestNamesThatPostgreSQLNeverAsksFor(t *testing.T) {
	v := newVault(t)
	for _, v.Name = range []string{"", "../../x", "RECOVERYXLOG", first + ".gz", "00000001"} {
		if err := walrestore.Restore(t.Context(), v.Request); !errors.Is(err, layout.ErrName) {
			t.Errorf("%q: %v", v.Name, err)
		}
	}
}
