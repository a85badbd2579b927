package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPackageVersionsAreInTheOrderOfTheReleases(t *testing.T) {
	r := release{date: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)}
	for version, want := range map[string]string{
		"v1.2.3":                      "1.2.3",
		"1.2.3":                       "1.2.3",
		"v1.2.3-rc.1":                 "1.2.3~rc.1",
		"v1.2.3-4-g0123456789ab":      "1.2.3+4.0123456789ab",
		"v1.2.3-rc.1-4-g0123456789ab": "1.2.3~rc.1~4~g0123456789ab",
		"0123456789ab":                "0~20261126.0123456789ab",
		"0123456789ab-dirty":          "0~20261126.0123456789ab.dirty",
	} {
		if r.version = version; r.packageVersion() != want {
			t.Errorf("%s is packed as %s, want %s", version, r.packageVersion(), want)
		}
	}
}

// own is the program of this test: a Go program with libraries.
func own(t *testing.T) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestABillNamesWhatIsLinked(t *testing.T) {
	r := release{version: "v1.2.3", out: t.TempDir()}
	if err := r.bill(own(t), "it"); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join(r.out, "it.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.bill(own(t), "again"); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(filepath.Join(r.out, "again.cdx.json")); !bytes.Equal(first, second) {
		t.Error("the second bill differs")
	}
	var bill struct {
		Metadata     struct{ Component component }
		Components   []component
		Dependencies []dependency
	}
	if err := json.Unmarshal(first, &bill); err != nil {
		t.Fatal(err)
	}
	if c := bill.Metadata.Component; c.PURL != "pkg:golang/github.com/pgseal/pgseal@v1.2.3" || len(c.Hashes) != 1 {
		t.Errorf("%+v", c)
	}
	if len(bill.Components) == 0 || bill.Components[0].Name != "std" || !strings.HasPrefix(bill.Components[0].Version, "1.") ||
		len(bill.Dependencies[0].On) != len(bill.Components) {
		t.Errorf("%s", first)
	}
}

func TestAnArchiveHasNothingOfTheMachine(t *testing.T) {
	r := release{date: time.Unix(1795732446, 0).UTC(), out: t.TempDir()}
	if err := r.tar("one", []entry{{name: "b", body: []byte("b")}, {name: "bin/a", body: []byte("a"), program: true}}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(r.out, "one.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() || z.Name != "" {
		t.Errorf("%+v", z.Header)
	}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{"one/b": 0o644, "one/bin/a": 0o755}[h.Name]
		if h.Mode != want || !h.ModTime.Equal(r.date) || h.Uid != 0 || h.Uname != "root" {
			t.Errorf("%+v", h)
		}
	}
	if err := r.sums(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(r.out, "SHA256SUMS")); err != nil || !strings.HasSuffix(string(text), "  one.tar.gz\n") {
		t.Errorf("%s %v", text, err)
	}
}
