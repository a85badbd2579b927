package restore

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
)

// seeds are tars that a host could have made, a good one first.
func seeds(f *testing.F) (list [][]byte) {
	f.Helper()
	add := func(headers ...tar.Header) {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			if err := w.WriteHeader(&h); err != nil {
				f.Fatal(err)
			}
			if h.Typeflag == tar.TypeReg {
				if _, err := w.Write(bytes.Repeat([]byte("x"), int(h.Size))); err != nil {
					f.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		list = append(list, b.Bytes())
	}
	dir := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o750} }
	file := func(name string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600, Size: 3, Uid: 1, Uname: "x"}
	}
	link := func(name, to string, kind byte) tar.Header {
		return tar.Header{Name: name, Linkname: to, Typeflag: kind, Mode: 0o777}
	}
	add(dir("./"), file("./PG_VERSION"), dir("base/"), dir("base/5/"), file("base/5/1"), dir("global/"), file("global/pg_control"), file("backup_label"))
	add(file("../escaped"))
	add(file("/escaped"))
	add(dir(".."))
	add(link("out", "..", tar.TypeSymlink), file("out/escaped"))
	add(link("out", "/", tar.TypeSymlink), dir("out/escaped/"))
	add(link("hard", "../outside", tar.TypeLink), file("hard"))
	add(link("pg_tblspc/1", "/tmp", tar.TypeSymlink), file("pg_tblspc/1/escaped"))
	add(tar.Header{Name: "device", Typeflag: tar.TypeBlock, Devmajor: 8}, tar.Header{Name: "pipe", Typeflag: tar.TypeFifo})
	add(file("a"), dir("a/"), file("a/b"))
	add(dir("a/"), file("a"))
	add(file("twice/x"), file("twice/x"))
	add(file(".pgseal-restore/state.json"))
	add(file(strings.Repeat("long/", 300) + "x"))
	add(file(strings.Repeat("n", 300)), file("new\nline"), file("\xff\xfe"))
	add(tar.Header{Name: "mode", Typeflag: tar.TypeReg, Mode: 0o7777})
	add(tar.Header{Name: "s", Typeflag: tar.TypeReg, PAXRecords: map[string]string{"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9000000000", "GNU.sparse.name": "../s"}, Format: tar.FormatPAX})
	return list
}

// FuzzUnpack: whatever a tar holds, nothing appears outside of the directory, and nothing inside of it that is neither a
// file nor a directory, or that somebody else's rights come with.
func FuzzUnpack(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, true)
		f.Add(s, false)
	}
	parent := f.TempDir()
	var count atomic.Int64
	buffer := make([]byte, 4096)
	f.Fuzz(func(t *testing.T, body []byte, stock bool) {
		top, err := os.MkdirTemp(parent, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(top)
		data, hold := filepath.Join(top, "data"), filepath.Join(top, "hold")
		roots := map[string]*os.Root{}
		for _, dir := range []string{data, hold} {
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if roots[dir], err = os.OpenRoot(dir); err != nil {
				t.Fatal(err)
			}
			defer roots[dir].Close()
		}
		x := &extractor{base: layout.Data, stock: stock, files: &count, owner: &owner{}, note: func(string, ...any) {}, copy: buffer}
		_, err = x.unpack(t.Context(), bytes.NewReader(body), &tree{root: roots[data], hold: roots[hold], fresh: true})
		dry := &extractor{base: layout.Data, stock: stock, files: &count, owner: &owner{}, note: func(string, ...any) {}, copy: buffer}
		if _, dryErr := dry.unpack(t.Context(), bytes.NewReader(body), nil); err == nil && dryErr != nil {
			t.Errorf("unpacked, and yet not to be read: %v", dryErr)
		}
		walkErr := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			inside := path == top || path == data || path == hold || strings.HasPrefix(path, data+"/") || strings.HasPrefix(path, hold+"/")
			if mode := info.Mode(); !inside || !mode.IsRegular() && !mode.IsDir() || mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0 {
				t.Errorf("%s %v", path, mode)
			}
			return nil
		})
		if walkErr != nil {
			t.Error(walkErr)
		}
	})
}
