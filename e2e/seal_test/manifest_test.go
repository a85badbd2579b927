package seal_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// What a hostile host may write into the one document that the finalizer reads, through its own rights. The archives
// and the WAL are all there; nothing of it may be sealed, and the verdict says what is wrong.
func TestHostileManifests(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		type m = manifest.Manifest
		year := 365 * 24 * time.Hour
		malformed := want{finalizer.Rejected, finalizer.ClassManifest, "malformed", "/manifest.json"}
		for server, c := range map[string]struct {
			name   string
			change func(m *m)
			words  string // of the reason
			want   want   // zero: malformed
		}{
			"foreign":  {"another backup's archive", func(m *m) { m.Objects[0].Name = "../20260101T000000/data.tar" }, "archive", want{}},
			"absolute": {"an archive of another server", func(m *m) { m.Objects[0].Name = "/other/base/20260101T000000/data.tar" }, "archive", want{}},
			"itself":   {"the manifest in its own list", func(m *m) { m.Objects[0].Name = "manifest.json" }, "archive", want{}},
			"seal":     {"the seal in the list", func(m *m) { m.Objects[0].Name = "backup.info" }, "archive", want{}},
			"newline":  {"a line break in a path", func(m *m) { m.Cluster.PGData = "/srv\nstatus=DONE" }, "pgdata", want{}},
			"name":     {"a line break in the name", func(m *m) { m.BackupName = "x\rsize=1" }, "backup_name", want{}},
			"uploader": {"a comment that ends", func(m *m) { m.Uploader = "x\u2028pgseal manifest_sha256=0" }, "uploader", want{}},
			"dots":     {"a tablespace that climbs", func(m *m) { m.Cluster.Tablespaces[0].Location = "/srv/../etc" }, "tablespaces", want{}},
			"relative": {"PGDATA that is not absolute", func(m *m) { m.Cluster.PGData = "srv" }, "pgdata", want{}},
			"label":    {"a label of another place in the WAL", func(m *m) { m.Label = strings.ReplaceAll(m.Label, "0/300028", "0/300029") }, "backup_label", want{}},
			"timeline": {"a label of another timeline", func(m *m) { m.Label = strings.Replace(m.Label, "TIMELINE: 1", "TIMELINE: 2", 1) }, "timeline", want{}},
			"smuggled": {"a label with a line too many", func(m *m) { m.Label += "INCREMENTAL FROM LSN: 0/1\n" }, "backup_label", want{}},
			"petabyte": {"petabytes of WAL", func(m *m) { m.End.LSN = 1 << 60 }, "end.lsn", want{}},
			"backward": {"an end before the beginning", func(m *m) { m.End.LSN = m.Begin.LSN - 1 }, "end.lsn", want{}},
			"segment":  {"segments of a size that there is not", func(m *m) { m.Cluster.SegmentSize = 3 << 20 }, "wal_segment_size", want{}},
			"other":    {"another server's manifest", func(m *m) { m.Server = "db2" }, "server", want{}},
			"backup":   {"another backup's manifest", func(m *m) { m.BackupID = "20260101T000000" }, "backup_id", want{}},
			"format":   {"a format that is not known", func(m *m) { m.SealFormat = 2 }, "seal_format", want{}},
			"double":   {"an archive twice", func(m *m) { m.Objects = append(m.Objects, m.Objects[0]) }, "twice", want{}},
			"workers":  {"more workers than anybody has", func(m *m) { m.Workers = 1e9 }, "workers", want{}},
			"nothing":  {"no archive of PGDATA", func(m *m) { m.Objects = m.Objects[:1] }, "missing", want{}},
			"digest":   {"a digest that is none", func(m *m) { m.Objects[0].SHA256 = "none" }, "sha256", want{}},
			"size":     {"an archive of no bytes", func(m *m) { m.Objects[0].Size = 0 }, "size", want{}},
			"old": {"times a year ago", func(m *m) {
				m.Begin.Time, m.End.Time = m.Begin.Time.Add(-year), m.End.Time.Add(-year)
			}, "begin.time", want{}},
			"future": {"an end in a year", func(m *m) { m.End.Time = m.End.Time.Add(year) },
				"ended", want{finalizer.Rejected, finalizer.ClassTime, "time", "/manifest.json"}},
			"forever": {"retention that the store has not given", func(m *m) { m.RetainUntil = new(time.Now().Add(100 * year).UTC().Truncate(time.Second)) },
				"locked until", want{finalizer.Rejected, finalizer.ClassRetention, "retention", "/manifest.json"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				b := s.backup(server)
				b.UploadArchives(t, s.host)
				b.UploadWAL(t, s.host)
				lies := b.Manifest
				lies.Objects, lies.Cluster.Tablespaces = slices.Clone(lies.Objects), slices.Clone(lies.Cluster.Tablespaces)
				c.change(&lies)
				b.Create(t, s.host, b.Key(layout.ManifestName), encoded(t, lies))
				b.finalize(t)
				if c.want == (want{}) {
					c.want = malformed
				}
				v := b.isNotSealed(t, c.want)
				has(t, v.Reasons[0].Text, c.words)
			})
		}
	})
}

func manifestDigest(t testing.TB, b *backup) string {
	t.Helper()
	return manifest.Digest(encoded(t, b.Manifest))
}

func encoded(t testing.TB, m manifest.Manifest) []byte {
	t.Helper()
	body, err := manifest.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// A set that agrees with itself, and not with the store's clock.
func TestASetThatSaysItIsAYearOld(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		for server, off := range map[string]time.Duration{"past": -365 * 24 * time.Hour, "future": 365 * 24 * time.Hour, "zones": -15 * time.Hour} {
			b := s.backup(server)
			b.Manifest.Begin.Time, b.Manifest.End.Time = b.Manifest.Begin.Time.Add(off), b.Manifest.End.Time.Add(off)
			b.Manifest.BackupID = layout.BackupID(b.Manifest.Begin.Time)
			b.Upload(t, s.host)
			b.finalize(t)
			b.isNotSealed(t, want{finalizer.Rejected, finalizer.ClassTime, "time", "/manifest.json"})
		}
		b := s.backup("kiritimati") // UTC+14, where the day is another one
		b.Manifest.Begin.Time, b.Manifest.End.Time = b.Manifest.Begin.Time.In(time.FixedZone("", 14*3600)), b.Manifest.End.Time.In(time.FixedZone("", 14*3600))
		b.Manifest.BackupID = layout.BackupID(b.Manifest.Begin.Time)
		b.Upload(t, s.host)
		b.finalize(t)
		b.isSealed(t)
	})
}

// Bodies that are no manifest, some made to be as much work as possible. Each is rejected by a function with the memory
// that it has on AWS.
func TestBodiesThatAreNoManifest(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		good := s.backup("good")
		good.UploadArchives(t, s.host)
		canonical := encoded(t, good.Manifest)
		many := func(before, each, after string) []byte {
			n := (manifest.MaxBytes - len(before) - len(after)) / len(each)
			return slices.Concat([]byte(before), bytes.Repeat([]byte(each), n), []byte(after))
		}
		for server, body := range map[string][]byte{
			"empty":       nil,
			"null":        []byte("null\n"),
			"noise":       {0x1f, 0x8b, 0, 0xff},
			"compact":     bytes.ReplaceAll(canonical, []byte("\n"), nil),
			"trailing":    append(slices.Clone(canonical), "{}"...),
			"cut":         canonical[:len(canonical)-2],
			"windows":     bytes.ReplaceAll(canonical, []byte("\n"), []byte("\r\n")),
			"unknown":     bytes.Replace(canonical, []byte(`"format"`), []byte(`"x": 1, "format"`), 1),
			"repeated":    bytes.Replace(canonical, []byte(`"format"`), []byte(`"format": 1, "format"`), 1),
			"misspelt":    bytes.Replace(canonical, []byte(`"format"`), []byte(`"Format"`), 1),
			"escaped":     bytes.Replace(canonical, []byte(`"good"`), []byte(`"goo\u0064"`), 1),
			"too-long":    bytes.Repeat([]byte(" "), manifest.MaxBytes+1),
			"far-too":     bytes.Repeat([]byte(" "), manifest.MaxBytes+16<<20),
			"blank":       bytes.Repeat([]byte(" "), manifest.MaxBytes),
			"objects":     many(`{"objects":[{}`, `,{}`, `]}`),
			"nulls":       many(`{"objects":[{}`, `,null`, `]}`),
			"included":    many(`{"cluster":{"included_files":[""`, `,""`, `]}}`),
			"tablespaces": many(`{"cluster":{"tablespaces":[{}`, `,{}`, `]}}`),
			"nested":      many(`{"objects":[`, `[`, ``),
			"digits":      many(`{"format":1`, `0`, `}`),
			"text":        many(`{"backup_label":"`, `\n`, `"}`),
			"repeats":     many(`{"workers":1`, `,"workers":1`, `}`),
		} {
			t.Run(server, func(t *testing.T) {
				t.Parallel()
				b := s.backup(server)
				b.Create(t, s.host, b.Key(layout.ManifestName), body)
				fn := s.measured(t)
				started := time.Now()
				if err := fn.Deliver(t.Context(), s.direct(), b.mark(t)); err != nil {
					t.Fatal(err)
				}
				t.Logf("%s", time.Since(started).Round(time.Millisecond))
				b.isNotSealed(t, want{finalizer.Rejected, finalizer.ClassManifest, "malformed", "/manifest.json"})
				fn.checkPeak(t)
			})
		}
	})
}
