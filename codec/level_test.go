package codec

import (
	"errors"
	"io"
	"testing"
)

func TestParseLevel(t *testing.T) {
	for _, s := range []string{"", "low", "medium", "high", "0", "9", "-5"} {
		l, err := ParseLevel(s)
		if err != nil || l.String() != s {
			t.Errorf("ParseLevel(%q) = %q, %v", s, l, err)
		}
	}
	for _, s := range []string{"Low", "best", "1.5", " ", "99999999999999999999"} {
		if _, err := ParseLevel(s); !errors.Is(err, ErrLevel) {
			t.Errorf("ParseLevel(%q) gives %v", s, err)
		}
	}
}

func TestLevelsThatACodecHas(t *testing.T) {
	for _, tt := range []struct {
		codec     Codec
		good, bad []int
	}{
		{None, nil, []int{0, 1, 6}},
		{Snappy, nil, []int{0, 1}},
		{Gzip, []int{1, 6, 9}, []int{-1, 0, 10}},
		{Bzip2, []int{1, 9}, []int{0, 10}},
		{LZ4, []int{0, 1, 9, 16}, []int{-1, 17}},
		{Zstd, []int{-22, -1, 0, 1, 19, 22}, []int{-23, 23}},
		{XZ, []int{1, 9}, []int{0, 10}},
	} {
		for _, l := range []Level{Default, Low, Medium, High} {
			if err := tt.codec.Check(l); err != nil {
				t.Errorf("%q refuses %q: %v", tt.codec.Name, l, err)
			}
		}
		for _, n := range tt.good {
			if _, err := tt.codec.NewWriter(io.Discard, Number(n)); err != nil {
				t.Errorf("%q refuses %d: %v", tt.codec.Name, n, err)
			}
		}
		for _, n := range tt.bad {
			if _, err := tt.codec.NewWriter(io.Discard, Number(n)); !errors.Is(err, ErrLevel) {
				t.Errorf("%q with level %d gives %v", tt.codec.Name, n, err)
			}
		}
	}
}
