package layout

import (
	"fmt"
	"strings"
	"time"
)

const idFormat = "20060102T150405"

// Names of the objects beside the archives.
const (
	BackupInfoName = "backup.info"
	ManifestName   = "manifest.json"
)

// BackupID is the id of a backup that starts at t, by the clock on the wall of
// t's location, to the second, as barman-cloud makes it.
func BackupID(t time.Time) string { return t.Format(idFormat) }

// ParseBackupID reads an id as if it were UTC; the true time differs by the
// host's zone, at most 14 hours. ErrName when it is no id.
func ParseBackupID(id string) (time.Time, error) {
	t, err := time.Parse(idFormat, id)
	if err != nil || t.Format(idFormat) != id {
		return time.Time{}, fmt.Errorf("backup id %.40q: %w: it looks like 20261123T010203", id, ErrName)
	}
	return t, nil
}

// BaseDir is the prefix of all backups of a server.
func BaseDir(server string) string { return server + "/base/" }

// BackupDir is the prefix of all objects of one backup.
func BackupDir(server, id string) string { return BaseDir(server) + id + "/" }

// BackupInfo is the seal in the vault, and the claim and barman-style record in
// staging.
func BackupInfo(server, id string) string { return BackupDir(server, id) + BackupInfoName }

// Manifest is the key of a set's manifest in the vault.
func Manifest(server, id string) string { return BackupDir(server, id) + ManifestName }

// Keep is barman's annotation that a backup is to be kept, "full" or
// "standalone"; as long as it stands, the backup is not deleted.
func Keep(server, id string) string { return Annotations(server, id) + "keep" }

// Annotations is the prefix of barman's annotations of a backup, which are no
// part of it: no restore reads them.
func Annotations(server, id string) string { return BackupDir(server, id) + "annotations/" }

// Staging keys that are pgseal's own.
func ProgressDir(server string) string  { return Own + "/progress/" + server + "/" }
func CompleteDir(server string) string  { return Own + "/complete/" + server + "/" }
func VerdictDir(server string) string   { return Own + "/verdict/" + server + "/" }
func DrillDir(server string) string     { return Own + "/drill/" + server + "/" }
func Progress(server, id string) string { return ProgressDir(server) + id + ".json" }
func Marker(server, id string) string   { return CompleteDir(server) + id + ".json" }
func Verdict(server, id string) string  { return VerdictDir(server) + id + ".json" }
func Drill(server, id string) string    { return DrillDir(server) + id + ".json" }

// SweepDir is the prefix of what the sweep keeps of one server in staging:
// SweepRecord, what it found of one backup, and SweepNotes, what it has looked
// at. SweepCursor says which server is next; no server's name begins with a dot.
func SweepDir(server string) string        { return Own + "/sweep/" + server + "/" }
func SweepRecord(server, id string) string { return SweepDir(server) + id + ".json" }
func SweepNotes(server string) string      { return SweepDir(server) + "notes.json" }

const SweepCursor = Own + "/sweep/.cursor.json"

// MarkerPrefix is what a marker's key begins with, whatever the server: the
// filter of the event that wakes the finalizer.
const MarkerPrefix = Own + "/complete/"

// ParseMarker takes server and backup id out of a marker's key, which is all
// that a marker is trusted with. ErrName when it is no marker's key.
func ParseMarker(key string) (server, id string, err error) {
	rest, ours := strings.CutPrefix(key, MarkerPrefix)
	server, file, slash := strings.Cut(rest, "/")
	id, json := strings.CutSuffix(file, ".json")
	if !ours || !slash || !json {
		return "", "", fmt.Errorf("key %.200q: %w: a marker is %s<server>/<backup id>.json", key, ErrName, MarkerPrefix)
	}
	if err := CheckServer(server); err != nil {
		return "", "", err
	}
	if _, err := ParseBackupID(id); err != nil {
		return "", "", err
	}
	return server, id, nil
}

// Doctor is the object in staging that "pgseal doctor" writes anew each time it
// looks at a deployment: below the server's name, where its host may write, and
// outside of what anybody lists.
func Doctor(server string) string { return server + "/doctor.txt" }
