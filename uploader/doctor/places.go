package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// vault looks whether the vault answers and what it does with what it is given.
func (l *look) vault(ctx context.Context) bool {
	n := 0
	for _, err := range l.Vault.Dirs(ctx, layout.BaseDir(l.Server)) {
		if err != nil {
			l.say(checkVault, Critical, err.Error(), "correct the URL, the credentials or their rights: nothing works without a listing")
			return false
		}
		n++
	}
	l.ok(checkVault, "can be listed; directories of backups: %d", n)
	var err error
	l.lock, err = l.Vault.Lock(ctx)
	if err != nil {
		l.failed(checkLock, err, "try again; nothing is known of the lock")
		return true
	}
	l.locked = true
	l.vaultLock()
	l.versioning()
	l.vaultRules(ctx)
	return true
}

func (l *look) vaultLock() {
	lock := l.lock
	days := catalog.Ago(lock.Default)
	switch {
	case !lock.Enabled:
		l.say(checkLock, Critical, "nothing is kept against its deletion", "make a vault with a lock (docs/trust.md, terraform/): on S3 a bucket is best made with Object Lock, elsewhere give it a retention policy")
	case lock.Default == 0 && lock.Mode == "container policy":
		l.unseen(checkLock, "there is a policy, and Azure does not tell for how long it keeps: state it in PGSEAL_AZURE_RETENTION")
	case lock.Default == 0:
		l.say(checkLock, Warning, "objects can be locked, and are not unless --retention or --retain-until asks for it", "give the bucket a default retention: it is one setting for all writers, and the host then needs no right to set locks")
	case l.MinRetention > lock.Default:
		l.say(checkLock, Critical, fmt.Sprintf("%s, %s for every new object, and the finalizer asks for %s: it rejects every backup", lock.Mode, days, catalog.Ago(l.MinRetention)), "make the lock longer, or PGSEAL_MIN_RETENTION shorter")
	case lock.Mode == "GOVERNANCE":
		l.say(checkLock, Warning, fmt.Sprintf("GOVERNANCE, %s: whoever has s3:BypassGovernanceRetention can delete all the same", days), "change the default to COMPLIANCE")
	case lock.Mode == "unlocked":
		l.say(checkLock, Warning, fmt.Sprintf("a retention policy of %s that whoever administers the bucket can take away", days), "lock the policy, which is for good: gcloud storage buckets update --lock-retention-period")
	default:
		l.ok(checkLock, "%s, %s for every new object", lock.Mode, days)
	}
}

func (l *look) versioning() {
	lock, s3 := l.lock, strings.HasPrefix(l.Vault.URL(), "s3:")
	switch {
	case s3 && lock.Versioning:
		l.ok(checkVersioning, "on: an overwrite makes a version, and loses nothing")
	case s3 && !lock.Enabled:
		l.unseen(checkVersioning, "a bucket with Object Lock has it; see lock")
	case s3:
		l.say(checkVersioning, Critical, "off or suspended, and without it Object Lock keeps nothing new", "switch the versioning of the bucket on")
	case lock.Versioning:
		l.say(checkVersioning, Warning, "on: an overwrite lands on top of what is kept, and a stock restore reads it", "switch it off: without versions the lock keeps the name as well")
	default:
		l.ok(checkVersioning, "off: names are kept, not only contents")
	}
}

// vaultRules looks for the rule that hides backups on S3.
func (l *look) vaultRules(ctx context.Context) {
	if !strings.HasPrefix(l.Vault.URL(), "s3:") {
		l.ok(checkVaultRules, "no lifecycle rule can hide what is kept here")
		return
	}
	switch expiry, err := l.Vault.Expiry(ctx); {
	case err != nil:
		l.failed(checkVaultRules, err, "try again")
	case expiry > 0:
		l.say(checkVaultRules, Critical, fmt.Sprintf("a lifecycle rule expires objects after %s: it makes delete markers, which hide what is locked", catalog.Ago(expiry)), "take the rule away; what may go is deleted by version, by somebody who may")
	default:
		l.ok(checkVaultRules, "no lifecycle rule makes delete markers")
	}
}

// staging looks whether staging answers, is not locked, and is emptied by itself.
func (l *look) staging(ctx context.Context) bool {
	for _, err := range l.Staging.Dirs(ctx, layout.BaseDir(l.Server)) {
		if err != nil {
			l.say(checkStaging, Critical, err.Error(), "correct --staging-url, the credentials or their rights: without staging no backup begins")
			return false
		}
	}
	switch lock, err := l.Staging.Lock(ctx); {
	case err != nil:
		l.failed(checkStaging, err, "try again")
	case lock.Enabled && l.lines[checkApart].State == Critical:
		l.unseen(checkStaging, "it is locked as the vault is; see apart")
	case lock.Enabled:
		l.say(checkStaging, Critical, "it is locked, and what is kept there is written more than once", "give staging another bucket or path, without a lock")
	default:
		l.ok(checkStaging, "can be listed, and is not locked")
	}
	switch expiry, err := l.Staging.Expiry(ctx); {
	case l.lines[checkApart].State == Critical:
		l.unseen(checkExpiry, "see apart")
	case err != nil:
		l.failed(checkExpiry, err, "try again")
	case expiry == 0:
		l.say(checkExpiry, Warning, "no lifecycle rule deletes what is old there", "add one that deletes after 30 days or so")
	case expiry < 7*24*time.Hour:
		l.say(checkExpiry, Warning, fmt.Sprintf("a lifecycle rule deletes after %s, perhaps before anybody has read why a backup failed", catalog.Ago(expiry)), "let it be 30 days or so")
	default:
		l.ok(checkExpiry, "a lifecycle rule deletes after %s", catalog.Ago(expiry))
	}
	return true
}

// What pgseal backup allows a clock to differ from the store's, and when it has a
// word about it.
const (
	noteSkew = time.Minute
	maxSkew  = 6 * time.Hour
)

// clock compares this machine's with each store's.
func (l *look) clock(ctx context.Context) {
	worst, seen := time.Duration(0), false
	var failed error
	for _, b := range []bucket.Inspector{l.Vault, l.Staging} {
		before := l.Now()
		there, err := b.Clock(ctx)
		if err != nil {
			failed = err
			continue
		}
		here := before.Add(l.Now().Sub(before) / 2)
		if skew := here.Sub(there).Round(time.Second); !seen || skew.Abs() > worst.Abs() {
			worst, seen = skew, true
		}
	}
	const next = "set this machine's clock (chrony, systemd-timesyncd)"
	switch {
	case !seen:
		l.unseen(checkClock, "%s", reason(failed))
	case worst.Abs() > maxSkew:
		l.say(checkClock, Critical, fmt.Sprintf("this machine's clock is %s off the store's: backups are refused", worst), next)
	case worst.Abs() > noteSkew:
		l.say(checkClock, Warning, fmt.Sprintf("this machine's clock is %s off the store's", worst), next)
	default:
		l.ok(checkClock, "this machine's and the store's agree within a minute")
	}
}

// conditional tries whether a second create of a key is refused.
func (l *look) conditional(ctx context.Context) {
	key := layout.Doctor(l.Server)
	body := fmt.Appendf(nil, "pgseal doctor looked at this deployment at %s. It writes this object anew each time.\n", l.Now().UTC().Format(time.RFC3339Nano))
	where := l.Staging.URL() + "/" + key
	if _, err := l.Staging.Put(ctx, key, body); err != nil {
		l.say(checkConditional, Critical, err.Error(), "let the host write below its server's name in staging: a backup keeps its record there")
		return
	}
	_, err := l.Staging.Create(ctx, key, strings.NewReader("a second create, which must be refused\n"), bucket.CreateOptions{SingleShot: true, PartSize: 1 << 10})
	if err != nil && !bucket.Exists(err) {
		l.say(checkConditional, Critical, err.Error(), "let the host create below its server's name in staging")
		return
	}
	have, _, readErr := bucket.ReadAll(ctx, l.Staging, key, "", 4<<10)
	switch {
	case err == nil || readErr == nil && !bytes.Equal(have, body):
		l.say(checkConditional, Critical, "the store obeyed a create of "+where+" although something was there: two writers, or a retry, would replace what is kept", "use a store that honours If-None-Match: * (docs/providers.md); this one can hold no vault")
	case readErr != nil:
		l.say(checkConditional, Critical, readErr.Error(), "let the host read what it writes in staging")
	default:
		l.ok(checkConditional, "a second create of %s was refused", where)
	}
}

// rehearsal makes, in staging, the attempt that all others in the vault are like,
// and looks whether it left something.
func (l *look) rehearsal(ctx context.Context) bool {
	key := probeKey(l.Server, layout.BackupInfoName)
	err := l.Staging.Try(ctx, bucket.ToCreate, key)
	if errors.Is(err, bucket.ErrInvalid) {
		l.unseen(checkRehearsal, "%s", reason(err))
		return true // nothing is tried in such a vault
	}
	if err != nil {
		l.failed(checkRehearsal, err, "try again")
		return false
	}
	switch _, err := l.Staging.Stat(ctx, key, ""); {
	case errors.Is(err, bucket.ErrNotFound):
		l.ok(checkRehearsal, "a create that contradicts itself was refused in staging and stored nothing")
		return true
	case err != nil:
		l.failed(checkRehearsal, err, "try again")
	default:
		l.say(checkRehearsal, Critical, "the store kept an object that does not fit its checksum, "+l.Staging.URL()+"/"+key+": what is damaged on its way would be kept as well", "use a store that verifies checksums; nothing of the kind was tried in the vault")
	}
	return false
}
