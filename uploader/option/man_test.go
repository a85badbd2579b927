package option

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheManualIsWellFormed asks mandoc, with every level of its complaints.
func TestTheManualIsWellFormed(t *testing.T) {
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		t.Fatalf("%v: scripts/install-deps test", err)
	}
	dir := t.TempDir()
	pages, links := ManPages("1.2.3", "2026-11-26")
	if len(pages) != len(Commands)+1 || len(links) != len(barmanNames()) {
		t.Errorf("%d pages and %d links", len(pages), len(links))
	}
	var paths []string
	for _, p := range append(pages, links...) {
		path := filepath.Join(dir, "man1", p.Name+".1")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(p.Text), 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	lint := exec.Command(mandoc, append([]string{"-Tlint", "-Wall"}, paths[:len(pages)]...)...)
	lint.Dir = dir
	if out, err := lint.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}

	text := func(name string) string {
		show := exec.Command(mandoc, "-Tascii", "-Owidth=200", filepath.Join("man1", name+".1"))
		show.Dir = dir
		out, err := show.Output()
		if err != nil {
			t.Fatal(err)
		}
		var plain []byte // without the overstrikes that make bold
		for _, c := range out {
			if c == '\b' {
				plain = plain[:len(plain)-1]
			} else {
				plain = append(plain, c)
			}
		}
		return strings.Join(strings.Fields(string(plain)), " ")
	}
	for _, c := range Commands {
		page := text("pgseal-" + c.Name)
		says := []string{c.Summary, c.Description}
		for _, o := range c.shown() {
			says = append(says, signature(o)+" "+o.explanation())
		}
		for _, a := range c.Args {
			says = append(says, a.Help)
		}
		for _, s := range says {
			if !strings.Contains(page, strings.Join(strings.Fields(s), " ")) {
				t.Errorf("the page of %s does not say %q", c.Name, s)
			}
		}
		if c.Barman != "" && text(c.Barman) != page {
			t.Errorf("%s(1) is not pgseal-%s(1)", c.Barman, c.Name)
		}
	}
}

func TestTheManualKnowsTheExitCodes(t *testing.T) {
	pages, _ := ManPages("1", "2026-11-26")
	says := func(page ManPage, code string) int {
		_, exits, _ := strings.Cut(page.Text, ".SH \"EXIT STATUS\"")
		return strings.Count(exits, "\n.B \""+code+"\"\n")
	}
	for _, code := range []string{"0", "1", "2", "3", "4", "10", "11", "12", "13", "14", "255"} {
		if says(pages[0], code) != 1 {
			t.Errorf("pgseal(1) does not explain exit code %s once", code)
		}
	}
	for i, c := range Commands {
		want := 0
		if c.option("test") != nil || c.id&plugins != 0 {
			want = 1
		}
		if got := says(pages[i+1], "2"); got != want || says(pages[i+1], "0") != 1 || says(pages[i+1], "3") != 1 {
			t.Errorf("the exit codes of %s are wrong: 2 is there %d times", c.Name, got)
		}
	}
}
