package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/archive"
	"github.com/pgseal/pgseal/uploader/pgdata"
)

const dir = "srv/base/20261123T010203/"

var main = layout.Archive{Base: "data"}

func options(t *testing.T) *archive.Options {
	t.Helper()
	url := "file://" + t.TempDir() + "/vault"
	if err := filebucket.InitStaging(url); err != nil {
		t.Fatal(err)
	}
	b, err := filebucket.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	return &archive.Options{Vault: b, Dir: dir, Stored: &atomic.Int64{}}
}

func begin(t *testing.T, o *archive.Options, name layout.Archive) *archive.Writer {
	t.Helper()
	w := archive.NewWriter(o)
	if err := w.Begin(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return w
}

func stored(t *testing.T, o *archive.Options, name string) []byte {
	t.Helper()
	body, _, err := bucket.ReadAll(t.Context(), o.Vault, dir+name, "", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func closed(t *testing.T, w *archive.Writer) manifest.Object {
	t.Helper()
	obj, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func entry(name string) pgdata.Entry {
	return pgdata.Entry{Name: name, Kind: pgdata.Regular, Mode: 0o600, ModTime: time.Date(2026, 11, 23, 1, 2, 3, 999, time.UTC), UID: os.Getuid(), GID: os.Getgid()}
}

// members reads a tar with the standard library's reader.
func members(t *testing.T, raw []byte) (headers []*tar.Header, bodies map[string]string) {
	t.Helper()
	bodies = map[string]string{}
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return headers, bodies
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		headers, bodies[h.Name] = append(headers, h), string(body)
	}
}

func TestWhatGoesInComesOut(t *testing.T) {
	o := options(t)
	w := begin(t, o, main)
	root := pgdata.Entry{Name: ".", Kind: pgdata.Dir, Mode: 0o700, ModTime: time.Unix(1_700_000_000, 5)}
	if err := w.Dir(root); err != nil {
		t.Fatal(err)
	}
	names := []string{"PG_VERSION", "base/5/" + strings.Repeat("d", 120), "Übung", "a\nb", "bad\xffutf8", "with space", strings.Repeat("x/", 130) + "f"}
	for _, name := range names {
		if err := w.File(entry(name), int64(len(name)), strings.NewReader(name)); err != nil {
			t.Fatal(err)
		}
	}
	big := entry("large owner")
	big.UID, big.Mode = 1<<30, 0o640|fs.ModeSetgid
	if err := w.File(big, 0, strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	obj := closed(t, w)
	raw := stored(t, o, "data.tar")
	sum := sha256.Sum256(raw)
	if obj.Name != "data.tar" || obj.Size != int64(len(raw)) || obj.SHA256 != hex.EncodeToString(sum[:]) || o.Stored.Load() != obj.Size {
		t.Errorf("%+v, %d stored", obj, o.Stored.Load())
	}
	headers, bodies := members(t, raw)
	if h := headers[0]; h.Name != "./" || h.Typeflag != tar.TypeDir || h.Mode != 0o700 || h.ModTime.Unix() != 1_700_000_000 {
		t.Errorf("%+v", h)
	}
	if h := headers[1]; h.Format != tar.FormatUSTAR || h.Mode != 0o600 || h.Uid != os.Getuid() || h.Uname == "" && os.Getuid() == 0 {
		t.Errorf("%+v", h)
	}
	for _, name := range names {
		if bodies[name] != name {
			t.Errorf("%q holds %q", name, bodies[name])
		}
	}
	if h := headers[len(headers)-1]; h.Uid != 1<<30 || h.Mode != 0o2640 {
		t.Errorf("%+v", h)
	}

	cmd := exec.Command("tar", "-tf", "-")
	cmd.Stdin = bytes.NewReader(raw)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "\n") != len(headers) {
		t.Errorf("tar: %v\n%s", err, out)
	}
}

func TestAFileOfMoreThan8GiBHasAHeader(t *testing.T) {
	w := begin(t, options(t), main)
	defer w.Abort(errors.New("enough"))
	err := w.File(entry("large"), 9<<30, strings.NewReader("short"))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// TestFilesThatChange: PostgreSQL works on while its files are read.
func TestFilesThatChange(t *testing.T) {
	o := options(t)
	w := begin(t, o, main)
	root := t.TempDir()
	for _, tc := range []struct {
		name   string
		change func(path string) error
		want   string
	}{
		{"shrinks", func(p string) error { return os.Truncate(p, 2) }, "01\x00\x00\x00\x00\x00\x00"},
		{"grows", func(p string) error { return os.WriteFile(p, []byte("0123456789abcdef"), 0o600) }, "01234567"},
		{"is removed", os.Remove, "01234567"},
	} {
		path := filepath.Join(root, tc.name)
		if err := os.WriteFile(path, []byte("01234567"), 0o600); err != nil {
			t.Fatal(err)
		}
		e := entry(tc.name)
		e.Path = path
		f, err := pgdata.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := tc.change(path); err != nil {
			t.Fatal(err)
		}
		if err := w.File(e, f.Size, f); err != nil {
			t.Fatal(err)
		}
		f.Done()
	}
	closed(t, w)
	_, bodies := members(t, stored(t, o, "data.tar"))
	if bodies["shrinks"] != "01\x00\x00\x00\x00\x00\x00" || bodies["grows"] != "01234567" || bodies["is removed"] != "01234567" {
		t.Errorf("%q", bodies)
	}
}

func TestAReaderOfAnotherLengthIsAnError(t *testing.T) {
	for _, body := range []string{"", "1234567", "123456789"} {
		o := options(t)
		w := begin(t, o, main)
		if err := w.File(entry("f"), 8, strings.NewReader(body)); err == nil {
			t.Errorf("%d bytes pass for 8", len(body))
		} else if !strings.Contains(err.Error(), `data.tar: "f"`) {
			t.Error(err)
		}
		w.Abort(errors.New("given up"))
		if _, err := o.Vault.Stat(t.Context(), dir+"data.tar", ""); !errors.Is(err, bucket.ErrNotFound) {
			t.Errorf("something is left: %v", err)
		}
	}
}

func TestGzipIsOneMember(t *testing.T) {
	o := options(t)
	o.Codec = codec.Gzip
	w := begin(t, o, layout.Archive{Base: "16385", Number: 3, Suffix: ".gz"})
	for n := range 2000 {
		name := fmt.Sprintf("PG_15_202209061/5/%d", n)
		if err := w.File(entry(name), 8192, bytes.NewReader(make([]byte, 8192))); err != nil {
			t.Fatal(err)
		}
	}
	obj := closed(t, w)
	if obj.Name != "16385_0003.tar.gz" {
		t.Error(obj.Name)
	}
	raw := bytes.NewReader(stored(t, o, obj.Name))
	z, err := gzip.NewReader(raw)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	body, err := io.ReadAll(z)
	if err != nil || raw.Len() != 0 {
		t.Fatalf("%d bytes behind the first member, %v", raw.Len(), err)
	}
	if headers, _ := members(t, body); len(headers) != 2000 {
		t.Error(len(headers))
	}
}

func TestOneWriterWritesManyArchives(t *testing.T) {
	o := options(t)
	o.Codec = codec.LZ4
	w := archive.NewWriter(o)
	for n := range 3 {
		name := layout.Archive{Base: "data", Number: n, Suffix: ".lz4"}
		if err := w.Begin(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if err := w.File(entry("f"), 1, strings.NewReader(fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
		closed(t, w)
		r, err := codec.LZ4.NewReader(bytes.NewReader(stored(t, o, name.String())))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, bodies := members(t, raw); bodies["f"] != fmt.Sprint(n) {
			t.Errorf("%q", bodies)
		}
	}
	if w.Open() {
		t.Error("open after Close")
	}
}

func TestAStoreThatRefuses(t *testing.T) {
	o := options(t)
	if _, err := o.Vault.Create(t.Context(), dir+"data.tar", strings.NewReader("another"), bucket.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w := begin(t, o, main)
	if err := w.File(entry("f"), 1, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); !errors.Is(err, bucket.ErrDiffers) {
		t.Error(err)
	}
	w.Abort(errors.New("given up"))

	o.Create.RetainUntil = time.Now().Add(time.Hour) // refused at once: this place has no lock
	w = begin(t, o, layout.Archive{Base: "data", Number: 1})
	for range 10_000 {
		if err := w.File(entry("f"), 8192, bytes.NewReader(make([]byte, 8192))); err != nil {
			if !errors.Is(err, bucket.ErrInvalid) {
				t.Error(err)
			}
			w.Abort(err)
			return
		}
	}
	t.Error("the writer does not notice")
}

func TestCancelledWithTheContextsCause(t *testing.T) {
	o := options(t)
	why := errors.New("the session is gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	w := archive.NewWriter(o)
	if err := w.Begin(ctx, main); err != nil {
		t.Fatal(err)
	}
	cancel(why)
	var err error
	for err == nil {
		err = w.File(entry("f"), 1<<20, bytes.NewReader(make([]byte, 1<<20)))
	}
	if !errors.Is(err, why) {
		t.Error(err)
	}
	w.Abort(err)
	if _, err := o.Vault.Stat(t.Context(), dir+"data.tar", ""); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("something is left: %v", err)
	}
}

// TestTheLimitIsShared: the bytes pass in portions that the limit knows, and
// all of them arrive.
func TestTheLimitIsShared(t *testing.T) {
	o := options(t)
	if archive.NewLimit(0) != nil {
		t.Error("0 is a limit")
	}
	o.Limit = archive.NewLimit(8 << 20)
	began := time.Now()
	w := begin(t, o, main)
	if err := w.File(entry("f"), 2<<20, bytes.NewReader(make([]byte, 2<<20))); err != nil {
		t.Fatal(err)
	}
	obj := closed(t, w)
	if obj.Size < 2<<20 || time.Since(began) < 150*time.Millisecond { // never faster; how much slower is the machine's business
		t.Errorf("%d bytes in %v", obj.Size, time.Since(began))
	}
}
