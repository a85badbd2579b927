package body

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestABodyIsReadToItsEndAndNoFurther(t *testing.T) {
	var b Buffers
	for _, c := range []struct {
		text        string
		first, rest string
		more        bool
	}{{"", "", "", false}, {"ab", "ab", "", false}, {"abc", "abc", "", false}, {"abcd", "abc", "d", true}, {"abcdefg", "abc", "defg", true}} {
		first, rest, done, err := b.Begin(t.Context(), iotest.OneByteReader(strings.NewReader(c.text)), 3)
		if err != nil || string(first) != c.first || (rest != nil) != c.more {
			t.Fatalf("%q: %q, %v, %v", c.text, first, rest, err)
		}
		if rest != nil {
			if got, err := io.ReadAll(rest); err != nil || string(got) != c.rest {
				t.Errorf("%q: then %q, %v", c.text, got, err)
			}
		}
		done()
	}
}

func TestABodyInMemoryIsNeitherCopiedNorKept(t *testing.T) {
	var b Buffers
	text := []byte("abc")
	first, rest, done, err := b.Begin(t.Context(), bucket.NewBytes(text), 3)
	if err != nil || rest != nil || &first[0] != &text[0] || len(first) != 3 {
		t.Fatalf("%q, %v, %v", first, rest, err)
	}
	done()
	if lent := b.Lend(3); &lent[0] == &text[0] {
		t.Error("the caller's bytes are lent to somebody else")
	}
	begun := bucket.NewBytes(text)
	if _, err := begun.ReadByte(); err != nil {
		t.Fatal(err)
	}
	if first, rest, _, err := b.Begin(t.Context(), begun, 2); err != nil || rest != nil || string(first) != "bc" {
		t.Errorf("after the first byte: %q, %v, %v", first, rest, err)
	}
	if first, rest, _, err := b.Begin(t.Context(), bucket.NewBytes(text), 2); err != nil || rest == nil || string(first) != "ab" {
		t.Errorf("too long for one request: %q, %v, %v", first, rest, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := b.Begin(over, bucket.NewBytes(text), 3); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPartsFollowUntilTheStoreTakesNoMore(t *testing.T) {
	var b Buffers
	s := Sizes{Parts: 3, Max: 3, GrowAfter: 1, GrowEvery: 1, Word: "pieces"}
	r := strings.NewReader("bbccc")
	for n, want := range []string{"bb", "ccc"} {
		if part, err := b.Next(t.Context(), r, s, 1, n+2); err != nil || string(part) != want {
			t.Fatalf("part %d: %q, %v", n+2, part, err)
		}
	}
	if part, err := b.Next(t.Context(), r, s, 1, 4); part != nil || err != nil {
		t.Errorf("a body that ends there: %q, %v", part, err)
	}
	_, err := b.Next(t.Context(), strings.NewReader("d"), s, 1, 4)
	if err = Error(t.Context(), "o", err); !errors.Is(err, bucket.ErrTooLarge) || !strings.Contains(err.Error(), "longer than 3 pieces hold") {
		t.Errorf("a longer one: %v", err)
	}
}

func TestWhyABodyCannotBeRead(t *testing.T) {
	var b Buffers
	broken := errors.New("broken")
	for _, before := range []string{"", "ab", "abc", "abcd"} {
		_, _, _, err := b.Begin(t.Context(), io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)), 3)
		if len(before) <= 3 && !errors.Is(err, broken) || len(before) > 3 && err != nil {
			t.Errorf("after %q: %v", before, err)
		}
	}
	if err := Error(t.Context(), "o", broken); !errors.Is(err, bucket.ErrInvalid) || !errors.Is(err, broken) {
		t.Error(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, _, err := b.Begin(over, strings.NewReader("abc"), 3)
	if err = Error(over, "o", err); !errors.Is(err, context.Canceled) || errors.Is(err, bucket.ErrInvalid) {
		t.Error(err)
	}
}
