package finalizer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
)

// Config is what the operator of the finalizer decides; nothing in it can be
// changed by a host.
type Config struct {
	// WALOff names the servers whose WAL is not looked for; WALOffElse holds for
	// all others.
	WALOff     map[string]bool
	WALOffElse bool
	// WALDeadline is how long a set may wait for its WAL, from the manifest's
	// creation on, before it is rejected.
	WALDeadline time.Duration
	// MinRetention is how long every object must stay locked, counted from its own
	// creation; 0 asks for nothing.
	MinRetention time.Duration
	// SealRetention is how long all that a backup needs is locked from its
	// manifest's creation on; the finalizer extends the locks just before it
	// seals. 0: it touches no lock.
	SealRetention time.Duration
	// Encryption lists what the vault's objects may be encrypted with, in the
	// words of bucket.Object's Encryption, and "default" for what the store does by
	// itself and does not name; empty allows anything.
	Encryption []string
	// AbandonAfter is how old a heartbeat may be before the sweep calls its upload
	// abandoned; 0 means DefaultAbandonAfter.
	AbandonAfter time.Duration
	// Deadline bounds one call where the platform passes none.
	Deadline time.Duration
}

// Defaults that the environment changes.
const (
	DefaultWALDeadline = 72 * time.Hour
	DefaultDeadline    = 5 * time.Minute
	// DefaultAbandonAfter: the uploader sends a heartbeat every few seconds; half
	// an hour is longer than any store was ever away without its giving up.
	DefaultAbandonAfter = 30 * time.Minute
)

// Variables are the names that ConfigFromEnv reads.
const (
	EnvWALCheck     = "PGSEAL_WAL_CHECK"
	EnvWALDeadline  = "PGSEAL_WAL_DEADLINE"
	EnvMinRetention = "PGSEAL_MIN_RETENTION"
	EnvEncryption   = "PGSEAL_VAULT_ENCRYPTION"
	EnvAbandonAfter = "PGSEAL_ABANDON_AFTER"
	EnvSealLock     = "PGSEAL_SEAL_RETENTION"
	EnvDeadline     = "PGSEAL_DEADLINE"
)

// ConfigFromEnv reads the configuration from PGSEAL_WAL_CHECK (require or off,
// and then server=require or server=off after commas), PGSEAL_WAL_DEADLINE,
// PGSEAL_MIN_RETENTION, PGSEAL_SEAL_RETENTION, PGSEAL_ABANDON_AFTER and
// PGSEAL_DEADLINE (Go durations, and d for days), and
// PGSEAL_VAULT_ENCRYPTION (words as the store says them, "aws:kms:KEY" for a
// key of one's own, "default" for what the store does not name, separated by
// commas). An error names the variable.
func ConfigFromEnv(getenv func(string) string) (Config, error) {
	c := Config{WALDeadline: DefaultWALDeadline, AbandonAfter: DefaultAbandonAfter, Deadline: DefaultDeadline, WALOff: map[string]bool{}}
	if err := c.setWALCheck(getenv(EnvWALCheck)); err != nil {
		return Config{}, fmt.Errorf("%s: %w", EnvWALCheck, err)
	}
	for name, field := range map[string]*time.Duration{
		EnvWALDeadline: &c.WALDeadline, EnvMinRetention: &c.MinRetention, EnvSealLock: &c.SealRetention, EnvAbandonAfter: &c.AbandonAfter, EnvDeadline: &c.Deadline,
	} {
		text := getenv(name)
		if text == "" {
			continue
		}
		d, err := parseDuration(text)
		if err != nil || d < 0 || d == 0 && name != EnvMinRetention && name != EnvSealLock {
			return Config{}, fmt.Errorf("%s: %q is no duration like 90s, 26h or 30d", name, text)
		}
		*field = d
	}
	for word := range strings.SplitSeq(getenv(EnvEncryption), ",") {
		if word = strings.TrimSpace(word); word != "" {
			c.Encryption = append(c.Encryption, word)
		}
	}
	if c.SealRetention > 0 && c.SealRetention < c.MinRetention {
		return Config{}, fmt.Errorf("%s: %s is less than %s asks for", EnvSealLock, c.SealRetention, EnvMinRetention)
	}
	if c.Deadline < 5*time.Second {
		return Config{}, fmt.Errorf("%s: %s leaves no time to work; give at least 5s", EnvDeadline, c.Deadline)
	}
	return c, nil
}

func (c *Config) setWALCheck(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		server, value, named := strings.Cut(strings.TrimSpace(word), "=")
		if !named {
			server, value = "", server
		}
		if value != "require" && value != "off" && !(value == "" && text == "") {
			return fmt.Errorf("%q is neither require nor off", word)
		}
		if !named {
			c.WALOffElse = value == "off"
			continue
		}
		if err := layout.CheckServer(server); err != nil {
			return err
		}
		c.WALOff[server] = value == "off"
	}
	return nil
}

// CheckWAL tells whether this server's backups are sealed only with their WAL.
func (c Config) CheckWAL(server string) bool {
	off, named := c.WALOff[server]
	return !off && named || !named && !c.WALOffElse
}

func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		hours, err := time.ParseDuration(days + "h")
		if err != nil || hours.Abs() > 1<<16*time.Hour {
			return 0, fmt.Errorf("%q", s)
		}
		return 24 * hours, nil
	}
	return time.ParseDuration(s)
}

func (c Config) abandonAfter() time.Duration {
	if c.AbandonAfter == 0 {
		return DefaultAbandonAfter
	}
	return c.AbandonAfter
}

// Encrypted says what is wrong with an object's encryption, if allowed knows it
// not. A key that somebody else holds can be destroyed when the lock still
// keeps what nobody can read any more.
func Encrypted(allowed []string, have bucket.Object) Reason {
	word := have.Encryption
	if word == "" {
		word = "default"
	}
	if len(allowed) == 0 || slices.Contains(allowed, word) {
		return Reason{}
	}
	return reason("encryption", have.Key, "it is encrypted with %q, and this vault allows %q", word, allowed)
}
