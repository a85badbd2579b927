package option

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// share lays the completion files out as packages do, with those of barman's names.
func share(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, links := Completions()
	for _, f := range append(files, links...) {
		name := filepath.Join(dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(f.Text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shell runs a script; what it prints on standard error is a failure.
func shell(t *testing.T, dir, stdin, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%v: scripts/install-deps test", err)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("%s: %v\n%s%s", name, err, out, errs.String())
	}
	return string(out)
}

// asked is what is typed up to where the tab key is pressed; want has to be offered, and not must not.
var asked = []struct {
	name      string
	words     []string // as bash takes them apart; the last is the one to complete
	want, not string
}{
	{"a command", []string{"pgseal", "wal-r"}, "wal-restore", "backup"},
	{"a command after help", []string{"pgseal", "help", "fin"}, "finalize", "backup"},
	{"an option", []string{"pgseal", "status", "--form"}, "--format", "--check"},
	{"an option behind arguments", []string{"pgseal", "backup", "s3", ":", "//b/p", "main", "--immediate"}, "--immediate-checkpoint", "--jobs"},
	{"a word of a choice", []string{"pgseal", "status", "--format", "j"}, "json", "console"},
	{"a word of a choice after an equals sign", []string{"pgseal", "status", "--format", "=", "j"}, "json", "console"},
	{"every word of a choice", []string{"pgseal", "status", "--format", "="}, "console", "--check"},
	{"a directory, and no file", []string{"pgseal", "restore", "u", "s", "latest", "here"}, "heredir", "herefile"},
	{"a directory for an option", []string{"pgseal", "wal-restore", "--spool-directory", "here"}, "heredir", "herefile"},
	{"a file", []string{"pgseal", "wal-archive", "u", "s", "heref"}, "herefile", "heredir"},
	{"barman's name", []string{"barman-cloud-backup", "--imm"}, "--immediate-checkpoint", "--jobs"},
	{"barman's name with a path", []string{"/usr/bin/barman-cloud-wal-archive", "u", "s", "heref"}, "herefile", "heredir"},
}

func TestBashCompletes(t *testing.T) {
	dir := share(t)
	lay(t, dir)
	for _, tt := range asked {
		t.Run(tt.name, func(t *testing.T) {
			script := "compopt() { :; }\nsource bash-completion/completions/pgseal\nCOMP_WORDS=("
			for _, w := range tt.words {
				script += inShell(w) + " "
			}
			script += ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_pgseal\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"
			offered := strings.Fields(shell(t, dir, script, "bash", "--norc", "-u"))
			if !slices.Contains(offered, tt.want) || slices.Contains(offered, tt.not) {
				t.Errorf("%q are offered, want %s and not %s", offered, tt.want, tt.not)
			}
		})
	}
}

// TestBashLeavesBarmanAlone: the names of barman are completed where they are links to pgseal, and nowhere else.
func TestBashLeavesBarmanAlone(t *testing.T) {
	dir := share(t)
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pgseal", "barman-cloud-restore"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("pgseal", filepath.Join(bin, "barman-cloud-backup")); err != nil {
		t.Fatal(err)
	}
	script := "PATH=$PWD/bin:$PATH\nsource bash-completion/completions/barman-cloud-backup\ncomplete -p\n"
	has := shell(t, dir, script, "bash", "--norc")
	if !strings.Contains(has, "-F _pgseal pgseal\n") || !strings.Contains(has, "-F _pgseal barman-cloud-backup\n") || strings.Contains(has, "barman-cloud-restore") {
		t.Error(has)
	}
}

func TestFishCompletes(t *testing.T) {
	dir := share(t)
	lay(t, dir)
	for _, tt := range asked {
		if strings.Contains(tt.name, "help") || strings.HasSuffix(tt.name, "path") {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			line := typed(tt.words)
			script := "source fish/vendor_completions.d/" + tt.words[0] + ".fish; complete -C " + inShell(line)
			var offered []string
			for l := range strings.Lines(shell(t, dir, "", "fish", "--no-config", "-c", script)) {
				word, _, _ := strings.Cut(strings.TrimSpace(l), "\t")
				offered = append(offered, strings.TrimSuffix(strings.TrimPrefix(word, "--format="), "/"))
			}
			if !slices.Contains(offered, tt.want) || slices.Contains(offered, tt.not) {
				t.Errorf("%q are offered, want %s and not %s", offered, tt.want, tt.not)
			}
		})
	}
}

// TestZshCompletes types into a real line editor, presses tab and then enter: what runs is a function that shows its
// arguments.
func TestZshCompletes(t *testing.T) {
	dir := share(t)
	lay(t, dir)
	var script strings.Builder
	script.WriteString(`zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; fpath=($PWD/zsh/vendor-completions $fpath); autoload -Uz compinit; compinit -u -D; bindkey "^I" complete-word; pgseal() { print -r "ran:$0 ${(j: :)@}:" }; functions[barman-cloud-backup]=$functions[pgseal]; print rea""dy'
zpty -r z seen '*ready*'
`)
	var want []string
	for _, tt := range asked {
		// What is ambiguous stays as it was typed, and zsh has no tab for a whole path.
		if strings.HasPrefix(tt.name, "every") || strings.HasSuffix(tt.name, "path") {
			continue
		}
		line := typed(tt.words)
		last := tt.words[len(tt.words)-1]
		script.WriteString("zpty -n -w z " + inShell(line) + "$'\\t\\n'\nzpty -r z seen $'*ran:*:\\r*'\nprint -r -- ${${seen##*ran:}%%:$'\\r'*}\n")
		want = append(want, strings.TrimSuffix(line, last)+tt.want)
	}
	got := strings.Split(strings.TrimSpace(shell(t, dir, "", "timeout", "60", "zsh", "-f", "-c", script.String())), "\n")
	for i, w := range want {
		if i >= len(got) || strings.TrimSuffix(strings.TrimSpace(got[i]), "/") != w {
			t.Fatalf("after tab, line %d of\n%s\nis not\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// typed puts together again what bash took apart.
func typed(words []string) string {
	return strings.NewReplacer(" : ", ":", " = ", "=", " =", "=").Replace(strings.Join(words, " "))
}

func lay(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "heredir"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "herefile"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
}
