package manifest_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
)

func good(t testing.TB) manifest.Manifest {
	t.Helper()
	url := "file://" + t.TempDir()
	if err := filebucket.InitStaging(url); err != nil {
		t.Fatal(err)
	}
	b, err := filebucket.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	s := settest.New("main", time.Date(2026, 11, 23, 1, 2, 3, 456789000, time.FixedZone("", -5*3600)))
	s.UploadArchives(t, b)
	return s.Manifest
}

func TestItIsReadBackAsItWas(t *testing.T) {
	m := good(t)
	body, err := manifest.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	back, err := manifest.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Check("main", m.BackupID); err != nil {
		t.Fatal(err)
	}
	again, err := manifest.Encode(back)
	if err != nil || !bytes.Equal(again, body) {
		t.Error(err, string(again))
	}
}

func TestOnlyTheCanonicalFormIsRead(t *testing.T) {
	body, err := manifest.Encode(good(t))
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	for name, changed := range map[string]string{
		"other blanks":              strings.Replace(text, "\n ", "\n  ", 1),
		"a name in capitals":        strings.Replace(text, `"server"`, `"Server"`, 1),
		"a name given twice":        strings.Replace(text, ` "server": "main",`, " \"server\": \"other\",\n \"server\": \"main\",", 1),
		"an unknown name":           strings.Replace(text, ` "server"`, " \"x\": 1,\n \"server\"", 1),
		"something after it":        text + "{}",
		"nothing":                   "",
		"null":                      "null\n",
		"a list":                    "[]\n",
		"a number for a string":     strings.Replace(text, `"main"`, `7`, 1),
		"a negative oid":            strings.Replace(text, `"oid": 16385`, `"oid": -1`, 1),
		"a fraction for a size":     strings.Replace(text, `"size": 14`, `"size": 14.5`, 1),
		"an LSN that is none":       strings.Replace(text, `"0/480000"`, `"480000"`, 1),
		"no line break at the end":  strings.TrimSuffix(text, "\n"),
		"a longer one than allowed": strings.Repeat(" ", manifest.MaxBytes) + text,
	} {
		if changed == text {
			t.Fatal(name, "changes nothing")
		}
		if m, err := manifest.Parse([]byte(changed)); !errors.Is(err, manifest.ErrFormat) {
			t.Errorf("%s: %v %+v", name, err, m)
		}
	}
}

// What would take far more memory decoded than it takes encoded is refused
// before it is decoded, and what is refused is not quoted at length.
func TestBodiesThatGrow(t *testing.T) {
	for name, body := range map[string]string{
		"empty objects":         `{"objects":[{}` + strings.Repeat(",{}", manifest.MaxObjects*2) + `]}`,
		"nulls":                 `{"objects":[null` + strings.Repeat(",null", manifest.MaxObjects) + `]}`,
		"empty strings":         `{"cluster":{"included_files":[""` + strings.Repeat(`,""`, manifest.MaxObjects) + `]}}`,
		"a number without end":  `{"format":1` + strings.Repeat("0", 1<<20) + `}`,
		"a name without end":    `{"` + strings.Repeat("x", 1<<20) + `":1}`,
		"a version without end": `{"cluster":{"system_id":"` + strings.Repeat("1", 1<<20) + `"}}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := manifest.Parse([]byte(body))
		runtime.ReadMemStats(&after)
		if !errors.Is(err, manifest.ErrFormat) || len(err.Error()) > 400 {
			t.Errorf("%s: %.500v", name, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
			t.Errorf("%s: %d MiB were allocated", name, grown>>20)
		}
	}
}

func TestFieldsThatContradict(t *testing.T) {
	other := time.Date(2027, 11, 23, 1, 2, 3, 0, time.UTC)
	for name, test := range map[string]struct {
		change func(m *manifest.Manifest)
		field  string
	}{
		"a later format":                   {func(m *manifest.Manifest) { m.Format = 2 }, "format"},
		"a later seal format":              {func(m *manifest.Manifest) { m.SealFormat = 2 }, "seal_format"},
		"another server":                   {func(m *manifest.Manifest) { m.Server = "other" }, "server"},
		"another id":                       {func(m *manifest.Manifest) { m.BackupID = "20261123T010204" }, "backup_id"},
		"an uploader with a line break":    {func(m *manifest.Manifest) { m.Uploader = "x\ny" }, "uploader"},
		"a name with a line break":         {func(m *manifest.Manifest) { m.BackupName = "x\ny" }, "backup_name"},
		"a name that barman reads as none": {func(m *manifest.Manifest) { m.BackupName = "None" }, "backup_name"},
		"fewer than no corrupt pages":      {func(m *manifest.Manifest) { m.CorruptPages = -1 }, "corrupt_pages"},
		"a copy of a million years":        {func(m *manifest.Manifest) { m.CopyMilliseconds = 1 << 55 }, "copy_ms"},
		"a path that barman reads as none": {func(m *manifest.Manifest) { m.Cluster.HBAFile = "None" }, "hba_file"},
		"paths too long for a backup.info": {func(m *manifest.Manifest) {
			m.Cluster.Included = slices.Repeat([]string{"/" + strings.Repeat("\x01", 4000)}, 100)
		}, "included_files"},
		"PostgreSQL 12":                     {func(m *manifest.Manifest) { m.Cluster.Version = 120022 }, "version"},
		"no system identifier":              {func(m *manifest.Manifest) { m.Cluster.SystemID = 0 }, "system_id"},
		"timeline 0":                        {func(m *manifest.Manifest) { m.Cluster.Timeline = 0 }, "timeline"},
		"another timeline than the label's": {func(m *manifest.Manifest) { m.Cluster.Timeline = 2 }, "timeline"},
		"an odd segment size":               {func(m *manifest.Manifest) { m.Cluster.SegmentSize = 3 << 20 }, "wal_segment_size"},
		"a segment size that barely shifts": {func(m *manifest.Manifest) { m.Cluster.SegmentSize = 16 << 20 }, "begin.lsn"},
		"a relative PGDATA":                 {func(m *manifest.Manifest) { m.Cluster.PGData = "srv" }, "pgdata"},
		"a path with a blank at its end":    {func(m *manifest.Manifest) { m.Cluster.ConfigFile = "/x " }, "config_file"},
		"a path with a next-line character": {func(m *manifest.Manifest) { m.Cluster.HBAFile = "/x\u0085" }, "hba_file"},
		"a path without end":                {func(m *manifest.Manifest) { m.Cluster.IdentFile = "/" + strings.Repeat("x", 5000) }, "ident_file"},
		"a thousand included files":         {func(m *manifest.Manifest) { m.Cluster.Included = make([]string, 1001) }, "included_files"},
		"another begin than the label's":    {func(m *manifest.Manifest) { m.Begin.LSN++ }, "begin.lsn"},
		"an end before the begin":           {func(m *manifest.Manifest) { m.End.LSN = 1 }, "end.lsn"},
		"WAL without end":                   {func(m *manifest.Manifest) { m.End.LSN = 1 << 62 }, "end.lsn"},
		"more segments than are read":       {func(m *manifest.Manifest) { m.End.LSN = m.Begin.LSN + manifest.MaxSpan/2 }, "end.lsn"},
		"a label that is none":              {func(m *manifest.Manifest) { m.Label = "hello" }, "backup_label"},
		"an end before the beginning":       {func(m *manifest.Manifest) { m.End.Time = m.Begin.Time.Add(-1) }, "end.time"},
		"times a year off":                  {func(m *manifest.Manifest) { m.Begin.Time, m.End.Time = other, other }, "begin.time"},
		"a tablespace twice": {func(m *manifest.Manifest) {
			m.Cluster.Tablespaces = append(m.Cluster.Tablespaces, m.Cluster.Tablespaces[0])
		}, "tablespaces"},
		"a tablespace that climbs":           {func(m *manifest.Manifest) { m.Cluster.Tablespaces[0].Location = "/a/../../etc" }, "tablespaces"},
		"a tablespace without archive":       {func(m *manifest.Manifest) { m.Objects = m.Objects[:2] }, "objects"},
		"an archive without tablespace":      {func(m *manifest.Manifest) { m.Cluster.Tablespaces = nil }, "objects"},
		"an archive twice":                   {func(m *manifest.Manifest) { m.Objects[1] = m.Objects[0] }, "objects"},
		"an archive in two compressions":     {func(m *manifest.Manifest) { m.Objects[1].Name = "data.tar.gz" }, "objects"},
		"no PGDATA":                          {func(m *manifest.Manifest) { m.Objects = m.Objects[2:] }, "objects"},
		"nothing at all":                     {func(m *manifest.Manifest) { m.Objects = nil }, "objects"},
		"a key outside the backup":           {func(m *manifest.Manifest) { m.Objects[1].Name = "../x/data.tar" }, "objects"},
		"the seal itself":                    {func(m *manifest.Manifest) { m.Objects[1].Name = "backup.info" }, "objects"},
		"an empty archive":                   {func(m *manifest.Manifest) { m.Objects[0].Size = 0 }, "objects"},
		"a digest that is none":              {func(m *manifest.Manifest) { m.Objects[0].SHA256 = "x" }, "objects"},
		"a checksum in capitals":             {func(m *manifest.Manifest) { m.Objects[0].CRC32C = "ABCDEF01" }, "objects"},
		"a version with a line break":        {func(m *manifest.Manifest) { m.Objects[0].Version = "a\nb" }, "objects"},
		"more objects than any store counts": {func(m *manifest.Manifest) { m.Objects = make([]manifest.Object, manifest.MaxObjects+1) }, "objects"},
	} {
		t.Run(name, func(t *testing.T) {
			m := good(t)
			id := m.BackupID
			test.change(&m)
			if err := m.Check("main", id); !errors.Is(err, manifest.ErrFormat) || !strings.Contains(err.Error(), test.field) {
				t.Errorf("got %v, and it should name %s", err, test.field)
			}
		})
	}
}

func TestTheLastSegmentHoldsTheByteBeforeTheEnd(t *testing.T) {
	m := good(t)
	for end, want := range map[layout.LSN]uint64{0x400000: 3, 0x400001: 4, 0x3FFFFF: 3} {
		m.End.LSN = end
		if got := m.LastSegment().Number; got != want {
			t.Errorf("%s: segment %d, not %d", end, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	body, err := manifest.Encode(good(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(fmt.Sprintf(`{"objects":[%s]}`, strings.Repeat("{},", 50))))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := manifest.Parse(b)
		if err != nil || m.Check(m.Server, m.BackupID) != nil {
			return
		}
		for _, o := range m.Objects {
			key := layout.BackupDir(m.Server, m.BackupID) + o.Name
			if strings.Contains(key, "..") || strings.Count(key, "/") != 3 {
				t.Errorf("key %q", key)
			}
		}
	})
}
