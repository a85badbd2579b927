package buckettest

import (
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

var versionCases = []testCase{
	{"a version that never was is not found", func(t *testing.T, s suite) {
		b := s.Open(t)
		create(t, b, "k", content(1, 10), bucket.CreateOptions{})
		version := create(t, b, "other", content(2, 10), bucket.CreateOptions{}).Version
		if version == "" {
			version = "1"
		}
		if _, err := b.Stat(t.Context(), "k", version); !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Stat = %v, want ErrNotFound", err)
		}
		if _, _, err := b.Open(t.Context(), "k", version, 0, -1); !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Open = %v, want ErrNotFound", err)
		}
	}},
	{"a version can be read as long as it stands", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 1000)
		made := create(t, b, "k", body, bucket.CreateOptions{})
		wantBody(t, b, "k", made.Version, body)
		wantSame(t, "Stat", stat(t, b, "k", made.Version), made)
	}},
	{"each version is listed once with what identifies it", func(t *testing.T, s suite) {
		b := s.Open(t)
		made := map[string]bucket.Object{}
		for i, key := range []string{"a", "b/c", "b/d"} {
			made[key] = create(t, b, key, content(i, 100+i), bucket.CreateOptions{})
		}
		all := collect(t, b.ListVersions(t.Context(), ""))
		wantKeys(t, "ListVersions", keys(all), []string{"a", "b/c", "b/d"})
		for _, v := range all {
			if v.CRC32C == "" {
				v.CRC32C = made[v.Key].CRC32C
			}
			wantSame(t, "ListVersions", v, made[v.Key])
			if !v.Latest || v.DeleteMarker {
				t.Errorf("%+v: want Latest and no delete marker", v)
			}
		}
	}},
	{"an overwrite in the vault is refused or lands on top", func(t *testing.T, s suite) {
		s.need(t, "Overwrite", s.Overwrite != nil)
		b := s.Open(t)
		body, other := content(1, 500), content(2, 600)
		made := create(t, b, "k", body, bucket.CreateOptions{RetainUntil: s.until(1)})
		err := s.Overwrite(t.Context(), b, "k", other)
		wantBody(t, b, "k", made.Version, body)
		all := collect(t, b.ListVersions(t.Context(), "k"))
		if s.Keeps == KeepsName {
			if err == nil {
				t.Error("the store let a locked object be overwritten")
			}
			wantSame(t, "Stat", stat(t, b, "k", ""), made)
			if len(all) != 1 {
				t.Errorf("ListVersions = %+v, want one", all)
			}
			return
		}
		if err != nil {
			t.Fatalf("overwrite: %v", err)
		}
		if len(all) != 2 {
			t.Fatalf("ListVersions = %+v, want two", all)
		}
		if all[0].Size != 600 || !all[0].Latest || all[1].Latest || all[1].Version != made.Version {
			t.Errorf("ListVersions = %+v, want the newest first and %q second", all, made.Version)
		}
		wantBody(t, b, "k", "", other)
		// Whether it is the latest, S3 does not tell of a single version.
		wantSame(t, "Stat of the old version", stat(t, b, "k", made.Version), made)
		wantKeys(t, "List", keys(collect(t, b.List(t.Context(), ""))), []string{"k"})
	}},
	{"a delete of a locked object is refused or hides it", func(t *testing.T, s suite) {
		s.need(t, "Delete", s.Delete != nil)
		b := s.Open(t)
		body := content(1, 500)
		made := create(t, b, "k", body, bucket.CreateOptions{RetainUntil: s.until(1)})
		if err := s.Delete(t.Context(), b, "k", made.Version); err == nil {
			t.Error("the store let a locked object be deleted")
		}
		wantBody(t, b, "k", made.Version, body)
		if s.Keeps == KeepsName {
			return
		}
		if err := s.Delete(t.Context(), b, "k", ""); err != nil {
			t.Fatalf("delete without a version: %v", err)
		}
		wantBody(t, b, "k", made.Version, body)
		if _, err := b.Stat(t.Context(), "k", ""); !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Stat over a delete marker = %v, want ErrNotFound", err)
		}
		if _, _, err := b.Open(t.Context(), "k", "", 0, -1); !isKind(err, bucket.ErrNotFound) {
			t.Errorf("Open over a delete marker = %v, want ErrNotFound", err)
		}
		wantKeys(t, "List", keys(collect(t, b.List(t.Context(), ""))), nil)
		all := collect(t, b.ListVersions(t.Context(), ""))
		if len(all) == 1 && !all[0].DeleteMarker {
			return // a store that hides without a marker (Azure)
		}
		if len(all) != 2 || !all[0].DeleteMarker || all[1].DeleteMarker || all[1].Version != made.Version {
			t.Errorf("ListVersions = %+v, want a delete marker over %q", all, made.Version)
		}
	}},
}
