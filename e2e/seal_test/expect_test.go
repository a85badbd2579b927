package seal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/e2e/cloud"
)

// verdict reads what staging keeps; State "" when there is none.
func (b *backup) verdict(t testing.TB) finalizer.Verdict {
	t.Helper()
	v, _, err := finalizer.ReadVerdict(t.Context(), b.s.staged, b.server, b.ID())
	if err != nil && !errors.Is(err, bucket.ErrNotFound) {
		t.Fatal(err)
	}
	return v
}

// seals are the versions of backup.info and the delete markers on it, newest first.
func (b *backup) seals(t testing.TB) []bucket.Object {
	t.Helper()
	var all []bucket.Object
	for o, err := range b.s.damage.ListVersions(t.Context(), b.Key(layout.BackupInfoName)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

func (b *backup) sealBody(t testing.TB) []byte {
	t.Helper()
	body, _, err := bucket.ReadAll(t.Context(), b.s.damage, b.Key(layout.BackupInfoName), "", backupinfo.MaxBytes)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// isSealed: one version of backup.info, whose bytes follow from the manifest; a verdict with the receipt of that very
// version; and one sealing request that the store granted, however many were tried.
func (b *backup) isSealed(t testing.TB) finalizer.Verdict {
	t.Helper()
	v := b.verdict(t)
	if v.State != finalizer.Sealed || v.Receipt == nil {
		t.Fatalf("%s %+v\n%s", v.State, v.Reasons, b.s.fn.Logs())
	}
	seals := b.seals(t)
	if len(seals) != 1 || seals[0].DeleteMarker || seals[0].Version != v.Receipt.Version || seals[0].ETag != v.Receipt.ETag || v.Receipt.Version+v.Receipt.ETag == "" {
		t.Fatalf("versions of backup.info: %+v, and the receipt has %+v", seals, v.Receipt)
	}
	encoded, err := manifest.Encode(b.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	want, err := finalizer.Render(b.Manifest, manifest.Digest(encoded), v.WAL.Checked)
	body := b.sealBody(t)
	sum := sha256.Sum256(body)
	if err != nil || !bytes.Equal(body, want) || v.Receipt.SHA256 != hex.EncodeToString(sum[:]) || v.ManifestSHA256 != manifest.Digest(encoded) {
		t.Fatalf("%v: receipt %+v of\n%s", err, v.Receipt, body)
	}
	return v
}

// want is a verdict without a seal.
type want struct {
	state  finalizer.State
	class  finalizer.Class
	code   string // or several, with | between: a change shows in the version or in the size, as the store tells them
	object string // the end of its key
}

// isNotSealed: no backup.info, and the verdict with its first reason. The zero want is no verdict.
func (b *backup) isNotSealed(t testing.TB, w want) finalizer.Verdict {
	t.Helper()
	if seals := b.seals(t); len(seals) != 0 {
		t.Fatalf("backup.info is there: %+v", seals)
	}
	return b.isJudged(t, w)
}

func (b *backup) isJudged(t testing.TB, w want) finalizer.Verdict {
	t.Helper()
	v := b.verdict(t)
	got := want{state: v.State, class: v.Class, object: w.object}
	if len(v.Reasons) > 0 {
		got.code = v.Reasons[0].Code
		if !strings.HasSuffix(v.Reasons[0].Object, w.object) {
			got.object = v.Reasons[0].Object
		}
	}
	if slices.Contains(strings.Split(w.code, "|"), got.code) {
		got.code = w.code
	}
	if got != w {
		t.Fatalf("%+v, want %+v: %+v", got, w, v)
	}
	return v
}

// granted counts the sealing requests that the store granted.
func (b *backup) granted() int {
	return len(b.s.Requests(cloud.By(cloud.Finalizer), cloud.Ops(cloud.Create), cloud.Keys("*/"+b.Key(layout.BackupInfoName)),
		cloud.Request.Granted))
}
