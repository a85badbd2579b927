// Package attack_test is a database host that has been taken over: it knows the host's credentials and has a store's own
// client, and tries what the table "What a compromised host can try" of docs/trust.md lists. The function, the sweep, the
// audit and the archiver are the built programs, each with its own identity. Every attempt ends refused by the store,
// rejected by the finalizer, or found by the audit. What the credentials alone are refused, key by key, is seal_test's.
package attack_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestMain(m *testing.M) { localaws.Main(m) }

// attack is one line of the table.
type attack struct {
	attempt string // as the page has it
	run     func(t *testing.T, s *scene)
}

var attacks = []attack{
	{"an archive added before the seal", addedBeforeTheSeal},
	{"an archive added after the seal, or in the moment of sealing", addedAfterTheSeal},
	{"a manifest written before the uploader's, or one that lists what is not there", manifestBeforeTheUploader},
	{"a second compression of a segment; a `.partial` beside one", secondForms},
	{"a forged history file", forgedHistory},
	{"future segments made in advance", futureSegments},
	{"a forged backup id of the future, a name used twice", forgedIDs},
	{"a flood of markers, keys or WAL ranges", floods},
	{"a forged marker, an edited marker", forgedMarkers},
	{"a key of one's own, or another than the vault's", foreignKeys},
	{"a storage class that no restore can wait for, for a new object", foreignClass},
	{"another class or tier for what is there, a copy over it", changedClass},
	{"a version on top, or a delete marker", replaced},
	{"a verdict, a finding or a proof of a drill of its own", forgedVerdicts},
	{"another server's prefix", anotherServer},
}

// Each attack has servers of its own in one cloud; the last one needs a host that may write for one server only.
func TestWhatACompromisedHostCanTry(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, "")
		for _, a := range attacks {
			t.Run(a.attempt, func(t *testing.T) {
				t.Parallel()
				a.run(t, s)
			})
		}
	})
}

// The page tells of these attempts, and of no others.
func TestEveryAttemptStandsInTheTrustPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/trust.md")
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?s)\n## What a compromised host can try\n(.*?)\n## `).FindSubmatch(page)
	if section == nil {
		t.Fatal("docs/trust.md has no such section")
	}
	var told []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| [^|]+ \|$`).FindAllSubmatch(section[1], -1) {
		if told = append(told, string(row[1])); told[len(told)-1] == "attempt" {
			told = told[:len(told)-1]
		}
	}
	for _, a := range attacks {
		if !slices.Contains(told, a.attempt) {
			t.Errorf("docs/trust.md does not tell of %q", a.attempt)
		}
	}
	for _, attempt := range told {
		if !slices.ContainsFunc(attacks, func(a attack) bool { return a.attempt == attempt }) {
			t.Errorf("nobody tries %q", attempt)
		}
	}
}
