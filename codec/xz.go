package codec

import (
	"io"

	"github.com/ulikunitz/xz"
)

// xz's levels are its presets; only their dictionary sizes apply here.
var xzLevels = levels{low: 1, medium: 3, high: 6, min: 1, max: 9}

// xzWindows are the dictionary sizes of xz's presets 1 to 9.
var xzWindows = [...]int{1 << 20, 2 << 20, 4 << 20, 4 << 20, 8 << 20, 8 << 20, 16 << 20, 32 << 20, 64 << 20}

// xzWriter writes one stream of one block with a CRC-64.
func xzWriter(w io.Writer, level int) (io.WriteCloser, error) {
	return xz.WriterConfig{DictCap: xzWindows[level-1], CheckSum: xz.CRC64}.NewWriter(w)
}

// xzReader reads one stream. The decoder allocates whatever dictionary a block's header asks for, up to 4 GiB, so the
// headers are read before it sees them.
func xzReader(r io.Reader) (io.ReadCloser, error) {
	zr, err := xz.ReaderConfig{DictCap: 4 << 10, SingleStream: true}.NewReader(newXZGuard(r))
	if err != nil {
		return nil, err
	}
	return io.NopCloser(zr), nil
}
