package finalizer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
)

// Every way in which a set can be wrong, and the reason that must name it.
func TestWhatIsNotSealed(t *testing.T) {
	year := 365 * 24 * time.Hour
	tests := []struct {
		name   string
		do     func(t *testing.T, p *place)
		class  finalizer.Class
		code   string
		object string
	}{
		{"an archive that was never stored", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Manifest.Objects = append(p.set.Manifest.Objects, p.set.Manifest.Objects[0])
			p.set.Manifest.Objects[3].Name = "data_0002.tar"
		}, finalizer.ClassSet, "missing", "data_0002.tar"},
		{"an archive of another size", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Manifest.Objects[1].Size++
		}, finalizer.ClassSet, "size", "data_0001.tar"},
		{"an archive with other content", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Manifest.Objects[0].CRC32C = "00000000"
		}, finalizer.ClassSet, "checksum", "data.tar"},
		{"an archive in another version", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Manifest.Objects[0].Version = "12"
		}, finalizer.ClassSet, "version", "data.tar"},
		{"an archive that the manifest does not list", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Create(t, p.vault, p.set.Key("data_9999.tar"), []byte("x"))
		}, finalizer.ClassSet, "extra", "data_9999.tar"},
		{"an added object that only begins like an archive", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Create(t, p.vault, p.set.Key("16385_x"), []byte("x"))
		}, finalizer.ClassSet, "extra", "16385_x"},
		{"a flood of objects", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			for n := range 150 {
				p.set.Create(t, p.vault, p.set.Key("junk/"+string(rune('a'+n%26))+strings.Repeat("x", n/26)), []byte("x"))
			}
		}, finalizer.ClassSet, "flood", ""},
		{"an encryption that the vault does not allow", func(t *testing.T, p *place) {
			p.f.Config.Encryption = []string{"AES256"}
			p.set.UploadArchives(t, p.vault)
		}, finalizer.ClassSet, "encryption", "manifest.json"},
		{"a manifest of another server", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			s := *p.set
			s.Manifest.Server = "other"
			p.uploadManifestAs(t, s)
		}, finalizer.ClassManifest, "malformed", "manifest.json"},
		{"a foreign key in the list", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Manifest.Objects[1].Name = "../20260101T000000/data.tar"
		}, finalizer.ClassManifest, "malformed", "manifest.json"},
		{"a line break in a path", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Manifest.Cluster.PGData = "/srv\nstatus=DONE"
		}, finalizer.ClassManifest, "malformed", "manifest.json"},
		{"times a year off", func(t *testing.T, p *place) {
			p.set.Manifest.Begin.Time = p.set.Manifest.Begin.Time.Add(-year)
			p.set.Manifest.End.Time = p.set.Manifest.End.Time.Add(-year)
			p.set.Manifest.BackupID = layout.BackupID(p.set.Manifest.Begin.Time)
			p.set.Relabel()
			p.set.UploadArchives(t, p.vault)
		}, finalizer.ClassTime, "time", "manifest.json"},
		{"more WAL than any backup needs", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Manifest.End.LSN = 1 << 60
		}, finalizer.ClassManifest, "malformed", "manifest.json"},
		{"no lock, though one was asked for", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
			p.set.Manifest.RetainUntil = &until
		}, finalizer.ClassRetention, "unlocked", "manifest.json"},
		{"an empty file under a segment's name", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.UploadSegment(t, p.vault, 3)
			p.set.Create(t, p.vault, "main/wals/0000000100000000/000000010000000000000004", nil)
		}, finalizer.ClassWAL, "wal-size", "000000010000000000000004"},
		{"a segment in a directory below the right one", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.UploadSegment(t, p.vault, 3)
			p.set.Create(t, p.vault, "main/wals/0000000100000000/000000010000000000000004/000000010000000000000004", []byte("x"))
			p.f.Config.WALDeadline = -time.Hour
		}, finalizer.ClassWAL, "wal-missing", "000000010000000000000004"},
		{"a flood of names that begin as the history's", func(t *testing.T, p *place) {
			p.set.Manifest.Cluster.Timeline = 2
			p.set.Relabel()
			p.set.UploadArchives(t, p.vault)
			for n := range 101 {
				p.set.Create(t, p.vault, "main/wals/00000002.history"+strings.Repeat("x", n+1), []byte("x"))
			}
		}, finalizer.ClassWAL, "flood", "00000002.history"},
		{"another cluster's WAL under the right names", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.Manifest.Cluster.SystemID++
			p.set.UploadWAL(t, p.vault)
			p.set.Manifest.Cluster.SystemID--
		}, finalizer.ClassWAL, "wal-content", "000000010000000000000003"},
		{"a segment in two compressions", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.UploadWAL(t, p.vault)
			p.set.Create(t, p.vault, "main/wals/0000000100000000/000000010000000000000004.gz", []byte("x"))
		}, finalizer.ClassWAL, "wal-double", "000000010000000000000004"},
		{"a compressed segment that is none", func(t *testing.T, p *place) {
			p.set.UploadArchives(t, p.vault)
			p.set.UploadSegment(t, p.vault, 3)
			p.set.Create(t, p.vault, "main/wals/0000000100000000/000000010000000000000004.gz", []byte("no gzip"))
		}, finalizer.ClassWAL, "wal-content", "000000010000000000000004.gz"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, 0)
			test.do(t, p)
			if _, err := p.vault.Stat(context.Background(), p.set.Key("manifest.json"), ""); err != nil {
				p.set.UploadManifest(t, p.vault)
			}
			v := p.finalize(t)
			if v.State != finalizer.Rejected || v.Class != test.class || v.Reasons[0].Code != test.code || !strings.HasSuffix(v.Reasons[0].Object, test.object) {
				t.Errorf("%+v", v)
			}
			if p.seal(t) != nil {
				t.Error("a seal was written")
			}
		})
	}
}

func (p *place) uploadManifestAs(t *testing.T, s settest.Set) {
	t.Helper()
	key := p.set.Key("manifest.json")
	other := s
	other.Manifest.BackupID = p.set.ID()
	body := encode(t, other.Manifest)
	p.set.Create(t, p.vault, key, body)
}

func TestWhatAHostWroteIsQuotedShortly(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Create(t, p.vault, p.set.Key("manifest.json"), []byte("1"+strings.Repeat("0", 1<<20)))
	if v := p.finalize(t); v.State != finalizer.Rejected || len(v.Reasons[0].Text) > 1100 {
		t.Fatalf("%s, %d characters", v.State, len(v.Reasons[0].Text))
	}
}
