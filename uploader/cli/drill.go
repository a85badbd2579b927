package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/proof"
	"github.com/pgseal/pgseal/core/version"
	"github.com/pgseal/pgseal/uploader/drill"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/restore"
)

// holdDrill is "pgseal drill".
func holdDrill(ctx context.Context, v *option.Values, env *Env) error {
	c, err := drillConfig(ctx, v, env)
	if err != nil {
		return err
	}
	line, log := startProgressLine(env, "restoring", c.Server, c.Progress.Copying.Load, func(took time.Duration) string {
		read, total := c.Progress.Read.Load(), c.Progress.Total.Load()
		return fmt.Sprintf("%s of %s (%d%%)", sizeText(read), sizeText(total), 100*read/max(total, 1)) + rateText(read, total, took)
	})
	c.Log = log
	p, err := drill.Run(ctx, c)
	line.stop()
	if err != nil {
		return err
	}
	if err := tellDrill(env, p); err != nil {
		return err
	}
	if s := p.Failure(); s != nil {
		return &exitError{exitDrill, fmt.Errorf("backup %s of server %s did not come back: %s: %s", p.BackupID, p.Server, s.Name, s.Text)}
	}
	return nil
}

func drillConfig(ctx context.Context, v *option.Values, env *Env) (drill.Config, error) {
	c := drill.Config{
		Server: v.Arg("SERVER"), Backup: v.Arg("BACKUP_ID"), Scratch: v.String("scratch-directory"), Keep: v.Bool("keep"), BinDir: v.String("pg-bindir"),
		EndOfWAL: v.Bool("end-of-wal"), Query: v.String("query"), Database: v.String("dbname"), User: v.String("user"), Jobs: v.Int("jobs"),
		Build: version.String(), Progress: &restore.Progress{}, Now: env.Now, Log: env.Log,
	}
	if os.Geteuid() == 0 {
		return c, option.Errorf("PostgreSQL does not run as root: hold the drill as the user that it runs as, for example: runuser -u postgres -- %s ... "+
			"(with its environment, --scratch-directory where that user may write)", env.Prog)
	}
	if c.Backup == "" {
		c.Backup = "latest"
	}
	if c.Jobs == 0 {
		c.Jobs = runtime.GOMAXPROCS(0)
	}
	if v.Set("amcheck") {
		if c.Amcheck = drill.No; v.Bool("amcheck") {
			c.Amcheck = drill.Yes
		}
	}
	if err := layout.CheckServer(c.Server); err != nil {
		return c, option.Errorf("%v", err)
	}
	if v.Set("dbname") && c.Query == "" {
		return c, option.Errorf("--dbname is the database of --query, which is missing")
	}
	if strings.ContainsRune(c.Query, 0) {
		return c, option.Errorf("--query cannot hold a zero byte")
	}
	if c.Scratch == "" {
		c.Scratch = os.TempDir()
	}
	var err error
	for _, dir := range []*string{&c.Scratch, &c.BinDir} {
		if *dir != "" {
			if *dir, err = filepath.Abs(*dir); err != nil {
				return c, err
			}
		}
	}
	if strings.ContainsAny(c.Scratch, "\r\n") {
		return c, option.Errorf("--scratch-directory cannot hold a line feed")
	}
	if c.Host, err = os.Hostname(); err != nil {
		return c, err
	}
	if c.Vault, c.Staging, err = openForReading(ctx, v); err != nil {
		return c, err
	}
	c.Command, err = restoreCommand(v, env)
	return c, err
}

// tellDrill says step by step what was done.
func tellDrill(env *Env, p proof.Proof) error {
	var b strings.Builder
	fmt.Fprintf(&b, "drill of backup %s of server %s: %s", p.BackupID, p.Server, p.Outcome)
	if p.RecoveredTo != 0 {
		fmt.Fprintf(&b, " (%s restored, PostgreSQL %s, recovered to %s)", sizeText(p.Restored), oneLine(p.PostgreSQL), p.RecoveredTo)
	}
	b.WriteString("\n")
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "  %-8s %-8s", s.Name, s.Outcome)
		if s.Outcome != proof.Skipped {
			fmt.Fprintf(&b, " %.1f s", (time.Duration(s.Took) * time.Millisecond).Seconds())
		}
		if s.Text != "" {
			b.WriteString(" " + oneLine(s.Text))
		}
		b.WriteString("\n")
	}
	if r := p.Result; r != nil {
		fmt.Fprintf(&b, "the query returned %d rows, SHA-256 %s\n", r.Rows, r.SHA256)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "Note: %s\n", oneLine(n))
	}
	_, err := fmt.Fprint(env.Stdout, b.String())
	return err
}
