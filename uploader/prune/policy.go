package prune

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgseal/pgseal/uploader/barman"
)

// Policy is one of barman's retention policies: how many complete backups stay, or how far back a restore can reach.
type Policy struct {
	Redundancy int           // if Window is false
	Reach      time.Duration // if it is true
	Window     bool
}

var (
	redundancy = regexp.MustCompile(`(?i)^\s*redundancy\s+(\d+)\s*$`)
	window     = regexp.MustCompile(`(?i)^\s*recovery\s+window\s+of\s+(\d+)\s+(day|month|week)s?\s*$`)
	days       = map[string]int{"day": 1, "week": 7, "month": 31}
)

// maxDays keeps a window within what a Duration holds.
const maxDays = 100_000

// ParsePolicy reads "REDUNDANCY n" and "RECOVERY WINDOW OF n {DAYS|WEEKS|MONTHS}", in any case, as barman does; a month has
// 31 days there.
func ParsePolicy(s string) (Policy, error) {
	if m := redundancy.FindStringSubmatch(s); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return Policy{Redundancy: n}, nil
		}
	}
	if m := window.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		if d := days[strings.ToLower(m[2])]; err == nil && n <= maxDays/d {
			return Policy{Window: true, Reach: time.Duration(n*d) * 24 * time.Hour}, nil
		}
	}
	return Policy{}, fmt.Errorf("%q is no retention policy: write 'REDUNDANCY 3' or 'RECOVERY WINDOW OF 14 DAYS'", s)
}

// Obsolete gives the ids of the complete backups that the policy does not need, oldest first. Kept ones are not among them;
// nor are any of the newest, as many as atLeast says. all is in the order of the ids, with the annotations read.
func (p Policy) Obsolete(all []barman.Backup, atLeast int, now time.Time) (ids []string) {
	stay := 0
	covered := false // an older backup is not needed for the window
	for _, b := range slices.Backward(all) {
		if !b.Done() {
			continue
		}
		need := stay < max(p.Redundancy, atLeast)
		if p.Window {
			need = !covered || stay < atLeast
		}
		switch {
		case b.Keep.Kept && p.Window && covered: // stays, and does not count
			continue
		case need || b.Keep.Kept, p.Window && b.Fields.Time("end_time").IsZero():
		default:
			ids = append(ids, b.ID)
			continue
		}
		stay++
		covered = covered || b.Fields.Time("end_time").Before(now.Add(-p.Reach)) && !b.Fields.Time("end_time").IsZero()
	}
	slices.Reverse(ids)
	return ids
}
