package layout_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
)

func TestServerNames(t *testing.T) {
	for _, good := range []string{"main", "db-1.example", "_x", "A", strings.Repeat("a", 128)} {
		if err := layout.CheckServer(good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for _, bad := range []string{"", "_pgseal", ".hidden", "..", "a/b", "a b", "a\n", "ü", "a\x00", strings.Repeat("a", 129)} {
		if err := layout.CheckServer(bad); !errors.Is(err, layout.ErrName) {
			t.Errorf("%q: got %v, want ErrName", bad, err)
		}
	}
}

func TestMarkerKeys(t *testing.T) {
	server, id, err := layout.ParseMarker(layout.Marker("db-1", "20261123T010203"))
	if err != nil || server != "db-1" || id != "20261123T010203" {
		t.Fatal(server, id, err)
	}
	for _, bad := range []string{
		"", "_pgseal/complete/", "_pgseal/complete/a/20261123T010203", "_pgseal/complete/a/b/20261123T010203.json",
		"_pgseal/complete/../20261123T010203.json", "_pgseal/complete/_pgseal/20261123T010203.json",
		"_pgseal/complete/a/20261323T010203.json", "_pgseal/complete/a/20261123T010203.json.json",
		"x/_pgseal/complete/a/20261123T010203.json", "_pgseal/verdict/a/20261123T010203.json",
	} {
		if _, _, err := layout.ParseMarker(bad); !errors.Is(err, layout.ErrName) {
			t.Errorf("%q: got %v, want ErrName", bad, err)
		}
	}
}

func TestBackupIDIsTheClockOnTheWall(t *testing.T) {
	at := time.Date(2026, 11, 23, 1, 2, 3, 999, time.FixedZone("", -5*3600))
	if got := layout.BackupID(at); got != "20261123T010203" {
		t.Fatal(got)
	}
}

func TestArchiveNames(t *testing.T) {
	for _, name := range []string{"data.tar", "data.tar.gz", "data_0001.tar.lz4", "data_9999.tar", "16385.tar.snappy", "16385_0012.tar.bz2"} {
		a, err := layout.ParseArchive(name)
		if err != nil || a.String() != name {
			t.Errorf("%q: %+v, %v", name, a, err)
		}
	}
	for _, name := range []string{
		"", "data", "data.tar.", "data.tar.xz", "data.tar.gz.gz", "data_1.tar", "data_0000.tar", "data_10000.tar", "data_-001.tar",
		"data_.tar", "data_a.tar", "Data.tar", "0.tar", "016385.tar", "+5.tar", "4294967296.tar", "../data.tar", "data.tar/x", "data.tar\n",
	} {
		if a, err := layout.ParseArchive(name); !errors.Is(err, layout.ErrName) {
			t.Errorf("%q: got %+v %v, want ErrName", name, a, err)
		}
	}
}

func TestWhatAStockRestoreWouldRead(t *testing.T) {
	for name, want := range map[string]bool{
		"data.tar": true, "data_9999.tar": true, "data_a": true, "data.sha256": true, "database": false, "data": false,
		"manifest.json": false, "backup.info": false, "16385.tar": false,
	} {
		if got := layout.ReadByRestore(name, "data"); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWALNames(t *testing.T) {
	const mib16 = 16 << 20
	s := layout.SegmentAt(1, 0x1_5100_0000, mib16)
	if s.Name(mib16) != "000000010000000100000051" || s.Start(mib16) != 0x1_5100_0000 {
		t.Fatal(s.Name(mib16), s.Start(mib16))
	}
	if s := layout.SegmentAt(1, 0x1_5100_0000, 64<<20); s.Name(64<<20) != "000000010000000100000014" {
		t.Fatal(s.Name(64 << 20))
	}
	back, err := layout.ParseSegment("000000010000000100000051", mib16)
	if err != nil || back != s {
		t.Fatal(back, err)
	}
	for _, bad := range []string{"000000010000000100000100", "00000000000000010000005A", "00000001000000010000005a", "00000001"} {
		if _, err := layout.ParseSegment(bad, mib16); !errors.Is(err, layout.ErrName) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for name, want := range map[string]layout.WALKind{
		"000000010000000100000051":                 layout.WALSegment,
		"000000010000000100000051.partial":         layout.WALPartial,
		"00000002.history":                         layout.WALHistory,
		"000000010000000100000051.00000028.backup": layout.WALBackupEnd,
		"000000010000000100000051.":                layout.NotWAL,
		"000000010000000100000051.gz":              layout.NotWAL,
		"00000002":                                 layout.NotWAL,
		"../000000010000000100000":                 layout.NotWAL,
		"000000010000000100000051.0000028.backup":  layout.NotWAL,
		"": layout.NotWAL,
	} {
		if got := layout.KindOfWAL(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	if got := layout.WAL("m", "00000002.history", ".gz"); got != "m/wals/00000002.history.gz" {
		t.Error(got)
	}
	if got := layout.WAL("m", "000000010000000100000051", ""); got != "m/wals/0000000100000001/000000010000000100000051" {
		t.Error(got)
	}
	if n, s := layout.SplitWAL("000000010000000100000051.partial.gz"); n != "000000010000000100000051.partial" || s != ".gz" {
		t.Error(n, s)
	}
}

func TestLSNs(t *testing.T) {
	l, err := layout.ParseLSN("16/B374D848")
	if err != nil || l != 0x16_B374_D848 || l.String() != "16/B374D848" {
		t.Fatal(l, err)
	}
	for _, bad := range []string{"", "/", "0/", "/0", "0/123456789", "+0/1", "0/+1", "0/ 1", "0/1/2", "g/1", "-1/0"} {
		if _, err := layout.ParseLSN(bad); !errors.Is(err, layout.ErrName) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"data_0001.tar.gz", "0/3000028", "_pgseal/complete/a/20261123T010203.json", "000000010000000100000051.partial"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := layout.ParseArchive(s); err == nil && (a.String() != s || strings.ContainsAny(s, "/\n")) {
			t.Errorf("%q is taken for %+v", s, a)
		}
		if server, id, err := layout.ParseMarker(s); err == nil && layout.Marker(server, id) != s {
			t.Errorf("%q is taken for %q %q", s, server, id)
		}
		if layout.KindOfWAL(s) != layout.NotWAL && strings.ContainsAny(s, "/\n ") {
			t.Errorf("%q is taken for WAL", s)
		}
		layout.ParseLSN(s)
		layout.CheckServer(s)
	})
}
