package restore

import (
	"fmt"
	"regexp"
	"strings"
)

// settings of an earlier life that must not decide how this recovery goes: old targets end it in FATAL, an old
// primary_conninfo makes a standby of it (tried with PostgreSQL 15).
var oldSetting = regexp.MustCompile(`(?i)^\s*(recovery_[a-z_]+|primary_[a-z_]+|restore_command|archive_cleanup_command|standby_mode|promote_trigger_file|trigger_file|archive_mode)\s*[=\s]`)

const (
	beginOurs = "# pgseal restore:"
	maxAuto   = 1 << 20
)

// autoConf is postgresql.auto.conf without the old settings and with the new ones. What else is in it stays, byte for
// byte.
func (c Config) autoConf(old []byte, id string) ([]byte, error) {
	if len(old) > maxAuto {
		return nil, fmt.Errorf("%w: postgresql.auto.conf has %d bytes", ErrRefused, len(old))
	}
	var b strings.Builder
	for line := range strings.Lines(string(old)) {
		keeps := c.Recovery.ResumeArchiving && strings.Contains(strings.ToLower(line), "archive_mode")
		if oldSetting.MatchString(line) && !keeps || strings.HasPrefix(line, beginOurs) {
			continue
		}
		b.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	}
	fmt.Fprintf(&b, "%s backup %s of server %s\n", beginOurs, id, c.Server)
	for _, s := range c.settings() {
		fmt.Fprintf(&b, "%s = %s\n", s[0], quote(s[1]))
	}
	return []byte(b.String()), nil
}

// settings in their order: PostgreSQL takes one target only, and an empty one resets it, so that the empty ones come
// first and hide what postgresql.conf may say (assign_recovery_target in xlogrecovery.c, 15).
func (c Config) settings() (list [][2]string) {
	add := func(name, value string) { list = append(list, [2]string{name, value}) }
	t := c.Target
	target := [2]string{}
	switch {
	case c.Recovery.Standby:
	case !t.Time.IsZero():
		target = [2]string{"recovery_target_time", t.Time.Format("2006-01-02 15:04:05.999999-07:00")}
	case t.LSN != 0:
		target = [2]string{"recovery_target_lsn", t.LSN.String()}
	case t.XID != "":
		target = [2]string{"recovery_target_xid", t.XID}
	case t.Name != "":
		target = [2]string{"recovery_target_name", t.Name}
	case t.Immediate:
		target = [2]string{"recovery_target", "immediate"}
	}
	for _, name := range []string{"recovery_target", "recovery_target_time", "recovery_target_lsn", "recovery_target_xid", "recovery_target_name"} {
		if name != target[0] {
			add(name, "")
		}
	}
	if target[0] != "" {
		add(target[0], target[1])
	}
	inclusive := "on"
	if t.Exclusive {
		inclusive = "off"
	}
	add("recovery_target_inclusive", inclusive)
	add("recovery_target_timeline", orElse(t.Timeline, "latest"))
	add("recovery_target_action", orElse(t.Action, "pause"))
	add("recovery_min_apply_delay", "0")
	for _, name := range []string{"recovery_end_command", "archive_cleanup_command", "primary_conninfo", "primary_slot_name"} {
		add(name, "")
	}
	add("restore_command", c.Recovery.Command)
	if !c.Recovery.ResumeArchiving {
		add("archive_mode", "off") // a copy that archives poisons the archive of its source
	}
	return list
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// quote writes a value as postgresql.conf has it, where a backslash begins an escape.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s) + "'"
}
