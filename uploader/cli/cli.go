// Package cli is the pgseal program: it finds the command, reads its options, runs it under the rules that all commands
// share (signals, log, one line for an error), and turns what came of it into an exit code.
//
// Each command stands in a file of its own (backup.go, walarchive.go, status.go, ...), which only joins the
// options to the package that does the work.
package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/pgseal/pgseal/core/version"
	"github.com/pgseal/pgseal/uploader/option"
)

// run is one command. A nil error is exit code 0; what other errors mean stands in exit.go.
type run func(ctx context.Context, v *option.Values, env *Env) error

// commands by their names in option.Commands.
var commands = map[string]run{
	"backup":      backup,
	"wal-archive": walArchive,
	"status":      status,
	"finalize":    finalize,
	"sweep":       sweep,
	"audit":       auditCatalogue,
	"wal-restore": walRestore,
	"restore":     restoreBackup,
	"doctor":      examine,
	"drill":       holdDrill,

	"backup-list":       backupList,
	"backup-show":       backupShow,
	"check-wal-archive": checkWALArchive,
	"report":            makeReport,
	"backup-keep":       backupKeep,
	"backup-delete":     backupDelete,
}

// Main runs the command line, os.Args, to its end and returns the exit code.
func Main(argv []string) int {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	return newEnv().main(ctx, argv, commands)
}

func (env *Env) main(ctx context.Context, argv []string, commands map[string]run) int {
	cmd, prog, args, err := option.Find(argv)
	if errors.Is(err, option.ErrHelp) && len(argv) > 2 { // pgseal help backup
		if cmd, _, _, err = option.Find([]string{argv[0], argv[2]}); err == nil {
			prog, args = prog+" "+cmd.Name, []string{"--help"}
		}
	}
	switch {
	case errors.Is(err, option.ErrHelp):
		fmt.Fprint(env.Stdout, option.Overview(prog))
		return exitOK
	case errors.Is(err, option.ErrVersion):
		env.writeVersion()
		return exitOK
	case err != nil && len(argv) < 2:
		fmt.Fprint(env.Stderr, option.Overview(prog))
		return exitUsage
	case err != nil:
		return env.end(ctx, fmt.Errorf("%w; see %s --help", err, prog))
	}

	env.Prog, env.AsBarman, env.ForRecovery = prog, prog == cmd.Barman, cmd.Name == "wal-restore"
	v, err := cmd.Parse(args, env.Lookup)
	switch {
	case errors.Is(err, option.ErrHelp):
		fmt.Fprint(env.Stdout, cmd.Help(prog))
		return exitOK
	case errors.Is(err, option.ErrVersion):
		env.writeVersion()
		return exitOK
	case err != nil:
		return env.end(ctx, fmt.Errorf("%w; see %s --help", err, prog))
	}
	env.setLevel(v)
	for _, note := range v.Notes {
		env.Log.Warn(note)
	}
	return env.end(ctx, protect(ctx, commands[cmd.Name], v, env))
}

// writeVersion answers --version. By barman's name the first line is barman's, as programs read it: CloudNativePG takes its
// last word for a version, and concludes from it what the command understands (barman-cloud 0.4, capabilities).
func (env *Env) writeVersion() {
	if env.AsBarman {
		fmt.Fprintln(env.Stdout, env.Prog, option.BarmanVersion)
	}
	fmt.Fprintf(env.Stdout, "pgseal %s\n%s\n", version.String(), version.Build())
}

// protect makes an error of a panic. A panic in another goroutine still ends the program, with Go's exit code 2.
func protect(ctx context.Context, f run, v *option.Values, env *Env) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &exitError{exitInternal, fmt.Errorf("pgseal has failed, which is a mistake in pgseal: %v", p)}
			_, _ = env.Stderr.Write(debug.Stack())
		}
	}()
	return f(ctx, v, env)
}
