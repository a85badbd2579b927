package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is one file of an archive.
type file struct {
	name    string // with slashes
	body    []byte
	program bool // may be executed
}

// pack writes the files in the order of their names, and gives the digest of the archive. What could differ from one
// packing to the next is not in it: no clock, no owner, no mode of the work tree's files.
func pack(archive string, files []file) ([]byte, error) {
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for i, f := range files {
		if i > 0 && files[i-1].name == f.name {
			return nil, fmt.Errorf("%s: twice in %s", f.name, archive)
		}
		// The earliest time that a zip file can hold: no clock, no time zone.
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(0o644)
		if f.program {
			h.SetMode(0o755)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(out.Bytes())
	return sum[:], errors.Join(os.MkdirAll(filepath.Dir(archive), 0o755), os.WriteFile(archive, out.Bytes(), 0o644))
}

// read is a file of the disk, under another name.
func read(path, name string, program bool) (file, error) {
	body, err := os.ReadFile(path)
	return file{name, body, program}, err
}
