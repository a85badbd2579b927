package backup

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/uploader/archive"
	"github.com/pgseal/pgseal/uploader/pgdata"
	"github.com/pgseal/pgseal/uploader/postgres"
)

func TestPartSizes(t *testing.T) {
	for _, tc := range []struct {
		name                           string
		archive, total, least, wantMiB int64
	}{
		{"the default archive size, of a large cluster", 100 << 30, 1 << 40, 0, 11},
		{"the default archive size, of a small one", 100 << 30, 20 << 30, 0, 5},
		{"small archives", 5 << 30, 1 << 40, 0, 5},
		{"the largest archive", 1 << 40, 1 << 50, 0, 111},
		{"--min-chunk-size", 5 << 30, 1 << 40, 64 << 20, 64},
	} {
		size := partSize(tc.archive, tc.total, tc.least)
		if size != tc.wantMiB<<20 {
			t.Errorf("%s: %d MiB, want %d", tc.name, size>>20, tc.wantMiB)
		}
		if size*evenParts < min(tc.archive, tc.total)+overshoot {
			t.Errorf("%s: does not fit into %d parts", tc.name, evenParts)
		}
	}
}

func TestArchiveNumbersEndBeforeTheLast(t *testing.T) {
	c := &copier{numbers: map[string]int{}, options: &archive.Options{}}
	for n := 1; n < layout.MaxArchives-1; n++ {
		if a, err := c.next("data"); err != nil || a.Number != n {
			t.Fatal(a, err)
		}
	}
	if _, err := c.next("data"); err == nil || !strings.Contains(err.Error(), "-S") {
		t.Fatal(err)
	}
	if a, err := c.next("16385"); err != nil || a.String() != "16385_0001.tar" {
		t.Fatal(a, err)
	}
	// What is left is one number for the last part.
	if last := c.numbers["data"] + 1; last > layout.MaxArchives {
		t.Fatal(last)
	}
}

func TestObjectsInTheirOrder(t *testing.T) {
	want := []string{"data.tar", "data_0001.tar", "data_0010.tar", "9.tar", "16385.tar", "16385_0001.tar"}
	var objects []manifest.Object
	for _, name := range []string{"16385_0001.tar", "data_0010.tar", "9.tar", "data.tar", "16385.tar", "data_0001.tar"} {
		objects = append(objects, manifest.Object{Name: name})
	}
	sortObjects(objects)
	var got []string
	for _, o := range objects {
		got = append(got, o.Name)
	}
	if !slices.Equal(got, want) {
		t.Error(got)
	}
}

// A link to a tablespace that was made by hand must not cost a whole copy that
// the manifest then cannot describe.
func TestWhatNoManifestCanSayIsRefusedBeforeTheCopy(t *testing.T) {
	for location, want := range map[string]string{
		"/mnt/ts": "/mnt/ts", "/mnt/ts/": "/mnt/ts", "/mnt//ts": "/mnt/ts", "/mnt/../ts": "", "/mnt/\xff": "", "/mnt/a\nb": "",
	} {
		r := &run{Config: Config{Server: "main", Uploader: "pgseal test", Jobs: 2}, id: "20261123T010203"}
		r.facts = postgres.Facts{Version: 150018, SystemID: 7, WALSegmentSize: 16 << 20, DataDirectory: "/srv/pg"}
		r.facts.Tablespaces = []pgdata.Tablespace{{OID: 16385, Name: "ts", Location: location}, {OID: 16386, Name: "in", Location: "pg_tblspc/16386", InPlace: true}}
		r.start.Timeline = 1
		err := r.checkFacts()
		if want == "" {
			if !errors.Is(err, manifest.ErrFormat) || !strings.Contains(err.Error(), "tablespaces") {
				t.Errorf("%q: %v", location, err)
			}
			continue
		}
		if err != nil || r.manifest(nil).Cluster.Tablespaces[0].Location != want {
			t.Errorf("%q: %v %+v", location, err, r.manifest(nil).Cluster.Tablespaces)
		}
	}
}

func TestAReasonFitsOnALine(t *testing.T) {
	err := errors.Join(errors.New(" disk\tfull\x00 \xff"), errors.New("second"))
	if got := firstLine(err.Error()); got != "disk full  ?" {
		t.Errorf("%q", got)
	}
}
