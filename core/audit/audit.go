// Package audit looks through the whole catalogue of a server, whoever wrote
// it: pgseal, stock barman-cloud, or CloudNativePG. It only reads, and needs no
// staging and no lock.
package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walchain"
)

// Severity is how bad a problem is.
type Severity string

// The severities.
const (
	Warning  Severity = "warning"  // a restore works, perhaps with care, or only what nobody restores is concerned
	Critical Severity = "critical" // a restore fails, gives something else, or cannot go where it should
)

// Problem is one thing that is wrong.
type Problem struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	BackupID string   `json:"backup_id,omitempty"`
	Object   string   `json:"object,omitempty"`
	Text     string   `json:"text"`
	// Finding is tampered or damaged, of a backup that pgseal sealed.
	Finding finalizer.Finding `json:"finding,omitempty"`
	// Also is how many further backups the same problem concerns: a hole in the WAL
	// concerns all before it.
	Also int `json:"also,omitempty"`
}

// Report is what was looked at and found. Its JSON is what "pgseal audit
// --format json" prints: fields may be added, never renamed.
type Report struct {
	Format   int       `json:"format"` // 1
	Server   string    `json:"server"`
	Vault    string    `json:"vault"`
	At       time.Time `json:"at"`
	Backups  int       `json:"backups"` // directories of backups
	Sealed   int       `json:"sealed"`  // of these: sealed by pgseal
	Stock    int       `json:"stock"`   // complete by the word of another program
	Problems []Problem `json:"problems"`
	// WAL is what is archived from the oldest complete backup on, by timeline.
	WAL []Timeline `json:"wal,omitempty"`
	// Notes are what could not be looked at.
	Notes []string `json:"notes,omitempty"`
}

// Worst is the highest severity, "" when nothing is wrong.
func (r *Report) Worst() Severity {
	worst := Severity("")
	for _, p := range r.Problems {
		if p.Severity == Critical || worst == "" {
			worst = p.Severity
		}
	}
	return worst
}

// Limits of what is read.
const (
	maxBackups  = 10_000
	maxObjects  = 20_000 // of one backup
	maxProblems = 1_000
	parallel    = 4
)

// Auditor says where to look.
type Auditor struct {
	Vault  bucket.Bucket
	Server string
	// Encryption is what the vault's objects may be encrypted with; empty allows
	// anything.
	Encryption []string
	Decompress func(suffix string, r io.Reader) (io.ReadCloser, error)
	Now        func() time.Time
}

// Audit looks at everything. An error means that the place as a whole could not
// be read.
func (a Auditor) Audit(ctx context.Context) (*Report, error) {
	if err := layout.CheckServer(a.Server); err != nil {
		return nil, err
	}
	l := &look{Auditor: a, archives: map[int64]*walchain.Archive{}, holes: map[int64][][]walchain.Run{}, r: &Report{
		Format: 1, Server: a.Server, Vault: a.Vault.URL(), At: a.Now().UTC(), Problems: []Problem{},
	}}
	if err := l.all(ctx); err != nil {
		return nil, err
	}
	l.finish()
	return l.r, nil
}

// look is one audit.
type look struct {
	Auditor
	mu       sync.Mutex
	r        *Report
	archives map[int64]*walchain.Archive // by segment size
	holes    map[int64][][]walchain.Run  // of each backup, by segment size
	infos    []found
}

// found is a complete backup whose WAL is still to be followed.
type found struct {
	id    string
	info  backupinfo.Info
	stock bool
	noWAL bool // sealed without a look at it: it is kept elsewhere
}

func (l *look) add(p Problem) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r.Problems = append(l.r.Problems, p)
}

func (l *look) all(ctx context.Context) error {
	if err := l.lock(ctx); err != nil {
		return err
	}
	var ids []string
	for name, err := range l.Vault.Dirs(ctx, layout.BaseDir(l.Server)) {
		if err != nil {
			return fmt.Errorf("list the backups: %w", err)
		}
		if _, err := layout.ParseBackupID(name); err != nil {
			l.add(Problem{Severity: Warning, Code: "strange", Object: layout.BaseDir(l.Server) + name + "/", Text: "its name is no backup id: barman lists it if there is a backup.info, and can neither show, restore nor delete it"})
			continue
		}
		if ids = append(ids, name); len(ids) == maxBackups {
			l.r.Notes = append(l.r.Notes, fmt.Sprintf("there are more than %d backups; the oldest %d were looked at", maxBackups, maxBackups))
			break
		}
	}
	l.r.Backups = len(ids)
	slices.Reverse(ids)
	if err := l.each(ctx, ids); err != nil {
		return err
	}
	slices.SortFunc(l.infos, func(a, b found) int { return strings.Compare(b.id, a.id) })
	for _, f := range l.infos { // one after the other: they share what is listed
		if err := l.wal(ctx, f); err != nil {
			return fmt.Errorf("look at the WAL of %s: %w", f.id, err)
		}
	}
	if err := l.coverage(ctx); err != nil {
		return err
	}
	l.compare()
	return nil
}

// lock notes when the place does not keep what it is given.
func (l *look) lock(ctx context.Context) error {
	lock, err := l.Vault.Lock(ctx)
	switch {
	case errors.Is(err, bucket.ErrDenied):
		l.r.Notes = append(l.r.Notes, "whether this place locks what it is given may not be seen with these credentials")
	case err != nil:
		return fmt.Errorf("read the lock of the place: %w", err)
	case !lock.Enabled:
		l.add(Problem{Severity: Warning, Code: "no-lock", Object: l.Vault.URL(), Text: "nothing is kept here against its deletion: whoever has the keys of the host can delete all backups"})
	}
	return nil
}

func (l *look) each(ctx context.Context, ids []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	free := make(chan struct{}, parallel)
	for _, id := range ids {
		free <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-free }()
			if err := l.backup(ctx, id); err != nil {
				cancel(fmt.Errorf("look at %s: %w", id, err))
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// compare finds what is wrong between backups.
func (l *look) compare() {
	names, clusters := map[string]string{}, map[string]string{}
	for _, f := range l.infos { // newest first
		if name := f.info.BackupName; name != "" {
			if other := names[name]; other != "" {
				l.add(Problem{Severity: Warning, Code: "name-twice", BackupID: f.id, Text: fmt.Sprintf("%s has the same name, %q: barman can show and restore neither by it", other, name)})
			}
			names[name] = f.id
		}
		if id := f.info.SystemID; id != "" {
			clusters[id] = f.id
		}
	}
	if len(clusters) > 1 {
		l.add(Problem{Severity: Warning, Code: "two-clusters", Object: l.Server + "/", Text: fmt.Sprintf("backups of %d clusters with different system identifiers stand under this name: their WAL is in one archive", len(clusters))})
	}
}

// finish joins what is said more than once, and puts the worst and the newest
// first.
func (l *look) finish() {
	slices.SortStableFunc(l.r.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), strings.Compare(b.BackupID, a.BackupID), strings.Compare(a.Object, b.Object), strings.Compare(a.Code, b.Code))
	})
	type what struct{ code, object string }
	first := map[what]int{}
	var out []Problem
	for _, p := range l.r.Problems {
		key := what{p.Code, p.Object}
		if at, known := first[key]; known && p.Object != "" {
			if out[at].BackupID != p.BackupID {
				out[at].Also++
			}
			continue
		}
		first[key] = len(out)
		out = append(out, p)
	}
	if len(out) > maxProblems {
		l.r.Notes = append(l.r.Notes, fmt.Sprintf("%d problems were found, and the worst %d are told", len(out), maxProblems))
		out = out[:maxProblems]
	}
	l.r.Problems = slices.Concat([]Problem{}, out)
}
