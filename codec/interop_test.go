package codec

import (
	"bytes"
	"os/exec"
	"testing"
)

// tool is a program that speaks one of the formats from standard input to standard output.
type tool struct {
	codec    Codec
	name     string
	pack     []string
	unpack   []string
	requires []string // a command that succeeds where the tool can be used
}

const onlyOne = `
import sys, zlib, bz2
d = {"gzip": lambda: zlib.decompressobj(31), "bzip2": bz2.BZ2Decompressor}[sys.argv[1]]()
out = d.decompress(sys.stdin.buffer.read())
assert d.eof, "not complete"
assert not d.unused_data, "more than one stream"
sys.stdout.buffer.write(out)
`

const frames = `
import sys
d = sys.stdin.buffer.read()
import MODULE as m
sys.stdout.buffer.write(m.FUNCTION(d))
`

var python = "/usr/bin/python3" // the one that Debian's barman runs on, not whatever comes first in the path

func module(name, function string) []string {
	script := bytes.ReplaceAll([]byte(frames), []byte("MODULE"), []byte(name))
	return []string{python, "-c", string(bytes.ReplaceAll(script, []byte("FUNCTION"), []byte(function)))}
}

var tools = []tool{
	{Gzip, "gzip", []string{"gzip", "-c"}, []string{"gzip", "-dc"}, []string{"gzip", "-V"}},
	{Bzip2, "bzip2", []string{"bzip2", "-c"}, []string{"bzip2", "-dc"}, []string{"bzip2", "--help"}},
	{LZ4, "lz4", []string{"lz4", "-c"}, []string{"lz4", "-dc"}, []string{"lz4", "-V"}},
	{LZ4, "lz4 -9 with linked blocks", []string{"lz4", "-9", "-BD", "-c"}, []string{"lz4", "-dc"}, []string{"lz4", "-V"}},
	{Zstd, "zstd", []string{"zstd", "-c"}, []string{"zstd", "-dc"}, []string{"zstd", "-V"}},
	{Zstd, "zstd -19", []string{"zstd", "-19", "-c"}, []string{"zstd", "-dc"}, []string{"zstd", "-V"}},
	{XZ, "xz", []string{"xz", "-c"}, []string{"xz", "-dc"}, []string{"xz", "-V"}},
	{XZ, "xz with many blocks", []string{"xz", "-1", "--block-size=100000", "-c"}, []string{"xz", "-dc"}, []string{"xz", "-V"}},
	{Gzip, "python's zlib, one member only", nil, []string{python, "-c", onlyOne, "gzip"}, []string{python, "-V"}},
	{Bzip2, "python's bz2, one stream only", nil, []string{python, "-c", onlyOne, "bzip2"}, []string{python, "-V"}},
	{XZ, "python's lzma", module("lzma", "compress"), module("lzma", "decompress"), []string{python, "-V"}},
	{LZ4, "python's lz4.frame", module("lz4.frame", "compress"), module("lz4.frame", "decompress"), []string{python, "-c", "import lz4.frame"}},
	{Snappy, "python-snappy", module("snappy", "StreamCompressor().compress"), module("snappy", "StreamDecompressor().decompress"),
		[]string{python, "-c", "import snappy; snappy.StreamDecompressor().decompress(snappy.StreamCompressor().compress(b'x'))"}},
}

func TestStockToolsAgree(t *testing.T) {
	data := append(heap(250_000), noise(30_000)...)
	for _, tool := range tools {
		t.Run(tool.name, func(t *testing.T) {
			if err := exec.Command(tool.requires[0], tool.requires[1:]...).Run(); err != nil {
				t.Skipf("%s is not installed", tool.name)
			}
			for _, level := range []Level{Default, Low, High} {
				if got := pipe(t, tool.unpack, squeeze(t, tool.codec, level, data, 1<<20)); !bytes.Equal(got, data) {
					t.Errorf("it reads our level %q as something else", level)
				}
			}
			if tool.pack == nil {
				return
			}
			got, err := expand(tool.codec, bytes.NewReader(pipe(t, tool.pack, data)))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("we cannot read what it writes: %v", err)
			}
		})
	}
}

func pipe(t *testing.T, command []string, in []byte) []byte {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command[0], err, stderr.Bytes())
	}
	return out
}
