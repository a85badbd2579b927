package walarchive

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
)

func TestAFileThatChangesBetweenDigestAndSendingEndsInAnError(t *testing.T) {
	const size = 128 << 20
	path := filepath.Join(t.TempDir(), "000000010000000000000000")
	header := make([]byte, 40)
	le := binary.LittleEndian
	le.PutUint16(header, 0xD110)
	le.PutUint16(header[2:], 2)
	le.PutUint32(header[4:], 1)
	le.PutUint32(header[32:], size)
	if err := os.WriteFile(path, header, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	f, err := readFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size-1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []codec.Codec{codec.None, codec.Gzip} {
		b, err := newBody(f, c, codec.Low, Parts{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, b); err == nil || !strings.Contains(err.Error(), "has changed while it was archived") {
			t.Errorf("%s: %v", c.Name, err)
		}
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestPartsAreAskedForEarlierThanMemoryRunsOut(t *testing.T) {
	f := &file{data: make([]byte, 100)}
	for _, tc := range []struct {
		name  string
		parts Parts
		want  bucket.CreateOptions
	}{
		{"nobody asked", Parts{}, bucket.CreateOptions{SingleShot: true, PartSize: 100}},
		{"just short enough", Parts{LongerThan: 100, Size: 10, InFlight: 3}, bucket.CreateOptions{SingleShot: true, PartSize: 100}},
		{"a byte too long", Parts{LongerThan: 99, Size: 10, InFlight: 3}, bucket.CreateOptions{PartSize: 10, PartsInFlight: 3}},
	} {
		b, err := newBody(f, codec.None, codec.Default, tc.parts)
		if err != nil || !reflect.DeepEqual(b.options, tc.want) {
			t.Errorf("%s: %+v, %v, want %+v", tc.name, b.options, err, tc.want)
		}
	}
}
