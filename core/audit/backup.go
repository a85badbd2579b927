package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/walchain"
)

// runs is how long an upload may take before what it left counts as left over.
const runs = 24 * time.Hour

// set is what stands below one backup's directory.
type set struct {
	id       string
	objects  map[string]bucket.Object // current ones, by name
	versions map[string]int           // and delete markers
	hidden   map[string]bool
	newest   time.Time
	more     bool
}

func (l *look) listSet(ctx context.Context, id string) (*set, error) {
	s := &set{id: id, objects: map[string]bucket.Object{}, versions: map[string]int{}, hidden: map[string]bool{}}
	dir, n := layout.BackupDir(l.Server, id), 0
	for obj, err := range l.Vault.ListVersions(ctx, dir) {
		if err != nil {
			return nil, err
		}
		if n++; n > maxObjects {
			s.more = true
			break
		}
		name := strings.TrimPrefix(obj.Key, dir)
		s.versions[name]++
		switch {
		case obj.DeleteMarker && obj.Latest:
			s.hidden[name] = true
		case obj.Latest:
			s.objects[name] = obj
		}
		if obj.Created.After(s.newest) {
			s.newest = obj.Created
		}
	}
	return s, nil
}

// backup looks at one backup.
func (l *look) backup(ctx context.Context, id string) error {
	s, err := l.listSet(ctx, id)
	if err != nil {
		return err
	}
	info := layout.BackupInfo(l.Server, id)
	if s.more {
		l.add(Problem{Severity: Critical, Code: "flood", BackupID: id, Object: layout.BackupDir(l.Server, id), Text: fmt.Sprintf("more than %d objects are there; not all were looked at", maxObjects)})
	}
	if at, err := layout.ParseBackupID(id); err == nil && at.Sub(s.newest) > manifest.Slack+time.Hour {
		l.add(Problem{Severity: Critical, Code: "future", BackupID: id, Object: layout.BackupDir(l.Server, id), Text: fmt.Sprintf("the id is a time in the future of the store's, %s: as the latest backup it would hide the true one", s.newest.UTC().Format(time.RFC3339))})
	}
	_, there := s.objects[backupinfoName]
	_, complete := s.objects[manifestName]
	switch {
	case s.hidden[backupinfoName]:
		l.add(Problem{Severity: Critical, Code: "seal-gone", BackupID: id, Object: info, Text: "a delete marker hides it: no reader without versions sees this backup"})
		return nil
	case there:
	case complete && len(s.objects) == 1:
		return nil // what barman-cloud-backup-delete leaves of a backup by pgseal
	case complete:
		l.add(Problem{Severity: Warning, Code: "unsealed", BackupID: id, Object: layout.Manifest(l.Server, id), Text: "the set is complete, and has no seal: pgseal finalize says why"})
		return nil
	case l.Now().Sub(s.newest) > runs:
		l.add(Problem{Severity: Warning, Code: "leftovers", BackupID: id, Object: layout.BackupDir(l.Server, id), Text: "objects without a backup.info: an upload that ended, and that no restore sees"})
		return nil
	default:
		return nil // perhaps one that runs
	}
	body, obj, err := bucket.ReadAll(ctx, l.Vault, info, "", backupinfo.MaxBytes)
	switch {
	case errors.Is(err, bucket.ErrTooLarge), errors.Is(err, bucket.ErrInvalid):
		l.add(Problem{Severity: Critical, Code: "unreadable", BackupID: id, Object: info, Text: err.Error()})
		return nil
	case errors.Is(err, bucket.ErrNotFound):
		return nil // deleted this very moment
	case err != nil:
		return err
	}
	parsed, err := backupinfo.Parse(body)
	if err != nil || len(body) == 0 {
		text := "it is empty"
		if err != nil {
			text = err.Error()
		}
		l.add(Problem{Severity: Critical, Code: "unreadable", BackupID: id, Object: info, Text: text + ": barman skips the backup, and deletes none of this server any more"})
		return nil
	}
	if parsed.Comment("manifest_sha256") != "" {
		return l.sealed(ctx, id, parsed)
	}
	if complete {
		l.add(Problem{Severity: Critical, Code: "other-seal", BackupID: id, Object: info, Text: "it was not made by pgseal, although pgseal's manifest stands beside it"})
	}
	return l.stock(ctx, s, parsed, obj)
}

const (
	backupinfoName = layout.BackupInfoName
	manifestName   = layout.ManifestName
)

// sealed is for backups that say that pgseal sealed them.
func (l *look) sealed(ctx context.Context, id string, info backupinfo.Info) error {
	f := finalizer.Finalizer{Vault: readOnly{l.Vault}, Config: finalizer.Config{Encryption: l.Encryption}, Decompress: l.Decompress, Now: l.Now}
	findings, sealed, err := f.AuditSet(ctx, l.Server, id)
	if err != nil {
		return err
	}
	if !sealed {
		l.add(Problem{Severity: Critical, Code: "other-seal", BackupID: id, Object: layout.BackupInfo(l.Server, id),
			Text: "it says that pgseal made it, and no manifest in this directory explains it: the manifest is gone, or the seal is forged", Finding: finalizer.Tampered})
		return nil
	}
	for _, r := range findings {
		l.add(Problem{Severity: severity(r.Code), Code: r.Code, BackupID: id, Object: r.Object, Text: r.Text, Finding: r.Finding})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r.Sealed++
	l.infos = append(l.infos, found{id: id, info: info, noWAL: info.Comment("wal") != "checked"})
	return nil
}

// careful are the codes with which a restore still works.
var careful = map[string]bool{
	"wal-partial": true, "wal-double": true, "wal-versions": true, "history-fork": true, "retention": true, "unlocked": true, "encryption": true,
}

func severity(code string) Severity {
	if careful[code] {
		return Warning
	}
	return Critical
}

// wal follows a backup's WAL to the newest segment.
func (l *look) wal(ctx context.Context, f found) error {
	size := f.info.SegmentSize
	if !layout.SegmentSize(size) {
		size = 16 << 20 // initdb's; old versions of barman do not write it
	}
	if f.noWAL || f.info.BeginLSN == 0 || f.info.EndLSN == 0 || f.info.Timeline == 0 {
		return nil // told already
	}
	if l.archives[size] == nil {
		l.archives[size] = &walchain.Archive{Vault: l.Vault, Server: l.Server, Size: size, Decompress: l.Decompress}
	}
	r, err := l.archives[size].Check(ctx, walchain.Backup{Timeline: f.info.Timeline, Begin: f.info.BeginLSN, End: f.info.EndLSN})
	if err != nil {
		return err
	}
	if len(r.Holes) > 0 {
		l.holes[size] = append(l.holes[size], r.Holes)
	}
	for _, p := range r.Problems {
		found := finalizer.FindingOf(p.Code)
		if f.stock {
			found = ""
		}
		l.add(Problem{Severity: severity(p.Code), Code: p.Code, BackupID: f.id, Object: p.Key, Text: p.Text, Finding: found})
	}
	return nil
}
