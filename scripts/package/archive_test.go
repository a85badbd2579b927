package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAnArchiveIsAFunctionOfItsFiles(t *testing.T) {
	dir := t.TempDir()
	a, b := file{"a/x.json", []byte("{}"), false}, file{"handler", bytes.Repeat([]byte("program"), 1000), true}
	one, two := filepath.Join(dir, "one.zip"), filepath.Join(dir, "below", "two.zip")
	first, err := pack(one, []file{a, b})
	if err != nil {
		t.Fatal(err)
	}
	second, err := pack(two, []file{b, a})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := os.ReadFile(one)
	y, _ := os.ReadFile(two)
	if len(x) == 0 || !bytes.Equal(x, y) || !bytes.Equal(first, second) {
		t.Errorf("%x and %x, %d and %d bytes", first, second, len(x), len(y))
	}
	z, err := zip.NewReader(bytes.NewReader(x), int64(len(x)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ name, mode string }{{"a/x.json", "-rw-r--r--"}, {"handler", "-rwxr-xr-x"}} {
		f := z.File[i]
		if f.Name != want.name || f.Mode().String() != want.mode || !f.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s %s %s", f.Name, f.Mode(), f.Modified)
		}
	}
	if _, err := pack(one, []file{a, a}); err == nil {
		t.Error("one name twice")
	}
}

func TestTheAzureAppHasItsTriggers(t *testing.T) {
	program := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(program, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := azure("../../functions/azure", program)
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	if got := strings.Join(names, " "); err != nil || got != "handler host.json finalize/function.json sweep/function.json" {
		t.Error(got, err)
	}
	if _, err := azure(t.TempDir(), program); err == nil {
		t.Error("packed without host.json")
	}
}

func TestModulesWithoutPackagesGo(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m.example/m\n\ngo 1.26.0\n\nrequire (\n\ta.example/used v1.0.0\n\tb.example/unused v1.0.0\n\tc.example/deep v1.0.0 // indirect\n)\n",
		"go.sum": "a.example/used v1.0.0 h1:a=\nb.example/unused v1.0.0 h1:b=\nc.example/deep v1.0.0/go.mod h1:c=\n",
		"vendor/modules.txt": "# a.example/used v1.0.0\n## explicit; go 1.20\na.example/used\na.example/used/below\n" +
			"# b.example/unused v1.0.0\n## explicit\n# c.example/deep v1.0.0\n## explicit\nc.example/deep\n",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := prune(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum", "vendor/modules.txt"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if s := string(text); err != nil || strings.Contains(s, "b.example") || !strings.Contains(s, "a.example") || !strings.Contains(s, "c.example") {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
}

func TestLicencesStay(t *testing.T) {
	for name, want := range map[string]bool{
		"vendor/x/LICENSE": true, "vendor/x/LICENSE.md": true, "vendor/x/NOTICE.txt": true, "vendor/modules.txt": true, "go.mod": true,
		"vendor/x/a.go": true, "vendor/x/a_amd64.s": true, "vendor/x/README.md": false, "vendor/x/go.mod": false, "vendor/x/Makefile": false,
	} {
		if needed(name) != want {
			t.Error(name)
		}
	}
}
