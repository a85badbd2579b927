package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// create looks whether these credentials may make what a backup is made of.
func (l *look) create(ctx context.Context, staging bool) bool {
	for _, k := range []struct {
		place bucket.Inspector
		key   string
	}{
		{l.Vault, probeKey(l.Server, "data.tar")},
		{l.Vault, probeKey(l.Server, layout.ManifestName)},
		{l.Vault, layout.WAL(l.Server, "000000010000000000000001", "")},
		{l.Staging, layout.BackupInfo(l.Server, probe)},
		{l.Staging, layout.Progress(l.Server, probe)},
		{l.Staging, layout.Marker(l.Server, probe)},
	} {
		if k.place == l.Staging && !staging {
			continue // another line says why
		}
		if err := k.place.CheckCreate(ctx, k.key); err != nil {
			l.say(checkCreate, Critical, err.Error(), "give the host the rights of docs/trust.md: archives, manifests, WAL, and its records in staging")
			return false
		}
	}
	what := "archives, manifests and WAL can be created"
	if staging {
		what += ", and records in staging"
	}
	l.ok(checkCreate, "%s", what)
	return true
}

// forbidden are the attempts behind each check, and what it means where one is
// allowed.
var forbidden = []struct {
	check    string
	attempts []bucket.Attempt
	means    string
	next     string
}{
	{checkSeal, []bucket.Attempt{bucket.ToCreate},
		"so whoever has this host can say of any backup that it is complete", "take it from the host, and let the vault's policy deny backup.info to all but the finalizer; with --finalizer embedded it has to stay so"},
	{checkOverwrite, []bucket.Attempt{bucket.ToOverwrite},
		"so a restore may read what is not the backup", "let the vault's policy deny every create that is not conditional (S3), or take storage.objects.delete from the host (Google Cloud)"},
	{checkDelete, []bucket.Attempt{bucket.ToDelete},
		"so this host can hide backups, and remove them when their lock ends", "take every right to delete in the vault from the host"},
	{checkSettings, []bucket.Attempt{bucket.ToChangeLock, bucket.ToChangeVersions, bucket.ToChangeLifecycle},
		"so what protects the backups can be taken away from here", "take every right to configure the vault from the host, and deny it in the vault's policy"},
}

// rights tries what these credentials must not be able to do.
func (l *look) rights(ctx context.Context, may bool) {
	for _, f := range forbidden {
		if !may {
			l.unseen(f.check, "not tried: first create and rehearsal have to be well")
			continue
		}
		var allowed []string
		var blind error
		refused := ""
		for _, a := range f.attempts {
			err := l.try(ctx, a)
			switch {
			case err == nil:
				allowed = append(allowed, string(a))
			case errors.Is(err, bucket.ErrDenied):
				refused = "refused by the rights, as it should be"
			case errors.Is(err, bucket.ErrRetained):
				refused = "refused by the lock, as it should be"
			default:
				blind = err
			}
		}
		switch {
		case len(allowed) > 0:
			l.say(f.check, Critical, fmt.Sprintf("these credentials may %s in the vault, %s", strings.Join(allowed, " and "), f.means), f.next)
		case errors.Is(blind, bucket.ErrNotFound):
			l.unseen(f.check, "the store decides by what is there, and the vault is empty yet")
		case blind != nil:
			l.failed(f.check, blind, "try again")
		default:
			l.ok(f.check, "%s", refused)
		}
	}
}

// try makes an attempt at the place where it tells most: a seal for a create, and
// for an overwrite an object that exists where the store asks for one.
func (l *look) try(ctx context.Context, a bucket.Attempt) error {
	if a == bucket.ToCreate {
		return l.Vault.Try(ctx, a, probeKey(l.Server, layout.BackupInfoName))
	}
	err := l.Vault.Try(ctx, a, probeKey(l.Server, "data.tar"))
	if a != bucket.ToOverwrite || !errors.Is(err, bucket.ErrNotFound) {
		return err
	}
	for obj, listErr := range l.Vault.List(ctx, l.Server+"/") {
		if listErr != nil {
			return listErr
		}
		return l.Vault.Try(ctx, a, obj.Key)
	}
	return err
}

// uploads looks for those that nobody ended.
func (l *look) uploads(ctx context.Context, vault, staging bool) {
	old, example := 0, ""
	for _, place := range []struct {
		bucket.Inspector
		answers bool
	}{{l.Vault, vault}, {l.Staging, staging}} {
		if !place.answers {
			continue
		}
		for u, err := range place.Unfinished(ctx, l.Server+"/") {
			if err != nil {
				l.failed(checkUploads, err, "try again")
				return
			}
			if l.Now().Sub(u.Created) > day {
				if old++; old == 1 {
					example = fmt.Sprintf("%s/%s, begun %s ago", place.URL(), u.Key, catalog.Ago(l.Now().Sub(u.Created)))
				}
			}
		}
	}
	switch {
	case old > 0:
		l.say(checkUploads, Warning, fmt.Sprintf("%d uploads are older than a day, such as %s: they cost, and no listing shows them", old, example), "add a lifecycle rule that ends incomplete multipart uploads after 7 days; until then: aws s3api abort-multipart-upload")
	case vault || staging:
		l.ok(checkUploads, "none is older than a day, as far as the store keeps unfinished ones")
	}
}
