package finalizer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
)

// place is a vault and a staging on disk, with a finalizer over them.
type place struct {
	vault, staging *filebucket.Bucket
	f              *finalizer.Finalizer
	set            *settest.Set
}

func newPlace(t *testing.T, lock time.Duration) *place {
	t.Helper()
	p := &place{}
	open := func(init func(url string) error) *filebucket.Bucket {
		url := "file://" + t.TempDir()
		if err := init(url); err != nil {
			t.Fatal(err)
		}
		b, err := filebucket.Open(url)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	p.vault = open(func(url string) error { return filebucket.Init(url, filebucket.Lock{Default: lock}) })
	p.staging = open(filebucket.InitStaging)
	config, err := finalizer.ConfigFromEnv(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	p.f = &finalizer.Finalizer{
		Vault: p.vault, Staging: p.staging, Config: config, Now: time.Now, Build: "test",
		Decompress: func(suffix string, r io.Reader) (io.ReadCloser, error) {
			if suffix != ".gz" {
				return nil, errors.New("only gzip here")
			}
			return gzip.NewReader(r)
		},
	}
	p.set = settest.New("main", time.Now())
	return p
}

func (p *place) finalize(t *testing.T) finalizer.Verdict {
	t.Helper()
	v, err := p.f.Finalize(context.Background(), "main", p.set.ID())
	if err != nil {
		t.Fatal(err)
	}
	if v.State != finalizer.Nothing {
		kept, _, err := finalizer.ReadVerdict(context.Background(), p.staging, "main", p.set.ID())
		if err != nil || kept.State != v.State {
			t.Fatalf("staging keeps %q (%v), and the answer was %q", kept.State, err, v.State)
		}
	}
	return v
}

func (p *place) seal(t *testing.T) []byte {
	t.Helper()
	body, _, err := bucket.ReadAll(context.Background(), p.vault, p.set.Key("backup.info"), "", backupinfo.MaxBytes)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestAWholeSetIsSealed(t *testing.T) {
	p := newPlace(t, time.Hour)
	p.set.Upload(t, p.vault)
	v := p.finalize(t)
	if v.State != finalizer.Sealed || v.Receipt == nil || v.Receipt.RetainUntil == nil || v.Receipt.Objects != 3 || !v.WAL.Checked || v.WAL.Segments != 2 {
		t.Fatalf("%+v", v)
	}
	info, err := backupinfo.Parse(p.seal(t))
	if err != nil || info.Status != backupinfo.Done || info.Comment("manifest_sha256") != v.ManifestSHA256 || info.Comment("wal") != "checked" ||
		info.Tablespaces[0].Location != "/srv/ts one" || info.EndWAL() != "000000010000000000000004" {
		t.Fatalf("%+v %v", info, err)
	}
}

func TestTheSameManifestMakesTheSameBytes(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	v := p.finalize(t)
	a, err1 := finalizer.Render(p.set.Manifest, v.ManifestSHA256, true)
	b, err2 := finalizer.Render(p.set.Manifest, v.ManifestSHA256, true)
	if err1 != nil || err2 != nil || !bytes.Equal(a, b) || !bytes.Equal(a, p.seal(t)) {
		t.Error(err1, err2)
	}
}

func TestWithoutAManifestThereIsNothingToDo(t *testing.T) {
	p := newPlace(t, 0)
	p.set.UploadArchives(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Nothing {
		t.Fatalf("%+v", v)
	}
}

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

func TestMissingWALIsWaitedFor(t *testing.T) {
	p := newPlace(t, 0)
	p.set.UploadArchives(t, p.vault)
	p.set.UploadSegment(t, p.vault, 3)
	p.set.UploadManifest(t, p.vault)
	v := p.finalize(t)
	if v.State != finalizer.Waiting || v.WAL.Missing != 1 || v.Deadline == nil || !strings.Contains(v.Reasons[0].Text, "000000010000000000000004") {
		t.Fatalf("%+v", v)
	}
	p.f.Now = func() time.Time { return time.Now().Add(73 * time.Hour) }
	if v := p.finalize(t); v.State != finalizer.Rejected || v.Class != finalizer.ClassWAL {
		t.Fatalf("after the deadline: %+v", v)
	}
	p.set.UploadSegment(t, p.vault, 4)
	if v := p.finalize(t); v.State != finalizer.Sealed {
		t.Fatalf("the archiver came back: %+v", v)
	}
}

func TestAStopOnASegmentBoundaryNeedsNoFurtherSegment(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Manifest.End.LSN = 0x400000
	p.set.UploadArchives(t, p.vault)
	p.set.UploadSegment(t, p.vault, 3)
	p.set.UploadManifest(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Sealed || v.WAL.Segments != 1 {
		t.Fatalf("%+v", v)
	}
	if info, _ := backupinfo.Parse(p.seal(t)); info.EndWAL() != "000000010000000000000004" {
		t.Errorf("end_wal is %s, and barman names the next segment", info.EndWAL())
	}
}

func TestATimelineNeedsItsHistory(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Manifest.Cluster.Timeline = 2
	p.set.Relabel()
	p.set.Upload(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Waiting || !strings.HasSuffix(v.Reasons[0].Object, "00000002.history") {
		t.Fatalf("%+v", v)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, "1\t0/2F0000\tno recovery target specified\n")
	z.Close()
	p.set.Create(t, p.vault, "main/wals/00000002.history.gz", zipped.Bytes())
	if v := p.finalize(t); v.State != finalizer.Sealed {
		t.Fatalf("%+v", v)
	}
}

func TestCompressedWALIsRead(t *testing.T) {
	p := newPlace(t, 0)
	p.set.UploadArchives(t, p.vault)
	for _, n := range []uint64{3, 4} {
		s := layout.Segment{Timeline: 1, Number: n}
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(p.set.Segment(s))
		z.Close()
		p.set.Create(t, p.vault, layout.WAL("main", s.Name(settest.Size), ".gz"), b.Bytes())
	}
	p.set.UploadManifest(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Sealed {
		t.Fatalf("%+v", v)
	}
}

func TestWALThatIsNotCheckedIsSaidToBe(t *testing.T) {
	p := newPlace(t, 0)
	p.f.Config.WALOff["main"] = true
	p.set.UploadArchives(t, p.vault)
	p.set.UploadManifest(t, p.vault)
	v := p.finalize(t)
	if info, err := backupinfo.Parse(p.seal(t)); v.State != finalizer.Sealed || v.WAL.Checked || err != nil || info.Comment("wal") != "not checked" {
		t.Fatalf("%+v %+v", v, info)
	}
	// the setting does not change what the seal is
	p.f.Config.WALOff["main"] = false
	if v := p.finalize(t); v.State != finalizer.Sealed {
		t.Fatalf("%+v", v)
	}
}

func TestASealStaysSealed(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	first := p.finalize(t)
	body := p.seal(t)
	p.set.Create(t, p.vault, p.set.Key("data_9999.tar"), []byte("added later"))
	if v := p.finalize(t); v.State != finalizer.Sealed || v.Receipt.SHA256 != first.Receipt.SHA256 {
		t.Fatalf("%+v", v)
	}
	// the verdict was lost: it is made again, with what is wrong by now
	if _, err := p.staging.Put(context.Background(), layout.Verdict("main", p.set.ID()), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	v := p.finalize(t)
	if v.State != finalizer.Sealed || len(v.Findings) != 1 || v.Findings[0].Code != "extra" || v.Receipt.SHA256 != first.Receipt.SHA256 {
		t.Fatalf("%+v", v)
	}
	if !bytes.Equal(body, p.seal(t)) {
		t.Error("the seal changed")
	}
}

func TestAnotherBackupInfoIsAConflict(t *testing.T) {
	for name, body := range map[string]string{
		"of stock barman":      "status=DONE\nserver_name=cloud\n",
		"of another manifest":  "# pgseal seal_format=1\n# pgseal manifest_sha256=" + strings.Repeat("0", 64) + "\nstatus=DONE\n",
		"that is no text":      "\xff\xfe",
		"of endless length":    strings.Repeat("#", backupinfo.MaxBytes+1),
		"that is empty":        "",
		"forged, right digest": "right digest",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, 0)
			p.set.UploadArchives(t, p.vault)
			p.set.UploadWAL(t, p.vault)
			p.set.UploadManifest(t, p.vault)
			if body == "right digest" {
				body = "# pgseal manifest_sha256=" + digest(t, p.set.Manifest) + "\nstatus=DONE\n"
			}
			p.set.Create(t, p.vault, p.set.Key("backup.info"), []byte(body))
			if v := p.finalize(t); v.State != finalizer.Conflict || v.Class != finalizer.ClassSeal {
				t.Fatalf("%+v", v)
			}
		})
	}
}

func TestManyCallsAtOnceWriteOneSeal(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if v, err := p.f.Finalize(context.Background(), "main", p.set.ID()); err != nil || v.State != finalizer.Sealed {
				t.Errorf("%v %+v", err, v)
			}
		})
	}
	wg.Wait()
}

func TestMinimumRetentionCountsFromEachObject(t *testing.T) {
	for name, test := range map[string]struct {
		lock, min time.Duration
		want      finalizer.State
	}{
		"as long as asked":  {time.Hour, time.Hour, finalizer.Sealed},
		"longer than asked": {2 * time.Hour, time.Hour, finalizer.Sealed},
		"too short":         {time.Hour, 2 * time.Hour, finalizer.Rejected},
		"none at all":       {0, time.Hour, finalizer.Rejected},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, test.lock)
			p.f.Config.MinRetention = test.min
			p.set.Upload(t, p.vault)
			if v := p.finalize(t); v.State != test.want || v.State == finalizer.Rejected && v.Class != finalizer.ClassRetention {
				t.Fatalf("%+v", v)
			}
		})
	}
}

// A manifest that is written over after the seal changes nothing, however long
// the new one is.
func TestAManifestTooLongAfterTheSealStaysSealed(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	first := p.finalize(t)
	w := &shadowed{Bucket: p.vault, key: p.set.Key("manifest.json"), original: p.manifest(t)}
	p.f.Vault = w
	v := p.finalize(t)
	if v.State != finalizer.Sealed || v.Receipt.SHA256 != first.Receipt.SHA256 {
		t.Fatalf("%+v", v)
	}
}

// shadowed is a vault in which a version of one key, too long to be read, stands
// on top of the real one.
type shadowed struct {
	bucket.Bucket
	key      string
	original bucket.Object
}

const realVersion = "real"

func (s *shadowed) Open(ctx context.Context, key, version string, offset, length int64) (io.ReadCloser, bucket.Object, error) {
	if key == s.key && version == "" {
		return io.NopCloser(strings.NewReader(" ")), bucket.Object{Key: key, Version: "top", Size: 1 << 40}, nil
	}
	if version == realVersion {
		version = ""
	}
	return s.Bucket.Open(ctx, key, version, offset, length)
}

func (s *shadowed) ListVersions(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	if prefix != s.key {
		return s.Bucket.ListVersions(ctx, prefix)
	}
	real := s.original
	real.Version, real.Latest = realVersion, false
	return func(yield func(bucket.Object, error) bool) {
		_ = yield(bucket.Object{Key: s.key, Version: "top", Size: 1 << 40, Latest: true}, nil) && yield(real, nil)
	}
}

func (p *place) manifest(t *testing.T) bucket.Object {
	t.Helper()
	obj, err := p.vault.Stat(context.Background(), p.set.Key("manifest.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestWhatAHostWroteIsQuotedShortly(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Create(t, p.vault, p.set.Key("manifest.json"), []byte("1"+strings.Repeat("0", 1<<20)))
	if v := p.finalize(t); v.State != finalizer.Rejected || len(v.Reasons[0].Text) > 1100 {
		t.Fatalf("%s, %d characters", v.State, len(v.Reasons[0].Text))
	}
}

// One part without a lock, and the receipt promises none.
func TestAReceiptPromisesNoMoreThanEveryPartHas(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Options.RetainUntil = time.Now().Add(time.Hour)
	p.set.UploadArchives(t, p.vault)
	p.set.UploadWAL(t, p.vault)
	p.set.Options.RetainUntil = time.Time{}
	p.set.UploadManifest(t, p.vault)
	if v := p.finalize(t); v.State != finalizer.Sealed || v.Receipt.RetainUntil != nil {
		t.Fatalf("%+v", v)
	}
}

func TestTimeRunsOut(t *testing.T) {
	p := newPlace(t, 0)
	p.set.Upload(t, p.vault)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // less than what is kept spare
	defer cancel()
	_, err := p.f.Finalize(ctx, "main", p.set.ID())
	var transient *finalizer.TransientError
	if !errors.As(err, &transient) || !errors.Is(err, finalizer.ErrDeadline) {
		t.Fatal(err)
	}
	if p.seal(t) != nil {
		t.Error("a seal was written")
	}
}

func TestConfigurationNamesTheVariable(t *testing.T) {
	for variable, values := range map[string][]string{
		"PGSEAL_WAL_CHECK": {"maybe", "off,x=maybe", "require,../x=off"}, "PGSEAL_WAL_DEADLINE": {"x", "0s", "-1h"},
		"PGSEAL_MIN_RETENTION": {"-1d", "d"}, "PGSEAL_DEADLINE": {"1s", "0"},
	} {
		for _, value := range values {
			_, err := finalizer.ConfigFromEnv(func(name string) string {
				if name == variable {
					return value
				}
				return ""
			})
			if err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("%s=%s: %v", variable, value, err)
			}
		}
	}
	c, err := finalizer.ConfigFromEnv(func(name string) string {
		return map[string]string{"PGSEAL_WAL_CHECK": "off, db1=require", "PGSEAL_MIN_RETENTION": "30d"}[name]
	})
	if err != nil || c.CheckWAL("x") || !c.CheckWAL("db1") || c.MinRetention != 720*time.Hour {
		t.Error(c, err)
	}
}
