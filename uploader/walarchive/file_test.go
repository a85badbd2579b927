package walarchive_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/walarchive"
)

func TestFilesAreArchivedThatAreWhatTheirNamesSay(t *testing.T) {
	good := segment(1, 1, mib, 'a')
	changed := func(at int, to byte) []byte {
		b := segment(1, 1, mib, 'a')
		b[at] = to
		return b
	}
	for name, tc := range map[string]struct {
		file    string
		content []byte
		want    error
		says    string
	}{
		"a segment":         {file: first, content: good},
		"a partial segment": {file: first + ".partial", content: good},
		"a segment whose first page is the parent's": {file: "000000030000000000000001", content: good},
		"a backup label": {file: first + ".00000028.backup", content: []byte("START WAL LOCATION: 0/100028\n")},
		"a history":      {file: "00000002.history", content: []byte("1\t0/3000000\tno recovery target specified\n")},

		"a segment cut short":              {file: first, content: good[:mib/2], want: walarchive.ErrContent, says: "524288 bytes, and its header says that segments have 1048576"},
		"a segment with something behind":  {file: first, content: append(segment(1, 1, mib, 'a'), 'x'), want: walarchive.ErrContent, says: "1048577 bytes"},
		"a partial segment cut short":      {file: first + ".partial", content: good[:mib/2], want: walarchive.ErrContent},
		"an empty segment":                 {file: first, content: nil, want: walarchive.ErrContent, says: "0 bytes"},
		"a segment of zeros":               {file: first, content: make([]byte, mib), want: walarchive.ErrContent, says: "no WAL page header"},
		"a segment of an odd size":         {file: first, content: changed(34, 0x11), want: walarchive.ErrContent, says: "segment size"},
		"another segment's content":        {file: "000000010000000000000002", content: good, want: walarchive.ErrContent, says: "address 0/100000, and by its name it begins at 0/200000"},
		"a child's content":                {file: first, content: changed(4, 2), want: walarchive.ErrContent, says: "timeline 2, and by its name it is of timeline 1"},
		"a name of other segments' size":   {file: "000000010000000000001000", content: good, want: walarchive.ErrContent, says: "name not allowed where segments have 1048576 bytes"},
		"an empty history":                 {file: "00000002.history", content: nil, want: walarchive.ErrContent},
		"a history of zeros after a crash": {file: "00000002.history", content: make([]byte, 50), want: walarchive.ErrContent},
		"a history that leads to itself":   {file: "00000002.history", content: []byte("2\t0/3000000\tx\n"), want: walarchive.ErrContent, says: "out of order"},
		"a backup label without end":       {file: first + ".00000028.backup", content: make([]byte, mib), want: walarchive.ErrContent},

		"no name of WAL":        {file: "postgresql.conf", content: good, want: layout.ErrName},
		"a lower case name":     {file: "00000001000000000000000a", content: good, want: layout.ErrName},
		"a compressed segment":  {file: first + ".gz", content: good, want: layout.ErrName},
		"a name that is nearly": {file: first + ".backup", content: good, want: layout.ErrName},
	} {
		t.Run(name, func(t *testing.T) {
			vault := newVault(t, filebucket.Lock{})
			path := write(t, tc.file, tc.content)
			done, err := walarchive.Archive(t.Context(), request(vault, path))
			if !errors.Is(err, tc.want) || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("%v, want %v with %q", err, tc.want, tc.says)
			}
			got := keys(t, vault)
			switch {
			case tc.want != nil && (len(got) != 0 || !strings.Contains(err.Error(), tc.file)):
				t.Errorf("stored %v, and said %q", got, err)
			case tc.want == nil && (len(got) != 1 || got[0] != layout.WAL("main", tc.file, "") || done.Key != got[0] || done.Already):
				t.Errorf("stored %v, answered %+v", got, done)
			}
		})
	}
}

func TestAServerNameThatIsNoneIsRefused(t *testing.T) {
	r := request(newVault(t, filebucket.Lock{}), write(t, first, segment(1, 1, mib, 'a')))
	r.Server = "../other"
	if _, err := walarchive.Archive(t.Context(), r); !errors.Is(err, layout.ErrName) {
		t.Errorf("%v, want ErrName", err)
	}
}

func TestADirectoryOrAMissingFileIsRefused(t *testing.T) {
	vault := newVault(t, filebucket.Lock{})
	for _, path := range []string{t.TempDir() + "/" + first, write(t, "x", nil) + "/../" + first} {
		if _, err := walarchive.Archive(t.Context(), request(vault, path)); err == nil {
			t.Errorf("%s was archived", path)
		}
	}
	if got := keys(t, vault); len(got) != 0 {
		t.Error(got)
	}
}
