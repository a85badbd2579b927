package pgdata_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pgseal/pgseal/uploader/pgdata"
)

func TestFileThatChangesWhileItIsRead(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", 1024)
	for name, test := range map[string]struct {
		change func(*os.File) error
		want   string
		padded int64
	}{
		"a file at rest is read as it is": {func(*os.File) error { return nil }, content, 0},
		"a file that grows is cut at the size it had": {func(f *os.File) error {
			_, err := f.WriteAt([]byte("more"), int64(len(content)))
			return err
		}, content, 0},
		"a file that shrinks is padded with zeros": {func(f *os.File) error { return f.Truncate(5000) },
			content[:5000] + string(make([]byte, len(content)-5000)), int64(len(content) - 5000)},
		"a file that is emptied is all zeros behind what was read": {func(f *os.File) error { return f.Truncate(0) },
			content[:100] + string(make([]byte, len(content)-100)), int64(len(content) - 100)},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "1259")
			write(t, path, content)
			f, err := pgdata.Open(pgdata.Entry{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if _, err := io.CopyN(&got, f, 100); err != nil {
				t.Fatal(err)
			}
			w, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := test.change(w); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(&got, f); err != nil {
				t.Fatal(err)
			}
			if got.String() != test.want || f.Padded() != test.padded || f.Size != int64(len(content)) {
				t.Errorf("%d bytes, %d padded, size %d", got.Len(), f.Padded(), f.Size)
			}
			if err := f.Done(); err != nil {
				t.Error(err)
			}
			if err := f.Done(); err != nil {
				t.Errorf("second Done: %v", err)
			}
		})
	}
}

func TestFileThatShrinksAndGrowsAgainStaysEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1259")
	write(t, path, "0123456789")
	f, err := pgdata.Open(pgdata.Entry{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Done()
	write(t, path, "01")
	buf := make([]byte, 4)
	for range 2 {
		if _, err := f.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path, "xxxxxxxxxx")
	rest, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(rest, make([]byte, 4)) {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := pgdata.Open(pgdata.Entry{Path: filepath.Join(dir, "gone")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that vanished gives %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pgdata.Open(pgdata.Entry{Path: pipe}); err == nil || !strings.Contains(err.Error(), pipe) {
		t.Errorf("a pipe in a file's place gives %v", err)
	}
}

func TestReadErrorIsNoPadding(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1259")
	write(t, path, "0123456789")
	f, err := pgdata.Open(pgdata.Entry{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Done(); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Read(make([]byte, 4)); n != 0 || !errors.Is(err, fs.ErrClosed) || f.Padded() != 0 {
		t.Errorf("got %d bytes, %v", n, err)
	}
}
