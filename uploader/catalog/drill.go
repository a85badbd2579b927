package catalog

import (
	"errors"
	"fmt"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/proof"
)

// Drill is what the last drill of a backup came to, as the identity that restores wrote it down.
type Drill struct {
	Outcome proof.Outcome `json:"outcome"` // passed or failed
	Time    time.Time     `json:"time"`    // when the proof appeared in staging, by the store's clock
	Age     int64         `json:"age_seconds"`
	Host    string        `json:"host,omitempty"` // where it ran
	// Step and Reason are those of a drill that failed: restore, verify, recover, check or query, and why.
	Step   string `json:"step,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// LastDrill is the drill that passed last.
type LastDrill struct {
	BackupID string    `json:"backup_id"`
	Time     time.Time `json:"time"`
	Age      int64     `json:"age_seconds"`
}

func (d *Drill) failed() bool { return d != nil && d.Outcome == proof.Failed }

// addDrill adds what the last drill came to. A proof of another seal under the same id proves nothing of this one.
func (b *Backup) addDrill(f *records, now time.Time) {
	p := f.drill
	if p == nil || f.seal == nil || f.seal.Comment("manifest_sha256") != p.ManifestSHA256 {
		return
	}
	at := f.drillObject.Created.UTC()
	b.Drill = &Drill{Outcome: p.Outcome, Time: at, Age: span(now.Sub(at)), Host: Printable(p.Host)}
	if s := p.Failure(); s != nil {
		b.Drill.Step, b.Drill.Reason = Printable(s.Name), Printable(s.Text)
	}
}

// drillNotes tell of proofs that cannot be read. A host may not, where its rights end at its verdicts: that is one note
// for all.
func drillNotes(found []*records) (notes []string) {
	denied := 0
	for _, f := range found {
		switch {
		case errors.Is(f.drillErr, bucket.ErrDenied):
			denied++
		case f.drillErr != nil:
			notes = append(notes, Printable(fmt.Sprintf("what the last drill of %s came to cannot be read: %v", f.id, f.drillErr)))
		}
	}
	if denied > 0 {
		notes = append(notes, fmt.Sprintf("these credentials may not read what came of drills (%d of these backups were drilled); those that restore may", denied))
	}
	return notes
}

// drilled counts the backups whose last drill came to that.
func (c *Catalog) drilled(outcome proof.Outcome) (n int) {
	for i := range c.Backups {
		if d := c.Backups[i].Drill; d != nil && d.Outcome == outcome {
			n++
		}
	}
	return n
}

// lastDrill is the one that passed last of all.
func (c *Catalog) lastDrill() (last *LastDrill) {
	for n := range c.Backups {
		if d := c.Backups[n].Drill; d != nil && d.Outcome == proof.Passed && (last == nil || d.Time.After(last.Time)) {
			last = &LastDrill{BackupID: c.Backups[n].ID, Time: d.Time, Age: d.Age}
		}
	}
	return last
}
