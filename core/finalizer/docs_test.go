package finalizer

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/manifest"
)

func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var codePattern = regexp.MustCompile(`(?:reason|c\.add)\("([a-z-]+)"|(?:Code: |Problem\{)"([a-z-]+)"`)

func TestEveryReasonClassAndSettingStandsInTheOperationsPage(t *testing.T) {
	operations := page(t, "operations.md")
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	chain, err := filepath.Glob("../walchain/*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, chain...)
	words := []string{EnvWALCheck, EnvWALDeadline, EnvMinRetention, EnvSealLock, EnvAbandonAfter, EnvDeadline, EnvEncryption,
		string(Abandoned), string(Tampered), string(Damaged), string(Sealed), string(Waiting), string(Rejected), string(Conflict)}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codePattern.FindAllStringSubmatch(string(source), -1) {
			words = append(words, m[1]+m[2])
			found++
		}
	}
	if found < 20 {
		t.Fatalf("only %d reasons found in the sources", found)
	}
	for _, word := range words {
		if !strings.Contains(operations, "`"+word+"`") {
			t.Errorf("docs/operations.md does not explain `%s`", word)
		}
	}
	for _, class := range []Class{ClassManifest, ClassSet, ClassTime, ClassRetention, ClassWAL, ClassSeal} {
		if !strings.Contains(operations, "\n### class "+string(class)+"\n") {
			t.Errorf("docs/operations.md has no section on class %s", class)
		}
	}
}

func TestEveryFieldThatIsStoredStandsInTheFormatsPage(t *testing.T) {
	formats := page(t, "formats.md")
	for _, part := range []struct {
		prefix string
		value  any
	}{
		{"", manifest.Manifest{}}, {"cluster.", manifest.Cluster{}}, {"", manifest.Tablespace{}}, {"", manifest.Point{}},
		{"objects.", manifest.Object{}}, {"", manifest.Marker{}}, {"", manifest.Progress{}},
		{"", SweepRecord{}}, {"", sweepNotes{}}, {"", note{}}, {"", sweepCursor{}},
		{"", Verdict{}}, {"", Reason{}}, {"", WAL{}}, {"receipt.", Receipt{}},
	} {
		for field := range reflect.TypeOf(part.value).Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !field.IsExported() {
				continue
			}
			if !strings.Contains(formats, "`"+part.prefix+name+"`") {
				t.Errorf("docs/formats.md does not explain `%s%s`", part.prefix, name)
			}
		}
	}
}
