// Package backupmanifest writes PostgreSQL's own backup_manifest, by which
// pg_verifybackup proves a restored directory. The format is that of "Backup
// Manifest Format" in PostgreSQL's documentation: version 1, and from
// PostgreSQL 17 on version 2, which names the cluster.
package backupmanifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/layout"
)

// Name is the file's, in PGDATA.
const Name = "backup_manifest"

// File is one file as it was archived.
type File struct {
	// Path is relative to PGDATA; files of tablespaces begin with pg_tblspc/OID/.
	Path    string
	Size    int64
	ModTime time.Time
	CRC32C  uint32 // Castagnoli, of the bytes that were archived
}

// Range is the WAL without which the backup cannot be made consistent.
type Range struct {
	Timeline   uint32
	Begin, End layout.LSN
}

// Builder collects files, as text: some 150 bytes for each. Files may be added
// from several goroutines.
type Builder struct {
	mu    sync.Mutex
	files bytes.Buffer
}

// Add adds a file. The order does not matter, and no path may come twice.
func (b *Builder) Add(f File) {
	var line bytes.Buffer
	line.WriteString("{ ")
	if utf8.ValidString(f.Path) {
		line.WriteString(`"Path": `)
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(f.Path) // of a valid string, into memory
		line.Truncate(line.Len() - 1)
	} else {
		line.WriteString(`"Encoded-Path": "` + hex.EncodeToString([]byte(f.Path)) + `"`)
	}
	// PostgreSQL prints the bytes of the sum as a little-endian machine keeps them.
	sum := []byte{byte(f.CRC32C), byte(f.CRC32C >> 8), byte(f.CRC32C >> 16), byte(f.CRC32C >> 24)}
	fmt.Fprintf(&line, `, "Size": %d, "Last-Modified": "%s", "Checksum-Algorithm": "CRC32C", "Checksum": "%x" }`,
		f.Size, f.ModTime.UTC().Format("2006-01-02 15:04:05 GMT"), sum)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.files.Len() > 0 {
		b.files.WriteString(",\n")
	}
	b.files.Write(line.Bytes())
}

// Content is the file's content and its length. version is server_version_num.
// No file may be added any more.
func (b *Builder) Content(version int, systemID uint64, wal Range) (io.Reader, int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	head := "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n"
	if version >= 170000 {
		head = fmt.Sprintf("{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": %d,\n", systemID)
	}
	head += "\"Files\": [\n"
	tail := fmt.Sprintf("\n],\n\"WAL-Ranges\": [\n{ \"Timeline\": %d, \"Start-LSN\": \"%s\", \"End-LSN\": \"%s\" }\n],\n", wal.Timeline, wal.Begin, wal.End)
	sum := sha256.New() // of all that comes before its own line
	for _, part := range [][]byte{[]byte(head), b.files.Bytes(), []byte(tail)} {
		sum.Write(part)
	}
	tail += fmt.Sprintf("\"Manifest-Checksum\": \"%x\"}\n", sum.Sum(nil))
	return io.MultiReader(strings.NewReader(head), bytes.NewReader(b.files.Bytes()), strings.NewReader(tail)),
		int64(len(head) + b.files.Len() + len(tail))
}
