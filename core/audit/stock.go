package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
)

// stock looks at a backup of barman-cloud's or CloudNativePG's. It has no
// manifest: what is looked for is what a restore by listing stumbles over
// (barman 3.4 to 3.17).
func (l *look) stock(ctx context.Context, s *set, info backupinfo.Info, obj bucket.Object) error {
	key := layout.BackupInfo(l.Server, s.id)
	bad := func(severity Severity, code, object, format string, args ...any) {
		l.add(Problem{Severity: severity, Code: code, BackupID: s.id, Object: object, Text: fmt.Sprintf(format, args...)})
	}
	if n := s.versions[backupinfoName]; n > 1 {
		bad(Warning, "doubled", key, "it was written %d times: the older versions stay as long as they are locked, and deleting the newest brings one of them back", n)
	}
	if len(info.Unknown) > 0 {
		bad(Warning, "unknown-field", key, "it has fields that this version of pgseal does not know, %.200q: a barman that does not know them fails for the whole server (3.15 and later) or leaves this backup out", info.Unknown)
	}
	switch info.Status {
	case backupinfo.Done:
	case backupinfo.Started:
		if l.Now().Sub(obj.Created) > runs {
			bad(Critical, "started", key, "it says STARTED since %s: the process died, or the store refused the second write; barman lists no such backup, and restores it as the latest", obj.Created.UTC().Format(time.RFC3339))
		}
		return nil
	case backupinfo.Failed:
		bad(Warning, "failed", key, "it says FAILED: %.200s", info.Error)
		return nil
	default:
		bad(Critical, "status", key, "its status is %.40q", info.Status)
		return nil
	}
	for name, missing := range map[string]bool{
		"end_time": info.EndTime.IsZero(), "begin_wal": info.BeginWAL() == "" && info.BeginLSN == 0, "version": info.Version == 0,
	} {
		if missing {
			bad(Critical, "field-missing", key, "%s is missing: barman's list fails for the whole server, or a restore after it has unpacked everything", name)
		}
	}
	l.stockArchives(s, info, bad)
	if err := l.stockLocks(ctx, s, obj, bad); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r.Stock++
	l.infos = append(l.infos, found{id: s.id, info: info, stock: true})
	return nil
}

type report func(severity Severity, code, object, format string, args ...any)

// stockArchives looks for what a restore would take, and for what it would miss.
func (l *look) stockArchives(s *set, info backupinfo.Info, bad report) {
	dir := layout.BackupDir(l.Server, s.id)
	bases := []string{layout.Data}
	for _, t := range info.Tablespaces {
		bases = append(bases, fmt.Sprint(t.OID))
	}
	for _, base := range bases {
		numbers, mains := []int{}, 0
		for name, obj := range s.objects {
			if !layout.ReadByRestore(name, base) {
				continue
			}
			a, err := layout.ParseArchive(name)
			if err != nil {
				bad(Critical, "extra", obj.Key, "a restore takes it for an archive, and cannot read it")
				continue
			}
			if numbers = append(numbers, a.Number); a.Number == 0 {
				mains++
			}
			if obj.Size == 0 {
				bad(Critical, "empty", obj.Key, "it has no bytes, and a restore fails at it")
			}
		}
		slices.Sort(numbers)
		switch {
		case mains == 0:
			bad(Critical, "missing", dir+base+".tar", "backup.info says DONE, and this archive is not there in any compression")
		case mains > 1:
			bad(Critical, "two-forms", dir+base+".tar", "it is there in %d compressions, and a restore takes the last one listed", mains)
		}
		for n := 1; n < len(numbers); n++ {
			if gap := numbers[n-1] + 1; numbers[n] > gap && mains > 0 {
				bad(Critical, "missing", fmt.Sprintf("%s%s_%04d.tar", dir, base, gap), "later parts are there, and this one is not: a restore leaves its files out without a word")
				break
			}
		}
	}
	for name, n := range s.versions {
		a, err := layout.ParseArchive(name)
		switch {
		case err != nil:
		case s.hidden[name]:
			bad(Critical, "hidden", dir+name, "a delete marker hides it")
		case n > 1:
			bad(Critical, "versions", dir+name, "it was written %d times: a restore reads the newest", n)
		case !slices.Contains(bases, a.Base):
			bad(Warning, "extra", dir+name, "it is of a tablespace that backup.info does not name: nothing reads or deletes it")
		}
	}
}

// stockLocks holds the locks of the archives against that of backup.info.
func (l *look) stockLocks(ctx context.Context, s *set, obj bucket.Object, bad report) error {
	seal, err := l.Vault.Stat(ctx, obj.Key, obj.Version)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	for name, have := range s.objects {
		if _, err := layout.ParseArchive(name); err != nil {
			continue
		}
		if !have.RetentionSeen {
			seen, err := l.Vault.Stat(ctx, have.Key, have.Version)
			switch {
			case errors.Is(err, bucket.ErrInvalid):
				bad(Critical, "unreadable", have.Key, "the store shows nothing of it: it is encrypted with a key that only its writer has")
				continue
			case errors.Is(err, bucket.ErrNotFound):
				continue
			case err != nil:
				return err
			}
			have = seen
		}
		if finalizer.SlowClass(have.Class) {
			bad(Critical, "class", have.Key, "storage class %s cannot be read at once", have.Class)
		}
		if p := finalizer.Encrypted(l.Encryption, have); p.Code != "" {
			bad(Warning, p.Code, p.Object, "%s", p.Text)
		}
		if p := finalizer.Outlives(seal, have); p.Code != "" {
			bad(severity(p.Code), p.Code, p.Object, "%s", p.Text)
		}
	}
	return nil
}

// readOnly is a bucket through which nothing is written, whatever asks.
type readOnly struct{ bucket.Bucket }

var errReadOnly = &bucket.Error{Op: "create", Kind: bucket.ErrDenied, Code: "an audit writes nothing"}

func (readOnly) Create(context.Context, string, io.Reader, bucket.CreateOptions) (bucket.Object, error) {
	return bucket.Object{}, errReadOnly
}

func (readOnly) Put(context.Context, string, []byte) (bucket.Object, error) {
	return bucket.Object{}, errReadOnly
}

func (readOnly) Retain(context.Context, string, string, time.Time) error { return errReadOnly }
