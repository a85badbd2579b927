// Package settest makes small valid backups in any bucket, for tests: the
// archives, WAL and manifest that a real uploader would leave, without a
// PostgreSQL.
package settest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/walfile"
)

// Size is the segment size of every set: the smallest, to be quick.
const Size = 1 << 20

// Set is one backup to be: change it before or between the steps.
type Set struct {
	Manifest manifest.Manifest
	Archives map[string][]byte // by name
	Options  bucket.CreateOptions
}

// New makes a set that began a minute ago, with two archives of PGDATA, a
// tablespace, and WAL from 0/300028 to the middle of the next segment.
func New(server string, now time.Time) *Set {
	begin := now.Add(-time.Minute).Truncate(time.Microsecond)
	s := &Set{Archives: map[string][]byte{
		"data.tar": []byte("the first part"), "data_0001.tar": []byte("the second part"), "16385.tar": []byte("a tablespace"),
	}}
	s.Manifest = manifest.Manifest{
		Format: manifest.Format, SealFormat: manifest.SealFormat, Uploader: "pgseal test",
		Server: server, BackupID: layout.BackupID(begin),
		Cluster: manifest.Cluster{
			Version: 150018, SystemID: 7711113157438588137, Timeline: 1, SegmentSize: Size, PGData: "/srv/pg", ConfigFile: "/srv/pg/postgresql.conf",
			HBAFile: "/srv/pg/pg_hba.conf", IdentFile: "/srv/pg/pg_ident.conf",
			Tablespaces: []manifest.Tablespace{{OID: 16385, Name: "t's", Location: "/srv/ts one"}},
		},
		Begin: manifest.Point{LSN: 0x300028, Time: begin}, End: manifest.Point{LSN: 0x480000, Time: begin.Add(50 * time.Second)},
		CopyMilliseconds: 1234, Workers: 2,
	}
	s.Relabel()
	return s
}

// Relabel makes backup_label fit the manifest's cluster and begin.
func (s *Set) Relabel() {
	m := &s.Manifest
	m.Label = fmt.Sprintf("START WAL LOCATION: %s (file %s)\nCHECKPOINT LOCATION: %s\nBACKUP METHOD: streamed\nBACKUP FROM: primary\n"+
		"START TIME: 2026-11-22 22:20:01 UTC\nLABEL: pgseal %s\nSTART TIMELINE: %d\n",
		m.Begin.LSN, m.FirstSegment().Name(m.Cluster.SegmentSize), m.Begin.LSN+0x38, m.BackupID, m.Cluster.Timeline)
}

// ID is the backup's.
func (s *Set) ID() string { return s.Manifest.BackupID }

// Key is the key of one of its objects.
func (s *Set) Key(name string) string {
	return layout.BackupDir(s.Manifest.Server, s.Manifest.BackupID) + name
}

// Upload stores archives, WAL and manifest.
func (s *Set) Upload(t testing.TB, vault bucket.Bucket) {
	t.Helper()
	s.UploadArchives(t, vault)
	s.UploadWAL(t, vault)
	s.UploadManifest(t, vault)
}

// UploadArchives stores the archives and notes them in the manifest.
func (s *Set) UploadArchives(t testing.TB, vault bucket.Bucket) {
	t.Helper()
	for _, name := range []string{"data.tar", "data_0001.tar", "16385.tar"} {
		body, ok := s.Archives[name]
		if !ok {
			continue
		}
		obj := s.Create(t, vault, s.Key(name), body)
		sum := sha256.Sum256(body)
		s.Manifest.Objects = append(s.Manifest.Objects, manifest.Object{
			Name: name, Size: obj.Size, SHA256: hex.EncodeToString(sum[:]), CRC32C: obj.CRC32C, ETag: obj.ETag, Version: obj.Version,
		})
	}
}

// AddArchives stores n more small archives of PGDATA, eight at a time, and notes
// them in the manifest.
func (s *Set) AddArchives(t testing.TB, vault bucket.Bucket, n int) {
	t.Helper()
	more := make([]manifest.Object, n)
	atOnce(n, func(i int) {
		body := fmt.Appendf(nil, "part %d", i)
		obj := s.Create(t, vault, s.Key(fmt.Sprintf("data_%04d.tar", i+2)), body)
		sum := sha256.Sum256(body)
		more[i] = manifest.Object{Name: fmt.Sprintf("data_%04d.tar", i+2), Size: obj.Size, SHA256: hex.EncodeToString(sum[:]),
			CRC32C: obj.CRC32C, ETag: obj.ETag, Version: obj.Version}
	})
	s.Manifest.Objects = append(s.Manifest.Objects, more...)
}

// atOnce does something n times, eight at a time.
func atOnce(n int, do func(i int)) {
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := w; i < n; i += 8 {
				do(i)
			}
		})
	}
	all.Wait()
}

// UploadManifest stores the manifest as it is now.
func (s *Set) UploadManifest(t testing.TB, vault bucket.Bucket) {
	t.Helper()
	body, err := manifest.Encode(s.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	s.Create(t, vault, s.Key(layout.ManifestName), body)
}

// UploadWAL stores every segment the manifest needs.
func (s *Set) UploadWAL(t testing.TB, vault bucket.Bucket) {
	t.Helper()
	first, last := s.Manifest.FirstSegment().Number, s.Manifest.LastSegment().Number
	atOnce(int(last-first+1), func(i int) { s.UploadSegment(t, vault, first+uint64(i)) })
}

// UploadSegment stores one segment, plain.
func (s *Set) UploadSegment(t testing.TB, vault bucket.Bucket, number uint64) {
	t.Helper()
	segment := layout.Segment{Timeline: s.Manifest.Cluster.Timeline, Number: number}
	s.Create(t, vault, layout.WAL(s.Manifest.Server, segment.Name(Size), ""), s.Segment(segment))
}

// Segment is the content of a WAL segment of the set's cluster: a true header
// and nothing else.
func (s *Set) Segment(segment layout.Segment) []byte {
	body := make([]byte, Size)
	le := binary.LittleEndian
	le.PutUint16(body, 0xD110)
	le.PutUint16(body[2:], 2)
	le.PutUint32(body[4:], segment.Timeline)
	le.PutUint64(body[8:], uint64(segment.Start(Size)))
	le.PutUint64(body[24:], s.Manifest.Cluster.SystemID)
	le.PutUint32(body[32:], Size)
	le.PutUint32(body[36:], 8192)
	if _, err := walfile.ParseHeader(body); err != nil {
		panic(err)
	}
	return body
}

// Create stores one object with the set's options.
func (s *Set) Create(t testing.TB, vault bucket.Bucket, key string, body []byte) bucket.Object {
	t.Helper()
	obj, err := vault.Create(context.Background(), key, bytes.NewReader(body), s.Options)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}
