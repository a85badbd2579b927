package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/postgres"
)

// Doctor says what to look at, and what for.
type Doctor struct {
	Vault, Staging bucket.Inspector
	Server         string
	// Apart is what is wrong with the two URLs as they are, or nil.
	Apart error

	Postgres postgres.Options
	// PostgresNamed: somebody has said how to connect, so that a server that does
	// not answer is a fault and not just absent.
	PostgresNamed bool

	// MaxAge is how old the newest seal may be.
	MaxAge time.Duration
	// Window is how far back a restore has to reach; 0: whatever the lock gives.
	Window time.Duration
	// MinRetention and Encryption are what the finalizer asks of objects; 0 and
	// empty: nothing.
	MinRetention time.Duration
	Encryption   []string

	AbandonAfter time.Duration // of catalog.Reader
	Decompress   func(suffix string, r io.Reader) (io.ReadCloser, error)
	Now          func() time.Time
}

// look is one examination.
type look struct {
	Doctor
	lines map[string]Line

	lock   bucket.Lock
	locked bool // the lock was seen
}

// Examine looks at everything. An error means that somebody has broken it off.
func (d Doctor) Examine(ctx context.Context) (*Report, error) {
	l := &look{Doctor: d, lines: map[string]Line{}}
	l.apart()
	vault := l.vault(ctx)
	staging := l.staging(ctx)
	l.clock(ctx)
	write := staging && l.lines[checkStaging].State != Critical && l.lines[checkApart].State != Critical
	if write { // else what is written may stay for good
		l.conditional(ctx)
	}
	if vault {
		l.rights(ctx, l.create(ctx, write) && write && l.rehearsal(ctx))
		l.catalogue(ctx)
	}
	l.uploads(ctx, vault, staging)
	l.postgres(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r := &Report{Format: 1, Server: d.Server, Vault: d.Vault.URL(), Staging: d.Staging.URL(), At: d.Now().UTC()}
	for _, check := range Checks {
		line, ok := l.lines[check]
		if !ok {
			line = Line{Check: check, State: Unseen, Text: "not looked at, because of what the lines above say"}
		}
		r.Lines = append(r.Lines, line)
	}
	return r, nil
}

// maxText has room for the grants that a user lacks.
const maxText = 2000

// say notes what a check came to. What comes from a store or a server is made fit
// for a terminal.
func (l *look) say(check string, state State, text, next string) {
	l.lines[check] = Line{Check: check, State: state, Text: catalog.Clean(text, maxText), Next: catalog.Clean(next, maxText)}
}

func (l *look) ok(check, format string, args ...any) {
	l.say(check, OK, fmt.Sprintf(format, args...), "")
}

func (l *look) unseen(check, format string, args ...any) {
	l.say(check, Unseen, fmt.Sprintf(format, args...), "")
}

// failed is the line for a question that got no answer: what may not be seen is
// unseen, anything else is a fault.
func (l *look) failed(check string, err error, next string) {
	if errors.Is(err, bucket.ErrDenied) || errors.Is(err, bucket.ErrInvalid) {
		l.unseen(check, "%s", reason(err))
		return
	}
	l.say(check, Critical, err.Error(), next)
}

// reason is the store's code, without the object that everybody knows here.
func reason(err error) string {
	var e *bucket.Error
	if errors.As(err, &e) && e.Code != "" {
		return "cannot be seen: " + e.Code
	}
	return "cannot be seen: " + err.Error()
}

// apart looks whether the two places are in one bucket: lock and lifecycle are
// the bucket's.
func (l *look) apart() {
	const next = "give staging a bucket or container of its own, without a lock"
	switch {
	case l.Apart != nil:
		l.say(checkApart, Critical, l.Apart.Error(), next)
	case sameBucket(l.Vault.URL(), l.Staging.URL()):
		l.say(checkApart, Critical, "vault and staging are in one bucket: its lock and its lifecycle rules hold for both", next)
	default:
		l.ok(checkApart, "vault and staging are in different places")
	}
}

// sameBucket compares what is locked as a whole: bucket, or account and container.
func sameBucket(a, b string) bool {
	if strings.HasPrefix(a, "file:") {
		return false // each directory has its own lock
	}
	return bucketOf(a) == bucketOf(b)
}

func bucketOf(url string) string {
	parts := strings.Split(url, "/") // scheme:, nothing, host, path...
	n := 3
	switch {
	case strings.HasPrefix(url, "https:"):
		n = 4
	case strings.HasPrefix(url, "http:"): // http://host:port/account/container
		n = 5
	}
	return strings.Join(parts[:min(n, len(parts))], "/")
}

// probe is the id of a backup that never was: attempts use its keys.
const probe = "19700101T000000"

func probeKey(server, name string) string { return layout.BackupDir(server, probe) + name }
