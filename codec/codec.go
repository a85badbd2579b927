// Package codec compresses what goes into the vault and decompresses what comes out of it.
//
// It knows the formats that barman-cloud reads and no others, in the one shape that barman's readers accept: a gzip
// file is one member, a bzip2 file is one stream, snappy is the framing format, lz4 is the frame format (a restore by
// barman 3.17 fails at a second member or stream of a base backup).
//
// What is written depends on the input and the level only, never on the clock, on the sizes of the writes or on the
// number of processors. A WAL segment that is archived twice by the same build gives the same bytes twice. Different
// builds may compress differently: whoever compares content across builds must compare the decompressed bytes.
package codec

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Codec is one way to store a stream. Values come from ByName, BySuffix and All and may be compared with ==; the zero
// Codec is None.
type Codec struct {
	// Name is the name of the format and of the command line flag that selects it ("gzip", "lz4"); "" for None.
	Name string
	// Suffix is what the format adds to an object's key, with its dot (".gz", ".lz4"); "" for None.
	Suffix string
}

// None stores the bytes as they are.
var None = Codec{}

// The formats that barman-cloud can read; for WAL all of them; for base backups gzip, bzip2, snappy and,
// from 3.18 on, lz4.
var (
	Gzip   = Codec{"gzip", ".gz"}
	Bzip2  = Codec{"bzip2", ".bz2"}
	Snappy = Codec{"snappy", ".snappy"}
	LZ4    = Codec{"lz4", ".lz4"}
	Zstd   = Codec{"zstd", ".zst"}
	XZ     = Codec{"xz", ".xz"}
)

// ErrUnknown is returned by ByName for a name that is no codec's.
var ErrUnknown = errors.New("unknown compression")

// All returns every codec that compresses, so without None.
func All() []Codec { return []Codec{Gzip, Bzip2, Snappy, LZ4, Zstd, XZ} }

// Suffixes returns the key suffixes of All, each with its dot.
func Suffixes() []string {
	var s []string
	for _, c := range All() {
		s = append(s, c.Suffix)
	}
	return s
}

// ByName finds a codec by its name; "" is None. Any other name gives an error that is ErrUnknown.
func ByName(name string) (Codec, error) {
	if name == "" {
		return None, nil
	}
	for _, c := range All() {
		if c.Name == name {
			return c, nil
		}
	}
	return None, fmt.Errorf("%w %q", ErrUnknown, name)
}

// BySuffix tells from the end of a key how the object is compressed. A key without a known suffix is None.
func BySuffix(key string) Codec {
	for _, c := range All() {
		if strings.HasSuffix(key, c.Suffix) {
			return c
		}
	}
	return None
}

// NewWriter returns a writer that compresses to w. Close finishes the stream and does not close w. The level must be
// one that Check accepts. The writer runs in the caller's goroutine: archives are compressed side by side, one worker
// each, and do not gain from more goroutines per archive.
func (c Codec) NewWriter(w io.Writer, level Level) (io.WriteCloser, error) {
	n, err := c.number(level)
	if err != nil {
		return nil, err
	}
	if c == None {
		return plainWriter{w}, nil
	}
	zw, err := formats[c.Name].writer(w, n)
	if err != nil {
		return nil, fmt.Errorf("codec %s: %w", c.Name, err)
	}
	return zw, nil
}

// format is how one codec is written and read.
type format struct {
	levels levels
	writer func(io.Writer, int) (io.WriteCloser, error)
	reader func(io.Reader) (io.ReadCloser, error)
}

// formats has one entry for every codec of All.
var formats = map[string]format{
	Gzip.Name:   {gzipLevels, gzipWriter, gzipReader},
	Bzip2.Name:  {bzip2Levels, bzip2Writer, bzip2Reader},
	Snappy.Name: {snappyLevels, snappyWriter, snappyReader},
	LZ4.Name:    {lz4Levels, lz4Writer, lz4Reader},
	Zstd.Name:   {zstdLevels, zstdWriter, zstdReader},
	XZ.Name:     {xzLevels, xzWriter, xzReader},
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }
