package pgdata_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/uploader/pgdata"
)

// controlFile builds a pg_control whose CRC stands at the given offset.
func controlFile(crcAt int, state pgdata.State) []byte {
	raw := make([]byte, pgdata.ControlSize)
	order := binary.NativeEndian
	order.PutUint64(raw[0:], 7711113157438588137)
	order.PutUint32(raw[8:], 1300)
	order.PutUint32(raw[12:], 202209061)
	order.PutUint32(raw[16:], uint32(state))
	order.PutUint64(raw[24:], uint64(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC).Unix()))
	order.PutUint64(raw[32:], 0x2000060)
	order.PutUint64(raw[40:], 0x2000028)
	order.PutUint32(raw[48:], 3)
	order.PutUint32(raw[crcAt:], crc32.Checksum(raw[:crcAt], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// fakeCluster is a PGDATA with the files that NewPlan needs, and those given:
// "dir/", "file", or "link -> target" below it.
func fakeCluster(t *testing.T, files ...string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "pgdata")
	fill(t, root, append([]string{"PG_VERSION", "global/pg_control", "base/", "pg_tblspc/"}, files...)...)
	write(t, filepath.Join(root, "PG_VERSION"), "15\n")
	write(t, filepath.Join(root, "global/pg_control"), string(controlFile(288, pgdata.InProduction)))
	if err := os.Chmod(root, 0o700); err != nil {
		t.Fatal(err)
	}
	return root
}

func fill(t *testing.T, root string, files ...string) {
	t.Helper()
	for _, file := range files {
		name, target, link := strings.Cut(file, " -> ")
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case link:
			err = os.Symlink(target, path)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o700)
		default:
			err = os.WriteFile(path, []byte(name), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func plan(t *testing.T, o pgdata.Options) *pgdata.Plan {
	t.Helper()
	p, err := pgdata.NewPlan(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// names are the tar names of an archive; directories end in a slash.
func names(t *testing.T, p *pgdata.Plan, base string) (list []string) {
	t.Helper()
	for _, a := range p.Archives {
		if a.Base != base {
			continue
		}
		err := p.Walk(context.Background(), a, func(e pgdata.Entry) error {
			if e.Kind == pgdata.Dir {
				e.Name += "/"
			}
			list = append(list, e.Name)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	t.Fatalf("no archive %s", base)
	return nil
}
