package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/version"
	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/report"
)

// maxServers bounds a page; who writes to a vault can make many directories.
const maxServers = 200

// makeReport is "pgseal report". What could not be read of one server stands on the page, and makes the exit code 1; the
// page of the others is written all the same.
func makeReport(ctx context.Context, v *option.Values, env *Env) error {
	config, err := finalizer.ConfigFromEnv(func(name string) string { value, _ := env.Lookup(name); return value })
	if err != nil {
		return option.Errorf("%v", err)
	}
	wait, err := abandonAfter(env)
	if err != nil {
		return err
	}
	names := []string{v.Arg("SERVER")}
	if names[0] != "" {
		if err := layout.CheckServer(names[0]); err != nil {
			return option.Errorf("%v", err)
		}
	}
	vault, staging, err := openForReading(ctx, v)
	if err != nil {
		return err
	}
	if names[0] == "" {
		if names, err = serversOf(ctx, vault, staging); err != nil {
			return err
		}
	}
	now := env.Now().UTC().Truncate(time.Second)
	at := func() time.Time { return now } // one moment for the whole page
	r := report.Report{Vault: vault.URL(), At: now, Version: version.String(), MaxAge: v.Duration("max-age")}
	if staging != nil {
		r.Staging = staging.URL()
	}
	var failed []error
	for _, name := range names {
		s := report.Server{Name: name}
		reader := catalog.Reader{Vault: vault, Staging: staging, Server: name, AbandonAfter: wait, Now: at, Flags: storeFlags(v, env), Decompress: codec.Decompress}
		if s.Catalog, s.Err = reader.Read(ctx); s.Err == nil {
			auditor := audit.Auditor{Vault: vault, Server: name, Encryption: config.Encryption, Decompress: codec.Decompress, Now: at}
			s.Audit, s.AuditErr = auditor.Audit(ctx)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := errors.Join(s.Err, s.AuditErr); err != nil {
			failed = append(failed, fmt.Errorf("server %s: %w", name, err))
		}
		r.Servers = append(r.Servers, s)
	}
	var page bytes.Buffer
	if err := report.Write(&page, r); err != nil {
		return err
	}
	if err := writePage(v.String("output"), page.Bytes(), env.Stdout); err != nil {
		return err
	}
	return errors.Join(failed...)
}

// serversOf finds the servers that have something in vault or staging.
func serversOf(ctx context.Context, places ...bucket.Bucket) (names []string, err error) {
	for _, place := range places {
		if place == nil {
			continue
		}
		for name, err := range place.Dirs(ctx, "") {
			if err != nil {
				return nil, fmt.Errorf("list the servers: %w", err)
			}
			if layout.CheckServer(name) != nil || slices.Contains(names, name) {
				continue
			}
			if names = append(names, name); len(names) > maxServers {
				return nil, fmt.Errorf("there are more than %d servers in %s: name one", maxServers, place.URL())
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// writePage puts the page into a file at once, so that a web server never shows half of one; "" and "-" are the standard
// output, and what is no file (a pipe, /dev/null) is written to as it is.
func writePage(name string, page []byte, stdout io.Writer) error {
	if name == "" || name == "-" {
		_, err := stdout.Write(page)
		return err
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory: name a file in it", name)
	case !info.Mode().IsRegular():
		return os.WriteFile(name, page, 0o666)
	default:
		if name, err = filepath.EvalSymlinks(name); err != nil { // a link stays one
			return err
		}
	}
	return replaceFile(name, page)
}

func replaceFile(name string, page []byte) (err error) {
	// As the umask says, unlike os.CreateTemp: a web server may have to read it.
	tmp := fmt.Sprintf("%s.%d.tmp", name, os.Getpid())
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp))
		}
	}()
	_, err = f.Write(page)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}
