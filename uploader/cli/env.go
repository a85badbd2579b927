package cli

import (
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/pgseal/pgseal/uploader/option"
)

// Env is what a command has of the world around it.
type Env struct {
	Prog     string // how the command was called: "pgseal backup", "barman-cloud-backup"
	AsBarman bool   // called by barman's name, through a link

	// ForRecovery: PostgreSQL's recovery reads the exit code, see exitStop.
	ForRecovery bool

	Stdout, Stderr io.Writer
	Terminal       bool // Stderr is a terminal: a progress line is welcome
	Lookup         func(string) (string, bool)
	Now            func() time.Time
	Log            *slog.Logger

	level slog.LevelVar
}

func newEnv() *Env {
	env := &Env{
		Stdout: os.Stdout, Stderr: os.Stderr, Terminal: term.IsTerminal(int(os.Stderr.Fd())),
		Lookup: os.LookupEnv, Now: time.Now,
	}
	env.Log = slog.New(&lineHandler{out: &output{w: env.Stderr}, level: &env.level, bare: env.Terminal})
	return env
}

// setLevel: by itself INFO; -v DEBUG; -q WARN; -qq ERROR.
func (env *Env) setLevel(v *option.Values) {
	env.level.Set(slog.LevelInfo + slog.Level(4*(v.Count("quiet")-v.Count("verbose"))))
}
