package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// untilSignal returns a context that ends with the first SIGINT, SIGTERM or SIGHUP, so that a command can clean up and
// answer with an exit code instead of dying of the signal: PostgreSQL's archiver takes a command that died of a signal
// for its own shutdown. A second signal ends the program at once.
func untilSignal(ctx context.Context) (context.Context, func()) {
	// A reader of our messages that goes away must not end us with a signal either.
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancelCause(ctx)
	arrived := make(chan os.Signal, 2)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as nohup and a shell's & leave it
			signal.Notify(arrived, s)
		}
	}
	go func() {
		for n := 0; ; n++ {
			s, ok := <-arrived
			switch {
			case !ok:
				return
			case n > 0:
				os.Exit(exitFailed)
			}
			cancel(fmt.Errorf("interrupted (%v)", s))
		}
	}()
	return ctx, func() {
		signal.Stop(arrived)
		close(arrived)
		cancel(nil)
	}
}
