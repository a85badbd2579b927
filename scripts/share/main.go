// Command share writes what packages put below /usr/share: the manual, and the files with which shells complete pgseal's
// command line, all made from the option table.
//
//	go run ./scripts/share dist/share 1.2.3 2026-11-26
//
// What goes with pgseal is written below dist/share/pgseal; what goes with links of barman's names to it, below
// dist/share/barman.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pgseal/pgseal/uploader/option"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: share DIRECTORY RELEASE DATE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "share:", err)
		os.Exit(1)
	}
}

func write(dir, release, date string) error {
	pages, pageLinks := option.ManPages(release, date)
	files, fileLinks := option.Completions()
	for below, set := range map[string]struct {
		pages []option.ManPage
		files []option.Completion
	}{"pgseal": {pages, files}, "barman": {pageLinks, fileLinks}} {
		for _, p := range set.pages {
			set.files = append(set.files, option.Completion{Path: "man/man1/" + p.Name + ".1", Text: p.Text})
		}
		for _, f := range set.files {
			name := filepath.Join(dir, below, filepath.FromSlash(f.Path))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(name, []byte(f.Text), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
