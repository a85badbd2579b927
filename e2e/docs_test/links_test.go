package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/uploader/option"
)

// pages are all pages that people read, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "terraform/*/*.md", "terraform/*/examples/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[path] = string(text)
		}
	}
	return all
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	unsaid  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Every link from page to page leads somewhere, to its heading too.
func TestLinks(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for path, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, ":") {
				continue // not ours
			}
			target := path
			if to != "" {
				target = filepath.Join(filepath.Dir(path), to)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", path, m[1])
				continue
			}
			found := anchor == ""
			for _, h := range heading.FindAllStringSubmatch(all[target], -1) {
				found = found || strings.ReplaceAll(unsaid.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == anchor
			}
			if !found {
				t.Errorf("%s: %s has no heading %q", path, target, anchor)
			}
		}
	}
}

var (
	continued = regexp.MustCompile(`\\\n\s*`)
	command   = regexp.MustCompile(`(?m)^(?:    |   |)((?:pgseal|barman-cloud-[a-z-]+) [^\n]*)$`)
	ends      = regexp.MustCompile(`^(#|\|\||&&|>|\|)`) // a word that is not quoted
	word      = regexp.MustCompile(`(?:'[^']*'|"[^"]*"|\$\([^)]*\)|[^\s'"$])+`)
)

// Every command line of ours, on whatever page, has a command and options that there are, and arguments in their places.
func TestCommandLines(t *testing.T) {
	t.Parallel()
	checked := 0
	for path, text := range pages(t) {
		inBlock := false
		for l := range strings.Lines(continued.ReplaceAllString(text, "")) {
			if strings.HasPrefix(strings.TrimLeft(l, " "), "```") {
				inBlock = !inBlock
			}
			m := command.FindStringSubmatch(strings.TrimSuffix(l, "\n"))
			if m == nil || !inBlock && !strings.HasPrefix(l, "    ") {
				continue
			}
			var argv []string
			for _, w := range word.FindAllString(m[1], -1) {
				if ends.MatchString(w) {
					break
				}
				argv = append(argv, strings.Trim(w, `'"`))
			}
			if len(argv) == 1 || strings.Contains(m[1], "        ") || strings.Contains(m[1], "-->") {
				continue // a picture
			}
			if cmd, _, args, err := option.Find(argv); err != nil {
				t.Errorf("%s: %s: %v", path, m[1], err)
			} else if _, err := cmd.Parse(args, func(string) (string, bool) { return "", false }); err != nil {
				t.Errorf("%s: %s: %v", path, m[1], err)
			} else {
				checked++
			}
		}
	}
	t.Logf("%d command lines", checked)
	if checked < 30 {
		t.Error("most command lines were not recognised")
	}
}
