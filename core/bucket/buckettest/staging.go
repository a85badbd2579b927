package buckettest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

var stagingCases = []testCase{
	{"staging tells that it does not lock", func(t *testing.T, s suite) {
		l, err := s.OpenStaging(t).Lock(t.Context())
		if err != nil || l.Enabled || l.Default != 0 {
			t.Errorf("Lock = %+v, %v; want none", l, err)
		}
	}},
	{"Put stores and replaces", func(t *testing.T, s suite) {
		b := s.OpenStaging(t)
		for i, n := range []int{100, 300, 0, 50, 50} {
			body := content(i, n)
			made, err := b.Put(t.Context(), "verdict/s/1.json", body)
			if err != nil {
				t.Fatal(err)
			}
			if made.Size != int64(n) || made.CRC32C != crc32c(body) || made.Key != "verdict/s/1.json" {
				t.Errorf("Put = %+v, want size %d and CRC-32C %s", made, n, crc32c(body))
			}
			wantBody(t, b, "verdict/s/1.json", "", body)
			wantSame(t, "Stat", stat(t, b, "verdict/s/1.json", ""), made)
		}
		wantKeys(t, "List", keys(collect(t, b.List(t.Context(), ""))), []string{"verdict/s/1.json"})
	}},
	{"Put replaces what a create made", func(t *testing.T, s suite) {
		b := s.OpenStaging(t)
		create(t, b, "k", content(1, 100), bucket.CreateOptions{Metadata: map[string]string{"a": "b"}})
		if _, err := b.Put(t.Context(), "k", content(2, 70)); err != nil {
			t.Fatal(err)
		}
		wantBody(t, b, "k", "", content(2, 70))
		if st := stat(t, b, "k", ""); st.CRC32C != crc32c(content(2, 70)) || len(st.Metadata) != 0 {
			t.Errorf("Stat = %+v, want only what Put stored", st)
		}
	}},
	{"a create is exclusive in staging too", func(t *testing.T, s suite) {
		b := s.OpenStaging(t)
		if _, err := b.Put(t.Context(), "k", content(1, 100)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Create(t.Context(), "k", bytes.NewReader(content(2, 100)), bucket.CreateOptions{}); !isKind(err, bucket.ErrExists) {
			t.Errorf("Create = %v, want ErrExists", err)
		}
		if _, err := bucket.CreateOrMatch(t.Context(), b, "k", content(2, 100), bucket.CreateOptions{}); !errors.Is(err, bucket.ErrDiffers) {
			t.Errorf("CreateOrMatch = %v, want ErrDiffers", err)
		}
		wantBody(t, b, "k", "", content(1, 100))
	}},
	{"racing Puts leave one of the bodies whole", func(t *testing.T, s suite) {
		b := s.OpenStaging(t)
		for _, err := range atOnce(8, func(i int) error {
			_, err := b.Put(t.Context(), "k", content(i, 200))
			return err
		}) {
			if err != nil && !bucket.Retryable(err) {
				t.Errorf("Put = %v", err)
			}
		}
		got, _ := read(t, b, "k", "", 0, -1)
		if st := stat(t, b, "k", ""); len(got) != 200 || st.CRC32C != crc32c(got) {
			t.Errorf("%d bytes with CRC-32C %s, Stat says %+v", len(got), crc32c(got), st)
		}
	}},
	{"retention is refused where there is no lock", func(t *testing.T, s suite) {
		b := s.OpenStaging(t)
		_, err := b.Create(t.Context(), "k", bytes.NewReader(content(1, 10)), bucket.CreateOptions{RetainUntil: s.until(2)})
		if !isKind(err, bucket.ErrInvalid) {
			t.Errorf("Create = %v, want ErrInvalid", err)
		}
		s.wantNothing(t, b, "k")
		create(t, b, "k", content(1, 10), bucket.CreateOptions{})
		if err := b.Retain(t.Context(), "k", "", s.until(2)); !isKind(err, bucket.ErrInvalid) {
			t.Errorf("Retain = %v, want ErrInvalid", err)
		}
	}},
}
