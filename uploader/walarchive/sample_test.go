package walarchive_test

import (
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/walarchive"
)

const (
	mib    = 1 << 20
	first  = "000000010000000000000001"
	system = 7123456789012345678
)

// segment is what PostgreSQL writes at the beginning of segment `number` of a timeline, and then the filling.
func segment(timeline uint32, number uint64, size int, filling byte) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = filling + byte(i>>12)
	}
	le := binary.LittleEndian
	le.PutUint16(b, 0xD110)
	le.PutUint16(b[2:], 2)
	le.PutUint32(b[4:], timeline)
	le.PutUint64(b[8:], number*uint64(size))
	le.PutUint64(b[24:], system)
	le.PutUint32(b[32:], uint32(size))
	le.PutUint32(b[36:], 8192)
	return b
}

// write makes a file of that name in a directory of its own.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newVault(t *testing.T, lock filebucket.Lock) bucket.Bucket {
	t.Helper()
	url := "file://" + t.TempDir() + "/vault"
	if err := filebucket.Init(url, lock); err != nil {
		t.Fatal(err)
	}
	b, err := filebucket.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// request archives path into b, uncompressed.
func request(b bucket.Bucket, path string) walarchive.Request {
	return walarchive.Request{Bucket: b, Server: "main", Path: path, Log: slog.New(slog.DiscardHandler)}
}

// keys are all keys of the vault.
func keys(t *testing.T, b bucket.Bucket) []string {
	t.Helper()
	var all []string
	for obj, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, obj.Key)
	}
	return all
}

var firstKey = layout.WAL("main", first, "")
