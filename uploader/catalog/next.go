package catalog

import (
	"strings"

	"github.com/pgseal/pgseal/core/finalizer"
)

// next is the command to type next, whole, for a POSIX shell.
func (r Reader) next(b Backup) string {
	switch b.State {
	case Complete, Waiting, Unsealed:
		if len(b.Reasons) > 0 && b.Reasons[0].Code == "no-manifest" {
			return r.ours("status")
		}
		return r.ours("finalize", b.ID)
	case Rejected:
		if b.Class == string(finalizer.ClassWAL) { // the one that reopens
			return r.ours("finalize", b.ID)
		}
		return r.ours("backup")
	case Tampered:
		return r.ours("finalize", b.ID)
	case Conflict, Failed, Abandoned, Leftovers:
		return r.ours("backup")
	case Unreadable:
		if b.Objects > 0 {
			return r.ours("finalize", b.ID)
		}
		return r.ours("backup")
	case Sealed:
		if len(b.Findings) > 0 || b.Window != nil && b.Window.Gap != "" {
			return r.ours("backup")
		}
		if b.Drill.failed() {
			return r.ours("drill", b.ID)
		}
		return r.words([]string{"pgseal", "restore"}, b.ID, "/path/to/an/empty/directory")
	case Foreign:
		return r.barmans("barman-cloud-backup-show", b.ID)
	}
	return ""
}

// ours is a command of pgseal.
func (r Reader) ours(command string, more ...string) string {
	staging := "STAGING_URL"
	if r.Staging != nil {
		staging = Quote(r.Staging.URL())
	}
	return r.words([]string{"pgseal", command, "--staging-url", staging}, more...)
}

// words are a command with what reaches the vault.
func (r Reader) words(words []string, more ...string) string {
	for _, w := range append(append(append([]string{}, r.Flags...), r.Vault.URL(), r.Server), more...) {
		words = append(words, Quote(w))
	}
	return strings.Join(words, " ")
}

// barmans is a command of barman-cloud, which knows no file:// URLs.
func (r Reader) barmans(command string, more ...string) string {
	provider := ""
	switch scheme, _, _ := strings.Cut(r.Vault.URL(), ":"); scheme {
	case "s3":
		provider = "aws-s3"
	case "gs":
		provider = "google-cloud-storage"
	case "http", "https":
		provider = "azure-blob-storage"
	default:
		return ""
	}
	return r.words([]string{command, "--cloud-provider", provider}, more...)
}

// Quote makes one word for a shell of s.
func Quote(s string) string {
	plain := s != ""
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:@%+=,", c)) {
			plain = false
		}
	}
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
