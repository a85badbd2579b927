package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/pgseal/pgseal/uploader/option"
)

// The exit codes. Those below 10 mean what they mean in barman-cloud (3.17); those from 10 on are pgseal's own, for a
// backup that is uploaded and not sealed, or sealed and of no use. All but exitStop are below 126, so that PostgreSQL's archiver never takes one for a signal
// or a shell's error ("Continuous Archiving", archive_command).
const (
	exitOK       = 0
	exitFailed   = 1                // the operation failed, or was interrupted by a signal
	exitNetwork  = 2                // with --test only: the store does not answer
	exitUsage    = option.ExitUsage // 3: bad arguments or environment, or a file that is no WAL
	exitInternal = 4                // anything else: a mistake in pgseal

	exitWaiting  = 10 // the verdict is: waiting
	exitRejected = 11 // the verdict is: rejected
	exitConflict = 12 // the verdict is: conflict
	exitTimedOut = 13 // no verdict within --wait-timeout
	exitDrill    = 14 // the backup did not come back in a drill

	// exitStop is what wal-restore answers when it does not know whether the archive has the file. PostgreSQL stops at
	// it; at a code from 1 to 125 it takes the WAL for ended and goes into production without the rest (15, tried).
	exitStop = 255
)

// exitError is an error with an exit code of its own. Without an error in it nothing is printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// hinter is an error that knows what to do about it, which is printed on a line of its own.
type hinter interface{ Hint() string }

// end prints what is to be said about err and returns the exit code for it.
func (env *Env) end(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	code := codeOf(err)
	var own *exitError
	chosen := errors.As(err, &own)
	if env.ForRecovery && (!chosen || code == exitInternal) { // walRestore has chosen what else there is
		code = exitStop
	}
	if chosen && own.err == nil {
		return code
	}
	text := oneLine(err.Error())
	if ctx.Err() != nil {
		text = oneLine(context.Cause(ctx).Error()) + ": " + text
	}
	fmt.Fprintln(env.Stderr, "ERROR: "+text)
	var h hinter
	if errors.As(err, &h) {
		fmt.Fprintln(env.Stderr, "HINT: "+oneLine(h.Hint()))
	}
	return code
}

func codeOf(err error) int {
	var own *exitError
	var usage *option.Error
	switch {
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}

// oneLine keeps an error on its line, whatever a server has put into it, and its escape sequences from the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " "))
}
