package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/uploader/option"
)

// try runs a command line in this process. The command wal-archive is replaced by f unless that is nil.
func try(t *testing.T, ctx context.Context, f run, argv ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := &Env{Stdout: &out, Stderr: &errs, Lookup: func(string) (string, bool) { return "", false }, Now: time.Now}
	env.Log = slog.New(&lineHandler{out: &output{w: &errs}, level: &env.level, bare: true})
	set := maps.Clone(commands)
	if f != nil {
		set["wal-archive"] = f
	}
	code = env.main(ctx, argv, set)
	return code, out.String(), errs.String()
}

func TestWhatEndsACommandDecidesTheExitCode(t *testing.T) {
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted (terminated)"))
	for name, tc := range map[string]struct {
		ctx  context.Context
		f    run
		code int
		says string // the whole of what is printed
	}{
		"nothing":                  {f: func(context.Context, *option.Values, *Env) error { return nil }, code: 0},
		"a refusal of the store":   {f: fails(&bucket.Error{Op: "create", Key: "s3://b/k", Kind: bucket.ErrDenied}), code: 1, says: "ERROR: create s3://b/k: access denied\n"},
		"a mistake in arguments":   {f: fails(fmt.Errorf("x: %w", option.Errorf("no"))), code: 3, says: "ERROR: x: no\n"},
		"a code of its own":        {f: fails(&exitError{exitRejected, errors.New("rejected: wal")}), code: 11, says: "ERROR: rejected: wal\n"},
		"a code without words":     {f: fails(&exitError{exitTimedOut, nil}), code: 13},
		"an error with line feeds": {f: fails(errors.New("one\ntwo\r\n  three")), code: 1, says: "ERROR: one two three\n"},
		"an error with escapes":    {f: fails(errors.New("\x1b]0;x\a \u009b31mred \u202etxt é")), code: 1, says: "ERROR: ?]0;x? ?31mred ?txt é\n"},
		"an error with a hint":     {f: fails(fmt.Errorf("x: %w", hinted{})), code: 1, says: "ERROR: x: stuck\nHINT: push\n"},
		"a signal":                 {ctx: cancelled, f: fails(context.Canceled), code: 1, says: "ERROR: interrupted (terminated): context canceled\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := tc.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			code, _, stderr := try(t, ctx, tc.f, "pgseal", "wal-archive", "url", "server")
			if code != tc.code || stderr != tc.says {
				t.Errorf("%d %q, want %d %q", code, stderr, tc.code, tc.says)
			}
		})
	}
}

func TestAPanicIsAnErrorWithItsOwnCode(t *testing.T) {
	code, _, stderr := try(t, t.Context(), func(context.Context, *option.Values, *Env) error { panic("at the disco") }, "pgseal", "wal-archive", "url", "server")
	if code != 4 || !strings.Contains(stderr, "ERROR: pgseal has failed, which is a mistake in pgseal: at the disco\n") || !strings.Contains(stderr, "goroutine") {
		t.Errorf("%d %s", code, stderr)
	}
}

func TestHelpVersionAndMistakes(t *testing.T) {
	for _, tc := range []struct {
		argv   string
		code   int
		stdout string
		stderr string
	}{
		{"pgseal --help", 0, "usage: pgseal COMMAND", ""},
		{"pgseal help", 0, "usage: pgseal COMMAND", ""},
		{"pgseal help backup", 0, "usage: pgseal backup [", ""},
		{"pgseal help nonsense", 3, "", `ERROR: "nonsense" is not a command`},
		{"pgseal backup --help", 0, "usage: pgseal backup [", ""},
		{"pgseal", 3, "", "usage: pgseal COMMAND"},
		{"pgseal nonsense", 3, "", "see pgseal --help\n"},
		{"pgseal --version", 0, "pgseal ", ""},
		{"pgseal --version", 0, ", go1.", ""},
		{"pgseal backup --version", 0, "pgseal ", ""},
		{"/usr/bin/barman-cloud-backup --version", 0, "barman-cloud-backup 3.18.0\npgseal ", ""},
		{"pgseal wal-archive", 3, "", "ERROR: the following arguments are required: URL, SERVER; see pgseal wal-archive --help\n"},
		{"barman-cloud-wal-archive --help", 0, "usage: barman-cloud-wal-archive [", ""},
		{"/usr/bin/barman-cloud-wal-archive --nonsense u s", 3, "", "unrecognized arguments: --nonsense; see barman-cloud-wal-archive --help\n"},
	} {
		code, stdout, stderr := try(t, t.Context(), nil, strings.Fields(tc.argv)...)
		if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) || (stdout == "") != (tc.stdout == "") || (stderr == "") != (tc.stderr == "") {
			t.Errorf("%s: %d\n%s\n%s", tc.argv, code, stdout, stderr)
		}
	}
}

func TestACommandKnowsHowItWasCalled(t *testing.T) {
	for argv, want := range map[string]string{
		"pgseal wal-archive u s":              "pgseal wal-archive false",
		"/opt/barman-cloud-wal-archive u s w": "barman-cloud-wal-archive true",
	} {
		var got string
		try(t, t.Context(), func(_ context.Context, _ *option.Values, env *Env) error {
			got = fmt.Sprint(env.Prog, " ", env.AsBarman)
			return nil
		}, strings.Fields(argv)...)
		if got != want {
			t.Errorf("%s: %s", argv, got)
		}
	}
}

func TestVerbosity(t *testing.T) {
	for args, want := range map[string]string{"": "INFO WARN ERROR", "-v": "DEBUG INFO WARN ERROR", "-q": "WARN ERROR", "-qq": "ERROR"} {
		_, _, stderr := try(t, t.Context(), func(_ context.Context, _ *option.Values, env *Env) error {
			for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				env.Log.Log(t.Context(), l, "x")
			}
			return nil
		}, append(strings.Fields("pgseal wal-archive "+args), "u", "s")...)
		if got := strings.Join(strings.Fields(strings.ReplaceAll(stderr, " x", "")), " "); got != want {
			t.Errorf("%q: %s, want %s", args, got, want)
		}
	}
}

func TestALogLineIsOneLine(t *testing.T) {
	var b bytes.Buffer
	h := &lineHandler{out: &output{w: &b}, level: slog.LevelInfo}
	log := slog.New(h).With("server", "main").WithGroup("g")
	r := slog.NewRecord(time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC), slog.LevelInfo, "two\nlines", 0)
	r.AddAttrs(slog.String("key", "a b\n\"c\""), slog.Int("n", 1), slog.String("c1", "\u009b31m"), slog.String("empty", ""), slog.Group("in", "x", true), slog.Any("error", errors.New("e")))
	if err := log.Handler().Handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	const want = `2026-11-23 05:00:00 INFO two lines server=main g.key="a b\n\"c\"" g.n=1 g.c1="\u009b31m" g.empty="" g.in.x=true g.error=e` + "\n"
	if b.String() != want {
		t.Errorf("%s want\n%s", b.String(), want)
	}
}

func TestWALArchiveArgumentsThatAreMistakes(t *testing.T) {
	vault := "file://" + t.TempDir()
	segment := filepath.Join(t.TempDir(), "000000010000000000000001")
	if err := os.WriteFile(segment, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{vault, "main"}, 3, "required: WAL_PATH"},
		{[]string{vault, "../main", segment}, 3, "server name"},
		{[]string{vault, "main", "/etc/passwd"}, 3, "name not allowed for a WAL file"},
		{[]string{"gs://B/path", "main", segment}, 3, "no name of a bucket"},
		{[]string{"-z", "--compression-level", "99", vault, "main", segment}, 3, "argument --compression-level"},
		{[]string{vault, "main", segment}, 1, "5 bytes cannot be a segment"},
		{[]string{"-t", vault, "main"}, 0, ""},
		{[]string{"-t", vault + "/missing", "main"}, 1, "there is no directory"},
		{[]string{vault + "/missing", "main", segment}, 1, ""},
	} {
		code, stdout, stderr := try(t, t.Context(), nil, append([]string{"pgseal", "wal-archive"}, tc.args...)...)
		if code != tc.code || stdout != "" || !strings.Contains(stderr, tc.says) || strings.Count(stderr, "\n") > 1 {
			t.Errorf("%v: %d %s", tc.args, code, stderr)
		}
	}
}

func fails(err error) run { return func(context.Context, *option.Values, *Env) error { return err } }

type hinted struct{}

func (hinted) Error() string { return "stuck" }
func (hinted) Hint() string  { return "push" }
