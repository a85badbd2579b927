// Package manifest is the list of one backup's objects, written once into the
// vault by the uploader, last of the set. Whoever reads it trusts nothing in
// it: Parse bounds and types it, Check holds its fields against each other, and
// the finalizer holds what is left against the store.
package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pgseal/pgseal/core/layout"
)

// Limits of a manifest that is read.
const (
	MaxBytes   = 32 << 20
	MaxObjects = 100_000
	// MaxSpan and MaxSegments bound the WAL that one backup may need, and with it
	// the directories that are listed and the pages that are read: 4 TiB, which
	// in segments of 16 MiB is 262,144.
	MaxSpan     = 1 << 42
	MaxSegments = 1 << 18
)

// Format is the version of the manifest's schema, and SealFormat that of the
// backup.info that is made from it. A reader keeps the renderers of all older
// seal formats.
const (
	Format     = 1
	SealFormat = 1
)

// ErrFormat is the kind of everything that is wrong inside a manifest or a
// backup label.
var ErrFormat = errors.New("malformed")

// Manifest is one backup's set, and the facts its backup.info is made from.
type Manifest struct {
	Format     int    `json:"format"`
	SealFormat int    `json:"seal_format"`
	Uploader   string `json:"uploader"` // name and version

	Server     string `json:"server"`
	BackupID   string `json:"backup_id"`
	BackupName string `json:"backup_name,omitempty"`

	Cluster Cluster `json:"cluster"`
	Begin   Point   `json:"begin"`
	End     Point   `json:"end"`
	Label   string  `json:"backup_label"` // PostgreSQL's, byte for byte

	// RetainUntil is the end of the retention that was asked for each object;
	// nil means the bucket's default.
	RetainUntil *time.Time `json:"retain_until,omitempty"`

	CopyMilliseconds int64 `json:"copy_ms"`
	Workers          int   `json:"workers"`
	// CorruptPages is how many pages failed PostgreSQL's checksums while they were
	// read; 0 also where it keeps none.
	CorruptPages int64 `json:"corrupt_pages,omitempty"`

	Objects []Object `json:"objects"`
}

// Cluster is the server that was backed up.
type Cluster struct {
	Version     int          `json:"version"` // server_version_num
	SystemID    uint64       `json:"system_id,string"`
	Timeline    uint32       `json:"timeline"` // the same at begin and end
	SegmentSize int64        `json:"wal_segment_size"`
	PGData      string       `json:"pgdata"`
	ConfigFile  string       `json:"config_file"`
	HBAFile     string       `json:"hba_file"`
	IdentFile   string       `json:"ident_file"`
	Included    []string     `json:"included_files,omitempty"`
	Tablespaces []Tablespace `json:"tablespaces,omitempty"`
}

// Tablespace is one outside PGDATA; in-place ones are part of PGDATA.
type Tablespace struct {
	OID      uint32 `json:"oid"`
	Name     string `json:"name"`
	Location string `json:"location"`
}

// Point is where the backup began or ended. Time is PostgreSQL's now() in the
// session's time zone, to the microsecond.
type Point struct {
	LSN  layout.LSN `json:"lsn"`
	Time time.Time  `json:"time"`
}

// Object is one archive, as the store reported it after the upload. SHA256 is
// the uploader's own digest of the same bytes.
type Object struct {
	Name    string `json:"name"` // below the backup's directory
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	CRC32C  string `json:"crc32c"`
	ETag    string `json:"etag,omitempty"`
	Version string `json:"version,omitempty"`
}

// Encode writes m in its one canonical form.
func Encode(m Manifest) ([]byte, error) {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode the manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// Digest is the SHA-256 of an encoded manifest, in hex: what a seal names.
func Digest(encoded []byte) string {
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// Parse reads an encoded manifest. It takes the canonical form only, so that
// equal manifests are equal bytes and nothing can hide in unknown, repeated or
// misspelt names. ErrFormat otherwise. It does not Check.
func Parse(encoded []byte) (Manifest, error) {
	var m Manifest
	if len(encoded) > MaxBytes {
		return m, fmt.Errorf("manifest of %d bytes: %w: at most %d", len(encoded), ErrFormat, MaxBytes)
	}
	if err := countable(encoded); err != nil {
		return m, err
	}
	if err := json.Unmarshal(encoded, &m); err != nil {
		// the error quotes what it cannot read, whole
		return Manifest{}, fmt.Errorf("manifest: %w: %.200v", ErrFormat, err)
	}
	again, err := Encode(m)
	if err != nil || !bytes.Equal(again, encoded) {
		return Manifest{}, fmt.Errorf("manifest: %w: not in its canonical form", ErrFormat)
	}
	return m, nil
}

// Marker is what the uploader leaves in staging to wake the finalizer. The
// finalizer takes nothing from it but its key; the body is for people.
type Marker struct {
	Server         string `json:"server"`
	BackupID       string `json:"backup_id"`
	ManifestSHA256 string `json:"manifest_sha256"`
	Host           string `json:"host"`
}

// Progress is a heartbeat in staging. Its age is the store's time of the object.
type Progress struct {
	Server   string    `json:"server"`
	BackupID string    `json:"backup_id"`
	Host     string    `json:"host"`
	PID      int       `json:"pid"`
	Begin    time.Time `json:"begin"` // of the run, by the host's clock
	Files    int64     `json:"files"`
	Bytes    int64     `json:"bytes"`        // read from PGDATA and tablespaces
	Total    int64     `json:"bytes_total"`  // as surveyed at the start
	Stored   int64     `json:"bytes_stored"` // sent to the vault
}
