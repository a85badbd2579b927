package codec

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestByName(t *testing.T) {
	for _, c := range append(All(), None) {
		got, err := ByName(c.Name)
		if err != nil || got != c {
			t.Errorf("ByName(%q) = %v, %v", c.Name, got, err)
		}
	}
	if _, err := ByName("lzma"); !errors.Is(err, ErrUnknown) {
		t.Errorf("an unknown name gives %v", err)
	}
}

func TestBySuffix(t *testing.T) {
	for key, want := range map[string]Codec{
		"data.tar":                          None,
		"data.tar.gz":                       Gzip,
		"data_0001.tar.bz2":                 Bzip2,
		"16384.tar.snappy":                  Snappy,
		"data.tar.lz4":                      LZ4,
		"000000010000000000000003.zst":      Zstd,
		"000000010000000000000003.xz":       XZ,
		"000000010000000000000003":          None,
		"00000002.history.gz":               Gzip,
		"srv.gz/base/20261123T000000/x.tar": None,
		"":                                  None,
	} {
		if got := BySuffix(key); got != want {
			t.Errorf("BySuffix(%q) = %v, want %v", key, got, want)
		}
	}
}

// squeeze compresses data with writes of the given size.
func squeeze(t testing.TB, c Codec, level Level, data []byte, writes int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := c.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	for len(data) > 0 {
		n, err := w.Write(data[:min(writes, len(data))])
		if err != nil {
			t.Fatal(err)
		}
		data = data[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func expand(c Codec, data io.Reader) ([]byte, error) {
	r, err := c.NewReader(data)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(r)
	return out, errors.Join(err, r.Close())
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	samples := map[string][]byte{
		"nothing":              nil,
		"one byte":             {'x'},
		"a page":               heap(8192),
		"a block and a bit":    heap(1<<20 + 3),
		"a long run":           bytes.Repeat([]byte{0}, 1<<20),
		"incompressible bytes": noise(70_000),
	}
	for _, c := range append(All(), None) {
		for _, level := range []Level{Low, Medium, High} {
			for name, data := range samples {
				t.Run(c.Name+"/"+level.String()+"/"+name, func(t *testing.T) {
					packed := squeeze(t, c, level, data, 1<<20)
					got, err := expand(c, bytes.NewReader(packed))
					if err != nil || !bytes.Equal(got, data) {
						t.Errorf("%d bytes came back as %d: %v", len(data), len(got), err)
					}
				})
			}
		}
	}
}

func TestOutputDependsOnTheInputAlone(t *testing.T) {
	for _, c := range All() {
		data := append(heap(1<<20+777), noise(50_000)...)
		if c == XZ || c == Bzip2 {
			data = data[1<<20-120_000:] // they are slow
		}
		for _, level := range []Level{Low, Medium, High} {
			t.Run(c.Name+"/"+level.String(), func(t *testing.T) {
				first := squeeze(t, c, level, data, len(data))
				for _, writes := range []int{len(data), 511, 65_537} {
					if again := squeeze(t, c, level, data, writes); !bytes.Equal(first, again) {
						t.Errorf("writes of %d bytes give another result", writes)
					}
				}
				var copied bytes.Buffer
				w, err := c.NewWriter(&copied, level)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(w, strings.NewReader(string(data))); err != nil {
					t.Fatal(err)
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(first, copied.Bytes()) {
					t.Error("io.Copy gives another result")
				}
			})
		}
	}
}

func TestAFailingDestinationIsReported(t *testing.T) {
	full := errors.New("no space")
	for _, c := range append(All(), None) {
		w, err := c.NewWriter(failing{full}, Default)
		if err == nil {
			_, err = io.Copy(w, bytes.NewReader(noise(1_200_000)))
			if cerr := w.Close(); err == nil {
				err = cerr
			}
		}
		if !errors.Is(err, full) {
			t.Errorf("%q: the write error came back as %v", c.Name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
func (f failing) Read([]byte) (int, error)  { return 0, f.err }
