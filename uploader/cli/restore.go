package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/restore"
	"github.com/pgseal/pgseal/uploader/store"
)

// restoreBackup is "pgseal restore".
func restoreBackup(ctx context.Context, v *option.Values, env *Env) error {
	c, err := restoreConfig(ctx, v, env)
	if err != nil {
		return err
	}
	if v.Bool("test") {
		return testRead(ctx, c.Vault, layout.BaseDir(c.Server))
	}
	line, log := startProgressLine(env, "restoring", c.Server, c.Progress.Copying.Load, func(took time.Duration) string {
		read, total := c.Progress.Read.Load(), c.Progress.Total.Load()
		return fmt.Sprintf("%s of %s (%d%%), %d files", sizeText(read), sizeText(total), 100*read/max(total, 1), c.Progress.Files.Load()) + rateText(read, total, took)
	})
	c.Log = log
	r, err := restore.Run(ctx, c)
	line.stop()
	if err != nil {
		return err
	}
	return tellRestored(env, c, r)
}

// restoreConfig joins the options to what a restore needs.
func restoreConfig(ctx context.Context, v *option.Values, env *Env) (restore.Config, error) {
	c := restore.Config{
		Server: v.Arg("SERVER"), Backup: v.Arg("BACKUP_ID"), VerifyOnly: v.Bool("verify-only"), NoSync: v.Bool("no-sync"),
		Jobs: v.Int("jobs"), Progress: &restore.Progress{}, Now: env.Now, Log: env.Log, Tablespaces: map[string]string{},
	}
	if c.Jobs == 0 {
		c.Jobs = runtime.GOMAXPROCS(0)
	}
	if err := layout.CheckServer(c.Server); err != nil {
		return c, option.Errorf("%v", err)
	}
	for _, t := range v.List("tablespace") {
		name, location, _ := strings.Cut(t, ":")
		c.Tablespaces[name] = location
	}
	var err error
	if c.Vault, err = store.Open(ctx, v.Arg("URL"), v); err != nil {
		return c, err
	}
	if c.Target, err = target(v); err != nil {
		return c, err
	}
	if v.Bool("test") {
		return c, nil
	}
	switch dir := v.Arg("RECOVERY_DIR"); {
	case c.VerifyOnly:
		return c, nil
	case dir == "":
		return c, option.Errorf("the following arguments are required: RECOVERY_DIR; see %s --help", env.Prog)
	default:
		if c.Dir, err = filepath.Abs(dir); err != nil {
			return c, err
		}
	}
	prepare := !env.AsBarman
	if v.Set("recovery") {
		prepare = v.Bool("recovery")
	}
	if !prepare {
		if v.Bool("standby") || v.Bool("resume-archiving") {
			return c, option.Errorf("--standby and --resume-archiving need --recovery")
		}
		return c, nil
	}
	c.Recovery = &restore.Recovery{Standby: v.Bool("standby"), ResumeArchiving: v.Bool("resume-archiving")}
	if c.Recovery.Standby && len(targets(v)) > 0 {
		return c, option.Errorf("a standby has no target: it follows the archive")
	}
	c.Recovery.Command, err = restoreCommand(v, env)
	return c, err
}

// targets are the options given that say where recovery ends.
func targets(v *option.Values) (given []string) {
	for _, name := range []string{"target-time", "target-lsn", "target-xid", "target-name", "target-immediate"} {
		if v.Set(name) {
			given = append(given, name)
		}
	}
	return given
}

func target(v *option.Values) (t restore.Target, err error) {
	t = restore.Target{
		XID: v.String("target-xid"), Name: v.String("target-name"), Immediate: v.Bool("target-immediate"),
		Exclusive: v.Bool("target-exclusive"), Action: v.String("target-action"), Timeline: v.String("target-tli"),
	}
	given := targets(v)
	if len(given) > 1 {
		return t, option.Errorf("argument --%s: not allowed with argument --%s: recovery has one target", given[1], given[0])
	}
	if s := v.String("target-time"); s != "" {
		if t.Time, err = option.ParseTargetTime(s); err != nil {
			return t, option.Errorf("argument --target-time: %v", err)
		}
	}
	if s := v.String("target-lsn"); s != "" {
		if t.LSN, err = layout.ParseLSN(s); err != nil {
			return t, option.Errorf("argument --target-lsn: %v", err)
		}
	}
	if t.Exclusive && t.Time.IsZero() && t.LSN == 0 && t.XID == "" {
		return t, option.Errorf("--target-exclusive goes with --target-time, --target-lsn or --target-xid")
	}
	return t, nil
}

// restoreCommand is this program as PostgreSQL is to call it.
func restoreCommand(v *option.Values, env *Env) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	words := []string{program, "wal-restore"}
	words = append(words, storeFlags(v, env)...)
	spool := ""
	if v.Has("spool-directory") {
		spool = v.String("spool-directory")
	}
	if spool != "" {
		if spool, err = filepath.Abs(spool); err != nil {
			return "", err
		}
		words = append(words, "--spool-directory", spool)
	}
	words = append(words, strings.TrimRight(v.Arg("URL"), "/"), v.Arg("SERVER"))
	for i, w := range words {
		if strings.ContainsFunc(w, unicode.IsControl) {
			return "", option.Errorf("%q cannot stand in restore_command", w)
		}
		words[i] = strings.ReplaceAll(catalog.Quote(w), "%", "%%")
	}
	return strings.Join(append(words, "%f", "%p"), " "), nil
}

// tellRestored says what was restored, and what to type next.
func tellRestored(env *Env, c restore.Config, r restore.Result) error {
	kind := "sealed and verified"
	if !r.Sealed {
		kind = "not pgseal's, so that nothing says whether it is whole"
	}
	var b strings.Builder
	if c.VerifyOnly {
		fmt.Fprintf(&b, "backup %s of server %s can be read: %d archives, %s (%s)\n", r.ID, c.Server, r.Archives, sizeText(r.Bytes), kind)
	} else {
		fmt.Fprintf(&b, "backup %s of server %s is restored into %s: %d archives, %s (%s)\n", r.ID, c.Server, c.Dir, r.Archives, sizeText(r.Bytes), kind)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "Note: %s\n", oneLine(n))
	}
	if c.Recovery != nil {
		tellRecovery(&b, c, r)
	}
	_, err := fmt.Fprint(env.Stdout, b.String())
	return err
}

func tellRecovery(b *strings.Builder, c restore.Config, r restore.Result) {
	if !c.Recovery.ResumeArchiving {
		b.WriteString("Archiving is off there (archive_mode in postgresql.auto.conf): a copy that archives spoils the archive of its source.\n")
	}
	b.WriteString("WAL comes by pgseal wal-restore: the server's environment needs the credentials for the vault.\n")
	b.WriteString("Start it, as the user whom the files belong to:\n\n    " + startCommand(c.Dir, r) + "\n\n")
	if t := c.Target; !c.Recovery.Standby && t.Action == "pause" && (!t.Time.IsZero() || t.LSN != 0 || t.XID != "" || t.Name != "" || t.Immediate) {
		b.WriteString("It stops at the target, read only. Look; then SELECT pg_wal_replay_resume() ends the recovery.\n")
	}
}

// startCommand is for a POSIX shell. Settings are named that the restored configuration has for the old place.
func startCommand(dir string, r restore.Result) string {
	program := "pg_ctl"
	for _, place := range []string{"/usr/lib/postgresql/%d/bin/pg_ctl", "/usr/pgsql-%d/bin/pg_ctl"} { // Debian's and PGDG's
		if name := fmt.Sprintf(place, r.Info.Version/10000); exists(name) {
			program = name
		}
	}
	words := []string{program, "-D", catalog.Quote(dir), "-w"}
	var settings []string
	for name, value := range r.External {
		settings = append(settings, "-c "+name+"="+catalog.Quote(value))
	}
	if len(settings) > 0 {
		slices.Sort(settings)
		words = append(words, "-o", catalog.Quote(strings.Join(settings, " ")))
	}
	return strings.Join(append(words, "start"), " ")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
