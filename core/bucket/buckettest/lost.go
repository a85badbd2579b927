package buckettest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

var lostCases = []testCase{
	{"CreateOrMatch succeeds though the answer was lost", func(t *testing.T, s suite) {
		s.need(t, "LoseAnswer", s.LoseAnswer != nil)
		b := s.Open(t)
		body := content(1, 300)
		s.LoseAnswer(t, b, "k")
		got, err := bucket.CreateOrMatch(t.Context(), b, "k", body, bucket.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "CreateOrMatch", got, stat(t, b, "k", ""))
		wantBody(t, b, "k", "", body)
		wantOneVersion(t, b, "k")
	}},
	{"CreateStream succeeds though the answer was lost", func(t *testing.T, s suite) {
		s.need(t, "LoseAnswer", s.LoseAnswer != nil)
		b := s.Open(t)
		for key, n := range map[string]int{"one-part": 300, "parts": int(s.PartSize) + 1} {
			body := content(n, n)
			s.LoseAnswer(t, b, key)
			got, err := bucket.CreateStream(t.Context(), b, key, bytes.NewReader(body), bucket.CreateOptions{PartSize: s.PartSize})
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			wantSame(t, key, got, stat(t, b, key, ""))
			wantBody(t, b, key, "", body)
			wantOneVersion(t, b, key)
		}
		s.wantNoUploads(t, b)
	}},
	{"a plain create whose answer was lost does not claim success for others' bytes", func(t *testing.T, s suite) {
		s.need(t, "LoseAnswer", s.LoseAnswer != nil)
		b := s.Open(t)
		body := content(1, 300)
		create(t, b, "k", body, bucket.CreateOptions{})
		s.LoseAnswer(t, b, "k")
		_, err := bucket.CreateOrMatch(t.Context(), b, "k", content(2, 300), bucket.CreateOptions{})
		if !errors.Is(err, bucket.ErrDiffers) {
			t.Errorf("%v, want ErrDiffers", err)
		}
		wantBody(t, b, "k", "", body)
	}},
}
