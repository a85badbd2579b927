package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
)

// block is a fenced block of a page. The words after its language say what a test does with it:
//
//	sh operator          commands of whoever sets things up, in a clone of the repository
//	sh host              commands on the database host, as PostgreSQL's user
//	sh restore           commands on the host that is to have the database
//	conf postgresql.conf lines for the server, which is started again with them
//	text                 what is printed, and not run
type block struct {
	language, who string
	text          string
	line          int // of the page
}

// blocks are all fenced blocks of a page of docs/. Every command of the page is in one: an indented block is nobody's, and an
// error, as is a block that does not say who runs it.
func blocks(t *testing.T, page string) (all []block) {
	t.Helper()
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var in *block
	for n, line := range strings.Split(string(text), "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimLeft(line, " "), "```")
		switch {
		case isFence && in == nil:
			language, who, _ := strings.Cut(fence, " ")
			in = &block{language: language, who: who, line: n + 1}
		case isFence:
			all = append(all, *in)
			in = nil
		case in != nil:
			in.text += strings.TrimPrefix(line, "   ") + "\n"
		case strings.HasPrefix(line, "        "):
			t.Errorf("%s:%d: an indented block, which nobody runs", page, n+1)
		}
	}
	if in != nil {
		t.Fatalf("%s:%d: a block without an end", page, in.line)
	}
	return all
}
