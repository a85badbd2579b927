package pgdata_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pgseal/pgseal/uploader/pgdata"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

func TestControlOfEveryInstalledVersion(t *testing.T) {
	for _, major := range testserver.Majors(t) {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			t.Parallel()
			s := testserver.Start(t, major)
			_, c, err := pgdata.ReadControl(s.Data)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{strconv.FormatUint(c.SystemID, 10), strconv.Itoa(int(c.Version)), strconv.Itoa(int(c.CatalogVersion)),
				c.Checkpoint.String(), c.Redo.String(), strconv.Itoa(int(c.Timeline)), strconv.FormatInt(c.Modified.Unix(), 10),
				fmt.Sprint(c.MaxConnections), fmt.Sprint(c.MaxPreparedTransactions), fmt.Sprint(c.MaxLocksPerTransaction)}
			for i, sql := range []string{"system_identifier FROM pg_control_system()", "pg_control_version FROM pg_control_system()",
				"catalog_version_no FROM pg_control_system()", "checkpoint_lsn FROM pg_control_checkpoint()",
				"redo_lsn FROM pg_control_checkpoint()", "timeline_id FROM pg_control_checkpoint()",
				"extract(epoch FROM pg_control_last_modified)::bigint FROM pg_control_system()",
				"current_setting('max_connections')", "current_setting('max_prepared_transactions')", "current_setting('max_locks_per_transaction')"} {
				if want := s.SQL("SELECT " + sql); got[i] != want {
					t.Errorf("%s: %s, the server says %s", sql, got[i], want)
				}
			}
			if c.State != pgdata.InProduction {
				t.Errorf("state %q", c.State)
			}
		})
	}
}

func TestParseControl(t *testing.T) {
	good := controlFile(288, pgdata.InProduction)
	torn := controlFile(288, pgdata.InProduction)
	torn[40]++
	old := controlFile(288, pgdata.InProduction)
	old[8], old[9] = 0xb1, 0x04 // 1201, PostgreSQL 12, which breaks the CRC too
	for name, test := range map[string]struct {
		raw   []byte
		valid bool
	}{
		"a CRC at the offset of PostgreSQL 15":   {good, true},
		"a CRC at another offset":                {controlFile(304, pgdata.InArchiveRecovery), true},
		"a torn read":                            {torn, false},
		"a CRC beyond the first sector":          {controlFile(512, pgdata.InProduction), false},
		"a file that is cut off":                 {good[:4096], false},
		"nothing":                                {nil, false},
		"zeros, as a file system may leave them": {make([]byte, pgdata.ControlSize), false},
		"another version in front of an old CRC": {old, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := pgdata.ParseControl(test.raw)
			if test.valid && (err != nil || c.Timeline != 3 || c.Redo.String() != "0/2000028") {
				t.Errorf("got %+v, %v", c, err)
			}
			if !test.valid && !errors.Is(err, pgdata.ErrControl) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestReadControl(t *testing.T) {
	root := fakeCluster(t)
	raw, c, err := pgdata.ReadControl(root)
	if err != nil || len(raw) != pgdata.ControlSize || c.CatalogVersion != 202209061 {
		t.Errorf("got %d bytes, %+v, %v", len(raw), c, err)
	}
	write(t, filepath.Join(root, "global/pg_control"), "broken")
	if _, _, err := pgdata.ReadControl(root); !errors.Is(err, pgdata.ErrControl) {
		t.Errorf("a broken pg_control gives %v", err)
	}
	if _, _, err := pgdata.ReadControl(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no pg_control gives %v", err)
	}
}

func FuzzParseControl(f *testing.F) {
	f.Add(controlFile(288, pgdata.InProduction))
	f.Add(make([]byte, pgdata.ControlSize))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := pgdata.ParseControl(raw)
		if err == nil && (len(raw) != pgdata.ControlSize || c.Version < 1300) {
			t.Errorf("accepted %+v", c)
		}
		if err != nil && !errors.Is(err, pgdata.ErrControl) {
			t.Errorf("unnamed error %v", err)
		}
		_ = c.State.String()
	})
}
