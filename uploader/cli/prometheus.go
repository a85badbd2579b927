package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/option"
)

// checkTextfile: node_exporter's textfile collector reads files of this ending only, and ignores others without a word.
func checkTextfile(path string) error {
	if filepath.Ext(path) != ".prom" {
		return option.Errorf("--prometheus %s: node_exporter reads files that end in .prom", path)
	}
	return nil
}

// writeTextfile puts the catalogue under its name at once, by a rename: the collector never reads half of it.
func writeTextfile(path string, c *catalog.Catalog) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	// The exporter runs as somebody else.
	if err := errors.Join(c.WritePrometheus(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
