package walarchive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/uploader/walarchive"
)

func digest(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func TestEveryCompressionGivesBackTheFile(t *testing.T) {
	content := segment(1, 1, mib, 'a')
	for _, c := range append(codec.All(), codec.None) {
		vault := newVault(t, filebucket.Lock{})
		r := request(vault, write(t, first, content))
		r.Codec = c
		if _, err := walarchive.Archive(t.Context(), r); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		stored, obj, err := bucket.ReadAll(t.Context(), vault, firstKey+c.Suffix, "", 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		zr, err := c.NewReader(bytes.NewReader(stored))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(zr); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes, %v", c.Name, len(got), err)
		}
		if m := obj.Metadata; m["pgseal-sha256"] != digest(content) || m["pgseal-system-id"] != fmt.Sprint(system) {
			t.Errorf("%s: metadata %v", c.Name, m)
		}
	}
}

// What stands in the archive before a file is archived decides what the answer is.
func TestWhatIsThereIsCompared(t *testing.T) {
	ours, others := segment(1, 1, mib, 'a'), segment(1, 1, mib, 'b')
	packed := func(c codec.Codec, b []byte) []byte {
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
	told := func(b []byte) map[string]string { return map[string]string{"pgseal-sha256": digest(b)} }
	for name, tc := range map[string]struct {
		suffix   string
		content  []byte
		metadata map[string]string
		want     codec.Codec // how it is archived now
		conflict string      // what the refusal says; "" for a success
	}{
		"the same, by its digest":                        {content: ours, metadata: told(ours)},
		"the same, compressed the same way":              {suffix: ".gz", content: packed(codec.Gzip, ours), metadata: told(ours), want: codec.Gzip},
		"the same, by its content":                       {content: ours},
		"the same, compressed by another program":        {suffix: ".gz", content: packed(codec.Gzip, ours), want: codec.Gzip},
		"the same, with another compression":             {suffix: ".gz", content: packed(codec.Gzip, ours), metadata: told(ours)},
		"the same, once plain and now compressed":        {content: ours, metadata: told(ours), want: codec.LZ4},
		"the same, with another program's compression":   {suffix: ".xz", content: packed(codec.XZ, ours), want: codec.Zstd},
		"another, by its digest":                         {content: others, metadata: told(others), conflict: digest(others)},
		"another, by its content":                        {content: others, conflict: digest(others)},
		"another, with another compression":              {suffix: ".gz", content: packed(codec.Gzip, others), conflict: digest(others)},
		"one that is cut short":                          {content: ours[:mib/2], conflict: digest(ours[:mib/2])},
		"one that is longer":                             {content: append(bytes.Clone(ours), 'x'), conflict: "more than 1048576 bytes"},
		"an empty one":                                   {content: nil, conflict: digest(nil)},
		"compressed data that is cut short":              {suffix: ".gz", content: packed(codec.Gzip, ours)[:200], conflict: "cannot be decompressed"},
		"no compressed data though its suffix says so":   {suffix: ".lz4", content: ours, conflict: "cannot be decompressed"},
		"more than the file, hidden in a compressed one": {suffix: ".gz", content: packed(codec.Gzip, make([]byte, 64*mib)), conflict: "more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			vault := newVault(t, filebucket.Lock{Default: time.Hour})
			if _, err := vault.Create(t.Context(), firstKey+tc.suffix, bytes.NewReader(tc.content), bucket.CreateOptions{Metadata: tc.metadata}); err != nil {
				t.Fatal(err)
			}
			r := request(vault, write(t, first, ours))
			r.Codec = tc.want
			done, err := walarchive.Archive(t.Context(), r)
			if got := keys(t, vault); len(got) != 1 || got[0] != firstKey+tc.suffix {
				t.Errorf("now there are %v", got)
			}
			if tc.conflict == "" {
				if err != nil || !done.Already || done.Key != firstKey+tc.suffix {
					t.Errorf("%+v, %v, want a success", done, err)
				}
				return
			}
			var c *walarchive.Conflict
			if !errors.As(err, &c) {
				t.Fatalf("%v, want a conflict", err)
			}
			for _, word := range []string{tc.conflict, digest(ours), vault.URL() + "/" + firstKey + tc.suffix, "locked until", time.Now().UTC().Format("archived 2006-")} {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if !strings.Contains(c.Hint(), "recovery.signal") || !strings.Contains(c.Hint(), "restore_command") {
				t.Errorf("the hint %q does not tell the way out", c.Hint())
			}
		})
	}
}

func TestNamesThatOnlyBeginAlikeAreOtherFiles(t *testing.T) {
	vault := newVault(t, filebucket.Lock{})
	for _, end := range []string{".partial", ".00000028.backup", ".partial.gz", ".sha256"} {
		if _, err := vault.Create(t.Context(), firstKey+end, strings.NewReader("x"), bucket.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if done, err := walarchive.Archive(t.Context(), request(vault, write(t, first, segment(1, 1, mib, 'a')))); err != nil || done.Already {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestAnotherClusterIsNamedInTheConflict(t *testing.T) {
	vault := newVault(t, filebucket.Lock{})
	if _, err := walarchive.Archive(t.Context(), request(vault, write(t, first, segment(1, 1, mib, 'a')))); err != nil {
		t.Fatal(err)
	}
	foreign := segment(1, 1, mib, 'a')
	foreign[24]++
	if _, err := walarchive.Archive(t.Context(), request(vault, write(t, first, foreign))); err == nil || !strings.Contains(err.Error(), "another cluster") {
		t.Errorf("%v, want the other cluster named", err)
	}
}

func TestManyAtOnceAllSucceedAndStoreOnce(t *testing.T) {
	vault := newVault(t, filebucket.Lock{Default: time.Hour})
	path := write(t, first, segment(1, 1, mib, 'a'))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := walarchive.Archive(t.Context(), request(vault, path)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := keys(t, vault); len(got) != 1 {
		t.Error(got)
	}
}

// faulty is a real bucket whose creates and listings end as the test says.
type faulty struct {
	bucket.Bucket
	stores bool
	create error
	list   error
}

func (f faulty) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	if f.create == nil || f.stores {
		obj, err := f.Bucket.Create(ctx, key, r, o)
		if err != nil || f.create == nil {
			return obj, err
		}
	}
	return bucket.Object{}, &bucket.Error{Op: "create", Key: key, Kind: f.create}
}

func (f faulty) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	if f.list == nil {
		return f.Bucket.List(ctx, prefix)
	}
	return func(yield func(bucket.Object, error) bool) {
		yield(bucket.Object{}, &bucket.Error{Op: "list", Key: prefix, Kind: f.list})
	}
}

func TestAnAnswerIsOnlyBelievedAfterLooking(t *testing.T) {
	for name, tc := range map[string]struct {
		fault faulty
		there bool // the same file stands there
		want  error
	}{
		"stored, but the answer was lost":                    {fault: faulty{stores: true, create: bucket.ErrUnavailable}},
		"stored, and an inner retry found it there":          {fault: faulty{stores: true, create: bucket.ErrExists}},
		"stored, and an inner retry found it locked":         {fault: faulty{stores: true, create: bucket.ErrRetained}},
		"not stored, and the answer was lost":                {fault: faulty{create: bucket.ErrUnavailable}, want: bucket.ErrUnavailable},
		"throttled":                                          {fault: faulty{create: bucket.ErrThrottled}, want: bucket.ErrThrottled},
		"denied":                                             {fault: faulty{create: bucket.ErrDenied}, want: bucket.ErrDenied},
		"it exists, and is gone when one looks":              {fault: faulty{create: bucket.ErrExists}, want: bucket.ErrExists},
		"the listing is denied":                              {fault: faulty{list: bucket.ErrDenied}},
		"the listing is denied, and it is there":             {fault: faulty{list: bucket.ErrDenied}, there: true},
		"the listing fails: nobody knows what else is there": {fault: faulty{list: bucket.ErrUnavailable}, want: bucket.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			vault := newVault(t, filebucket.Lock{Default: time.Hour})
			path := write(t, first, segment(1, 1, mib, 'a'))
			if tc.there {
				if _, err := walarchive.Archive(t.Context(), request(vault, path)); err != nil {
					t.Fatal(err)
				}
			}
			tc.fault.Bucket = vault
			_, err := walarchive.Archive(t.Context(), request(tc.fault, path))
			if !errors.Is(err, tc.want) {
				t.Fatalf("%v, want %v", err, tc.want)
			}
			if stored := len(keys(t, vault)) == 1; stored != (tc.want == nil) {
				t.Errorf("stored: %t", stored)
			}
		})
	}
}

func TestTheLockThatIsAskedForIsOnTheObject(t *testing.T) {
	vault := newVault(t, filebucket.Lock{Default: time.Hour})
	r := request(vault, write(t, first, segment(1, 1, mib, 'a')))
	r.RetainUntil = time.Now().Add(48 * time.Hour).Truncate(time.Second)
	if _, err := walarchive.Archive(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if obj, err := vault.Stat(t.Context(), firstKey, ""); err != nil || !obj.RetainUntil.Equal(r.RetainUntil) {
		t.Errorf("%v, %v, want %v", obj.RetainUntil, err, r.RetainUntil)
	}
}

func TestASegmentTooLongForMemoryIsStreamed(t *testing.T) {
	vault := newVault(t, filebucket.Lock{})
	content := segment(1, 1, 128*mib, 'a')
	path := write(t, first, content)
	for _, c := range []codec.Codec{codec.LZ4, codec.None} { // the second finds the first
		r := request(vault, path)
		r.Codec = c
		done, err := walarchive.Archive(t.Context(), r)
		if err != nil || done.Key != firstKey+".lz4" || done.Already != (c == codec.None) {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	obj, err := vault.Stat(t.Context(), firstKey+".lz4", "")
	if err != nil || obj.Metadata["pgseal-sha256"] != digest(content) {
		t.Errorf("%+v, %v", obj, err)
	}
}

func TestACancelledStreamLeavesNothing(t *testing.T) {
	vault := newVault(t, filebucket.Lock{})
	path := write(t, first, segment(1, 1, 128*mib, 'a'))
	ctx, cancel := context.WithCancel(t.Context())
	r := request(cancelling{vault, cancel}, path)
	if _, err := walarchive.Archive(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if got := keys(t, vault); len(got) != 0 {
		t.Error(got)
	}
}

// cancelling gives up in the middle of a create.
type cancelling struct {
	bucket.Bucket
	cancel context.CancelFunc
}

func (c cancelling) Create(ctx context.Context, key string, r io.Reader, o bucket.CreateOptions) (bucket.Object, error) {
	if _, err := io.CopyN(io.Discard, r, 4096); err != nil {
		return bucket.Object{}, err
	}
	c.cancel()
	return c.Bucket.Create(ctx, key, r, o)
}
