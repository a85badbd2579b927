package option

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/commands.md anew")

// commandsPage is what docs/commands.md has to be.
func commandsPage() string {
	var b strings.Builder
	b.WriteString("# Commands\n\n" +
		"<!-- Made from the option table: go test ./uploader/option -run CommandsPage -update -->\n\n" +
		"Options may stand before or after the arguments, and long names may be shortened as long as they stay\n" +
		"unambiguous. An option on the command line wins over its environment variable. Exit codes:\n" +
		"[operations.md](operations.md#exit-codes).\n\n")
	for _, c := range Commands {
		b.WriteString("- [pgseal " + c.Name + "](#pgseal-" + c.Name + "): " + c.Summary + "\n")
	}
	for _, c := range Commands {
		b.WriteString("\n" + Markdown(c))
	}
	return b.String()
}

func TestTheCommandsPageSaysWhatTheTableSays(t *testing.T) {
	const page = "../../docs/commands.md"
	want := commandsPage()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is not what the option table says: go test ./uploader/option -run CommandsPage -update", page)
	}
}
