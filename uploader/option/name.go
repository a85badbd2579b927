package option

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	backupID = regexp.MustCompile(`^\d{8}T\d{6}$`)
	// reserved are barman's words for a backup (3.17).
	reserved = []string{"first", "last", "last-failed", "last-full", "latest", "latest-full", "oldest", "auto"}
)

// checkBackupName holds a backup's name to barman's rules, and to what survives in a backup.info, which is a list of
// lines: names barman could not find again are refused here.
func checkBackupName(name string) error {
	switch {
	case name == "":
		return errors.New("backup name cannot be empty")
	case backupID.MatchString(name):
		return fmt.Errorf("backup name '%s' is not allowed: it looks like a backup id", name)
	case slices.Contains(reserved, name):
		return fmt.Errorf("backup name '%s' is not allowed: reserved word", name)
	case name == "None" || name != strings.TrimSpace(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("backup name %q is not allowed: backup.info cannot hold it", name)
	}
	return nil
}
