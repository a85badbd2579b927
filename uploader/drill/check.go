package drill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// verify holds every file against PostgreSQL's own manifest of the backup, before the server changes them.
func (h *held) verify(ctx context.Context) (string, error) {
	if _, err := os.Stat(filepath.Join(h.scratch.data(), "backup_manifest")); err != nil {
		return "", &skip{"the backup holds no backup_manifest"}
	}
	if !h.programs.has("pg_verifybackup") {
		return "", &skip{"there is no pg_verifybackup in " + h.programs.Dir}
	}
	return "", h.program(ctx, "pg_verifybackup", "--no-parse-wal", "--quiet", h.scratch.data())
}

// amcheck looks through tables and indexes.
func (h *held) amcheck(ctx context.Context) (string, error) {
	switch {
	case h.Amcheck == No:
		return "", &skip{"--no-amcheck"}
	case !h.programs.has("pg_amcheck"):
		return "", &skip{"there is no pg_amcheck in " + h.programs.Dir}
	}
	conn, err := h.connect(ctx, "template1")
	if err != nil {
		return "", h.failed("connect", err)
	}
	var there bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck')").Scan(&there)
	_ = conn.Close(ctx) // nothing was begun in it
	switch {
	case err != nil:
		return "", h.failed("look for amcheck", err)
	case !there && h.Amcheck == Yes:
		return "", fmt.Errorf("%w: the extension amcheck is not installed beside %s; install the contrib package, or leave --amcheck out", ErrPrograms, h.programs.Dir)
	case !there:
		return "", &skip{"the extension amcheck is not installed"}
	}
	err = h.program(ctx, "pg_amcheck", "--all", "--install-missing", "--no-password", "--jobs", fmt.Sprint(max(h.Jobs, 1)),
		"--host", h.scratch.dir, "--port", fmt.Sprint(port), "--username", h.User)
	var bad *failure
	if errors.As(err, &bad) && h.server.gone() {
		bad.text += "; PostgreSQL ended: " + h.server.last()
	}
	return "", err
}

// program runs one of PostgreSQL's programs. What it says, when it does not end well, is what is wrong with the backup.
func (h *held) program(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, h.programs.path(name), args...)
	said := &head{}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = h.scratch.dir, environment("PGOPTIONS="+h.session(), "LC_ALL=C"), said, said
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit):
		return &failure{fmt.Sprintf("%s: %v: %s", name, exit, said.line())}
	}
	return err
}

// head keeps the beginning of what a program says: the first complaint says most.
type head struct{ bytes.Buffer }

const maxHead = 1500

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), max(0, maxHead-h.Len()))])
	return len(p), nil
}

func (h *head) line() string { return lastLines(h.String(), maxHead) }
