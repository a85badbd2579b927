// Package proof is what a restore drill leaves in staging beside the verdict: that a backup was brought back, PostgreSQL
// was started on it, and what was found.
//
// The last drill of a backup counts: a proof replaces the one before. Only the identity that restores may write it, and
// whoever reads it trusts it no further than that: its size and its fields are bounded.
package proof

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// Outcome is how a drill, or a step of one, ended.
type Outcome string

// The outcomes. Skipped is for steps alone. A drill that could not do its work, for lack of room or of an answer from the
// store, or that was interrupted, says nothing of the backup and leaves no proof.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// The steps, in their order. The first that fails is the last.
const (
	Restore = "restore" // the archives were fetched, verified and unpacked
	Verify  = "verify"  // pg_verifybackup against backup_manifest
	Recover = "recover" // PostgreSQL started, and recovered to Proof.RecoveredTo
	Check   = "check"   // pg_amcheck
	Query   = "query"   // the query that was asked for
)

// Proof is one drill. The field names are an interface: status and users' scripts read them.
type Proof struct {
	Format   int     `json:"format"` // 1
	Server   string  `json:"server"`
	BackupID string  `json:"backup_id"`
	Outcome  Outcome `json:"outcome"` // passed or failed

	// ManifestSHA256 is of the manifest whose seal was drilled; "" for a backup that pgseal did not seal.
	ManifestSHA256 string `json:"manifest_sha256,omitempty"`
	Archives       int    `json:"archives"`
	Bytes          int64  `json:"bytes"`                    // of the archives, as stored
	Restored       int64  `json:"restored_bytes,omitempty"` // of the files they became

	PostgreSQL  string     `json:"postgresql,omitempty"` // as the server that was started names its version
	RecoveredTo layout.LSN `json:"recovered_to"`         // 0/0: it did not get there
	Databases   int        `json:"databases,omitempty"`

	Steps  []Step   `json:"steps"`
	Result *Result  `json:"result,omitempty"` // of the query
	Notes  []string `json:"notes,omitempty"`  // of the restore: what somebody should look at

	Host  string    `json:"host"`
	Begin time.Time `json:"begin"` // by the drilling host's clock, as End
	End   time.Time `json:"end"`
	Build string    `json:"build"` // pgseal's version
}

// Step is one step of a drill.
type Step struct {
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	Took    int64   `json:"ms,omitempty"`
	Text    string  `json:"text,omitempty"` // why it failed or was skipped, or what was done
}

// Result is what the query returned: never the rows themselves.
type Result struct {
	Database string `json:"database"`
	Query    string `json:"query"`
	Rows     int64  `json:"rows"`
	SHA256   string `json:"sha256"` // of the rows, see docs/formats.md
}

// The limits of what is written and read.
const (
	MaxBytes = 1 << 20 // a control character takes six bytes in JSON
	MaxText  = 2 << 10 // of each text
	MaxNotes = 20
	maxSteps = 16
)

// ErrFormat: not a proof of this backup, or one that contradicts itself.
var ErrFormat = errors.New("no proof of a drill")

// Failure is the step at which the drill failed; nil for one that passed.
func (p Proof) Failure() *Step {
	for i, s := range p.Steps {
		if s.Outcome == Failed {
			return &p.Steps[i]
		}
	}
	return nil
}

// Parse reads the proof of a drill of this backup. ErrFormat otherwise.
func Parse(body []byte, server, id string) (Proof, error) {
	var p Proof
	if len(body) > MaxBytes || !utf8.Valid(body) {
		return p, fmt.Errorf("%w: too long, or no text", ErrFormat)
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if p.Format != 1 || p.Server != server || p.BackupID != id {
		return Proof{}, fmt.Errorf("%w: not of this backup, or of another format", ErrFormat)
	}
	if err := p.check(); err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return p, nil
}

// check holds the fields against each other.
func (p Proof) check() error {
	failed := p.Failure()
	switch {
	case p.Outcome != Passed && p.Outcome != Failed:
		return errors.New("the outcome is neither passed nor failed")
	case (p.Outcome == Failed) != (failed != nil):
		return errors.New("the outcome is not that of the steps")
	case len(p.Steps) == 0 || len(p.Steps) > maxSteps || len(p.Notes) > MaxNotes:
		return errors.New("no steps, or too many steps or notes")
	case failed != nil && failed != &p.Steps[len(p.Steps)-1]:
		return errors.New("something follows the step that failed")
	case p.Begin.IsZero() || p.End.Before(p.Begin):
		return errors.New("the times are not in order")
	case p.Archives < 0 || p.Bytes < 0 || p.Restored < 0 || p.Databases < 0:
		return errors.New("a number is negative")
	case p.Outcome == Passed && p.RecoveredTo == 0:
		return errors.New("it passed, and recovered to nowhere")
	}
	texts := append([]string{p.ManifestSHA256, p.PostgreSQL, p.Host, p.Build}, p.Notes...)
	for _, s := range p.Steps {
		if s.Outcome != Passed && s.Outcome != Failed && s.Outcome != Skipped || s.Name == "" || s.Took < 0 {
			return errors.New("a step has no name or no outcome")
		}
		texts = append(texts, s.Name, s.Text)
	}
	if r := p.Result; r != nil {
		if r.Rows < 0 {
			return errors.New("a number is negative")
		}
		texts = append(texts, r.Database, r.Query, r.SHA256)
	}
	for _, t := range texts {
		if len(t) > MaxText {
			return errors.New("a text is too long")
		}
	}
	return nil
}

// Read reads the proof of the last drill of one backup, and the staging object it came from. bucket.ErrNotFound when it
// was never drilled, or the proof has expired.
func Read(ctx context.Context, staging bucket.Bucket, server, id string) (Proof, bucket.Object, error) {
	key := layout.Drill(server, id)
	body, obj, err := bucket.ReadAll(ctx, staging, key, "", MaxBytes)
	if err != nil {
		return Proof{}, obj, err
	}
	p, err := Parse(body, server, id)
	if err != nil {
		return Proof{}, obj, fmt.Errorf("%s/%s: %w", staging.URL(), key, err)
	}
	return p, obj, nil
}

// Encode is what is kept in staging, at layout.Drill. Texts are cut to what a reader takes. ErrFormat for what no reader would
// take.
func (p Proof) Encode() ([]byte, error) {
	p.cut()
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	body, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode the proof: %w", err)
	}
	return append(body, '\n'), nil
}

func (p *Proof) cut() {
	for _, s := range []*string{&p.ManifestSHA256, &p.PostgreSQL, &p.Host, &p.Build} {
		*s = cut(*s)
	}
	p.Notes = append([]string(nil), p.Notes[:min(len(p.Notes), MaxNotes)]...)
	for i := range p.Notes {
		p.Notes[i] = cut(p.Notes[i])
	}
	p.Steps = append([]Step(nil), p.Steps...)
	for i := range p.Steps {
		p.Steps[i].Text = cut(p.Steps[i].Text)
	}
	if p.Result != nil {
		r := *p.Result
		r.Database, r.Query = cut(r.Database), cut(r.Query)
		p.Result = &r
	}
}

// cut shortens a text to MaxText bytes of valid UTF-8.
func cut(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= MaxText {
		return s
	}
	s = s[:MaxText]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}
