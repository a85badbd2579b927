package wake

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Guard runs one invocation. A panic becomes an error and one line in the log:
// the process lives on for its other invocations, and the event comes again.
func Guard(log *slog.Logger, invocation func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a mistake in pgseal", "panic", fmt.Sprint(p), "stack_trace", string(debug.Stack()))
			err = fmt.Errorf("a mistake in pgseal: %v", p)
		}
	}()
	return invocation()
}
