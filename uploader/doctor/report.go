// Package doctor looks at a live deployment with the credentials at hand,
// normally a database host's, and says line by line whether it protects the
// server's backups, and what to do where it does not.
//
// It writes one object, layout.Doctor in staging, the same each time. Whatever
// the credentials must not be able to do in the vault is tried by requests that
// could store or change nothing even if they were allowed; see bucket.Inspector.
package doctor

import (
	"time"
)

// State is what a check came to.
type State string

// The states.
const (
	OK       State = "ok"
	Warning  State = "warning"  // backups are made and kept, with less margin than they should have
	Critical State = "critical" // a backup fails, is not protected, or cannot be restored
	Unseen   State = "unseen"   // these credentials cannot see it, or another line says why; never the same as ok
)

// Line is one check.
type Line struct {
	Check string `json:"check"`
	State State  `json:"state"`
	Text  string `json:"text"`           // what was seen
	Next  string `json:"next,omitempty"` // what to do; empty where all is well
}

// Report is what was looked at. Its JSON is what "pgseal doctor --format json"
// prints: fields and checks may be added, never renamed.
type Report struct {
	Format  int       `json:"format"` // 1
	Server  string    `json:"server"`
	Vault   string    `json:"vault"`
	Staging string    `json:"staging"`
	At      time.Time `json:"at"`
	Lines   []Line    `json:"checks"` // every check has one, in the order of Checks
}

// Worst is the worst state; what is unseen counts as ok.
func (r *Report) Worst() State {
	worst := OK
	for _, l := range r.Lines {
		if l.State == Critical || l.State == Warning && worst == OK {
			worst = l.State
		}
	}
	return worst
}

// The checks. Their names are an interface: scripts read them.
const (
	checkApart       = "apart"
	checkVault       = "vault"
	checkLock        = "lock"
	checkVersioning  = "versioning"
	checkVaultRules  = "vault-rules"
	checkStaging     = "staging"
	checkExpiry      = "staging-expiry"
	checkClock       = "clock"
	checkConditional = "conditional-create"
	checkRehearsal   = "rehearsal"
	checkCreate      = "create"
	checkSeal        = "no-seal"
	checkOverwrite   = "no-overwrite"
	checkDelete      = "no-delete"
	checkSettings    = "no-settings"
	checkEncryption  = "encryption"
	checkUploads     = "uploads"
	checkSealAge     = "seal-age"
	checkWAL         = "wal"
	checkWindow      = "window"
	checkSweep       = "sweep"
	checkPostgres    = "postgres"
	checkPrivileges  = "privileges"
	checkArchiving   = "archiving"
	checkArchiver    = "archiver"
	checkPageWrites  = "full-page-writes"
	checkStandby     = "standby"
)

// Checks are all of them, in the order of the report.
var Checks = []string{
	checkApart, checkVault, checkLock, checkVersioning, checkVaultRules, checkStaging, checkExpiry, checkClock, checkConditional, checkRehearsal,
	checkCreate, checkSeal, checkOverwrite, checkDelete, checkSettings, checkEncryption, checkUploads, checkSealAge, checkWAL,
	checkWindow, checkSweep, checkPostgres, checkPrivileges, checkArchiving, checkArchiver, checkPageWrites, checkStandby,
}
