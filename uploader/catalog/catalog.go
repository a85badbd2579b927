// Package catalog reads what vault and staging hold of one server and says, backup by backup, how things stand and what
// to type next.
//
// It trusts none of it. Staging, manifests and names were written by the database host: reads are bounded, one record
// that cannot be read spoils only its own line, and texts are made fit for a terminal before anybody sees them. Whether a
// backup is sealed is decided by the vault alone.
package catalog

import (
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
)

// State is how things stand with one backup.
type State string

// The states. The words are an interface: scripts read them.
const (
	Running    State = "running"    // staging says STARTED, and the heartbeat is fresh
	Complete   State = "complete"   // the marker is there, and no verdict yet
	Waiting    State = "waiting"    // the finalizer waits for WAL
	Sealed     State = "sealed"     // backup.info is in the vault, made by pgseal
	Rejected   State = "rejected"   // the finalizer will not seal it
	Conflict   State = "conflict"   // the vault holds a backup.info that its manifest does not explain
	Failed     State = "failed"     // the uploader gave up, and said so
	Abandoned  State = "abandoned"  // STARTED, and no heartbeat any more
	Unsealed   State = "unsealed"   // a manifest without a seal, of which staging knows nothing (any more)
	Leftovers  State = "leftovers"  // objects in the vault without manifest and seal, of which staging knows nothing
	Tampered   State = "tampered"   // sealed once, and the seal is not in the vault although it should be
	Deleted    State = "deleted"    // only staging remembers it: the vault holds nothing of it
	Foreign    State = "foreign"    // backup.info is in the vault, and not pgseal's: stock barman's
	Unreadable State = "unreadable" // a record that decides cannot be read
)

// Catalog is all there is of one server. Its JSON is what "pgseal status --format json" prints: fields may be added,
// never renamed or given another meaning. Times are RFC 3339 in UTC, sizes bytes, spans seconds.
type Catalog struct {
	Format  int       `json:"format"` // 1
	Server  string    `json:"server"`
	Vault   string    `json:"vault"`             // its URL
	Staging string    `json:"staging,omitempty"` // its URL; empty: was not looked at
	At      time.Time `json:"at"`                // when it was read, by this machine's clock

	Newest *Newest `json:"newest_seal,omitempty"`
	WAL    *WAL    `json:"newest_wal,omitempty"`
	// Window reaches from the end of the oldest sealed backup to the newest WAL, as far as no gap was seen.
	Window *Window `json:"window,omitempty"`

	// Drill is the drill that passed last, of whichever backup.
	Drill *LastDrill `json:"last_drill,omitempty"`

	Backups []Backup `json:"backups"` // newest first
	// Notes are what cannot be seen, and what stands in the way.
	Notes []string `json:"notes,omitempty"`
}

// Newest is the sealed backup that ended last.
type Newest struct {
	BackupID string    `json:"backup_id"`
	Time     time.Time `json:"time"` // its end, or its seal's creation if that is earlier
	Age      int64     `json:"age_seconds"`
}

// WAL is the archived segment that the store got last.
type WAL struct {
	Segment string    `json:"segment"`
	Key     string    `json:"key"`
	Time    time.Time `json:"time"` // by the store's clock
	Age     int64     `json:"age_seconds"`
}

// Window is the time to which a restore can go.
type Window struct {
	From time.Time `json:"from"` // the end of the backup
	// To is when the store got the last segment that follows without a gap; nil: no such segment was found.
	To      *time.Time `json:"to,omitempty"`
	Segment string     `json:"segment,omitempty"` // the one of To
	// Gap names what is missing before the newest segment. Only whole missing directories of wals/ are seen, and
	// segments missing in the last one.
	Gap string `json:"gap,omitempty"`
}

// Reason is one thing that is wrong, as verdicts have it.
type Reason = finalizer.Reason

// Backup is one backup, whatever became of it.
type Backup struct {
	ID     string `json:"backup_id"`
	State  State  `json:"state"`
	Name   string `json:"backup_name,omitempty"`
	Status string `json:"status,omitempty"` // barman's own word in a foreign backup.info

	Begin *time.Time `json:"begin_time,omitempty"`
	End   *time.Time `json:"end_time,omitempty"`
	// SealedAt is when backup.info appeared in the vault, by the store's clock.
	SealedAt *time.Time `json:"sealed_time,omitempty"`

	Objects int   `json:"objects,omitempty"` // archives in the vault; when not sealed, whatever is there
	Bytes   int64 `json:"bytes,omitempty"`   // of these

	// LockedUntil is the earliest end of retention that is known: the receipt's, else that of the seal or of what the
	// listing showed.
	LockedUntil *time.Time `json:"locked_until,omitempty"`
	WALChecked  *bool      `json:"wal_checked,omitempty"` // of a sealed backup
	Window      *Window    `json:"window,omitempty"`      // of a sealed backup

	Progress *Progress  `json:"progress,omitempty"` // of a running or abandoned backup
	Deadline *time.Time `json:"deadline,omitempty"` // of a waiting one
	// Since is when the marker or the verdict appeared, by the store's clock.
	Since *time.Time `json:"since,omitempty"`

	Class    string   `json:"class,omitempty"` // of a verdict that is not sealed
	Reasons  []Reason `json:"reasons,omitempty"`
	Findings []Reason `json:"findings,omitempty"` // of a sealed backup

	Drill *Drill `json:"drill,omitempty"` // the last one of this backup

	// Next is the command to type next, for a POSIX shell; empty: nothing to do.
	Next string `json:"next,omitempty"`
}

// Progress is what the last heartbeat said.
type Progress struct {
	Host      string    `json:"host,omitempty"`
	PID       int       `json:"pid,omitempty"`
	Files     int64     `json:"files"`
	Bytes     int64     `json:"bytes"`       // read
	Total     int64     `json:"bytes_total"` // to be read, as surveyed at the start
	Stored    int64     `json:"bytes_stored"`
	Rate      int64     `json:"bytes_per_second"` // read, on average since the start
	Heartbeat time.Time `json:"heartbeat"`        // by the store's clock
	Silent    int64     `json:"heartbeat_age_seconds"`
}

// NeedsAttention tells whether somebody should look at the backup.
func (b *Backup) NeedsAttention() bool {
	switch b.State {
	case Waiting, Rejected, Conflict, Failed, Abandoned, Unsealed, Leftovers, Tampered, Unreadable:
		return true
	case Complete:
		return len(b.Reasons) > 0
	}
	return len(b.Findings) > 0 || b.Drill.failed() || b.Window != nil && b.Window.Gap != ""
}
