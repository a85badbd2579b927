package filebucket_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
)

func TestObjectsStandUnderTheirPlainKeys(t *testing.T) {
	b, dir := newVault(t, filebucket.Lock{Default: time.Hour})
	mustCreate(t, b, "server/base/20261123T000000/data.tar", "the bytes")
	p := filepath.Join(dir, "server/base/20261123T000000/data.tar")
	got, err := os.ReadFile(p)
	if err != nil || string(got) != "the bytes" {
		t.Errorf("%q, %v", got, err)
	}
	fi, err := os.Stat(p)
	if err != nil || fi.Mode()&0o222 != 0 {
		t.Errorf("mode %v, %v; want it read-only", fi.Mode(), err)
	}
	obj, err := b.Stat(t.Context(), "server/base/20261123T000000/data.tar", "")
	if err != nil || !obj.Created.Equal(fi.ModTime()) {
		t.Errorf("created %v, %v; want the modification time %v", obj.Created, err, fi.ModTime())
	}
	entries, err := os.ReadDir(filepath.Join(dir, ".pgseal/tmp"))
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestRetentionThatEndedStillForbidsOverwritesButNotADeleteByHand(t *testing.T) {
	now := time.Now()
	clock := filebucket.WithClock(func() time.Time { return now })
	b, dir := newVault(t, filebucket.Lock{Default: time.Hour}, clock)
	mustCreate(t, b, "k", "first")

	for _, tc := range []struct {
		after time.Duration
		want  error
	}{{0, bucket.ErrRetained}, {59 * time.Minute, bucket.ErrRetained}, {61 * time.Minute, bucket.ErrExists}, {1000 * time.Hour, bucket.ErrExists}} {
		at := now.Add(tc.after)
		later := open(t, dir, filebucket.WithClock(func() time.Time { return at }))
		if _, err := later.Create(t.Context(), "k", strings.NewReader("second"), bucket.CreateOptions{}); !errors.Is(err, tc.want) {
			t.Errorf("Create after %v = %v, want %v", tc.after, err, tc.want)
		}
		if _, err := later.Put(t.Context(), "k", []byte("second")); !errors.Is(err, tc.want) {
			t.Errorf("Put after %v = %v, want %v", tc.after, err, tc.want)
		}
	}
	if got, _, err := bucket.ReadAll(t.Context(), b, "k", "", 100); err != nil || string(got) != "first" {
		t.Errorf("%q, %v; want the first bytes", got, err)
	}
	if err := os.Remove(filepath.Join(dir, "k")); err != nil {
		t.Fatal(err)
	}
	obj := mustCreate(t, b, "k", "second")
	if want := now.Add(time.Hour); !obj.RetainUntil.Equal(want) || obj.Size != 6 {
		t.Errorf("the new object is %+v, want retention until %v", obj, want)
	}
}

func TestInitLocksOnceAndNeverAnew(t *testing.T) {
	dir := t.TempDir()
	vault := "file://" + dir + "/deep/vault"
	for range 2 {
		if err := filebucket.Init(vault, filebucket.Lock{Default: 720 * time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	if err := filebucket.Init(vault, filebucket.Lock{Default: time.Hour}); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("Init with another lock = %v, want ErrExists", err)
	}
	if err := filebucket.InitStaging(vault); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("InitStaging of a vault = %v, want ErrExists", err)
	}
	if err := filebucket.Init(vault+"2", filebucket.Lock{Default: -1}); !errors.Is(err, bucket.ErrInvalid) {
		t.Errorf("Init with negative retention = %v, want ErrInvalid", err)
	}
	l, err := open(t, dir+"/deep/vault").Lock(t.Context())
	if want := (bucket.Lock{Enabled: true, Mode: "file", Default: 720 * time.Hour}); err != nil || l != want {
		t.Errorf("Lock = %+v, %v; want %+v", l, err, want)
	}
	if err := filebucket.InitStaging("file://" + dir + "/staging"); err != nil {
		t.Error(err)
	}
	if l, err := open(t, dir+"/staging").Lock(t.Context()); err != nil || l != (bucket.Lock{}) {
		t.Errorf("Lock of staging = %+v, %v", l, err)
	}
}

func TestALockThatCannotBeReadIsNotTakenForNone(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no JSON": "locked", "not locked": "{}", "a bad duration": `{"locked":true,"default_retention":"soon"}`,
		"negative": `{"locked":true,"default_retention":"-1h"}`,
	} {
		b, dir := newVault(t, filebucket.Lock{})
		if err := os.WriteFile(filepath.Join(dir, ".pgseal/lock.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Lock(t.Context()); err == nil {
			t.Errorf("%s: Lock sees no error", name)
		}
		if _, err := b.Create(t.Context(), "k", strings.NewReader("x"), bucket.CreateOptions{}); err == nil {
			t.Errorf("%s: Create sees no error", name)
		}
		if _, err := b.Put(t.Context(), "k", nil); err == nil {
			t.Errorf("%s: Put sees no error", name)
		}
	}
}

func TestAFileBroughtByHandIsAnObjectWithAComputedChecksum(t *testing.T) {
	b, dir := newVault(t, filebucket.Lock{})
	if err := os.WriteFile(filepath.Join(dir, "k"), []byte("123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	obj, err := b.Stat(t.Context(), "k", "")
	if err != nil || obj.CRC32C != "e3069283" || obj.Size != 9 { // the Castagnoli check value
		t.Errorf("Stat = %+v, %v", obj, err)
	}
	if _, err := b.Create(t.Context(), "k", strings.NewReader("x"), bucket.CreateOptions{}); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("Create = %v, want ErrExists", err)
	}
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := b.Retain(t.Context(), "k", "", until); err != nil {
		t.Fatal(err)
	}
	obj, err = b.Stat(t.Context(), "k", "")
	if err != nil || !obj.RetainUntil.Equal(until) || obj.CRC32C != "e3069283" {
		t.Errorf("Stat = %+v, %v; want retention until %v", obj, err, until)
	}
}

func TestAChangedFileLosesItsChecksumAndKeepsItsLock(t *testing.T) {
	b, dir := newVault(t, filebucket.Lock{Default: time.Hour})
	made := mustCreate(t, b, "k", "123456780")
	p := filepath.Join(dir, "k")
	if err := os.Remove(p); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte("123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	obj, err := b.Stat(t.Context(), "k", "")
	if err != nil || obj.CRC32C != "e3069283" || obj.ETag == made.ETag || !obj.RetainUntil.Equal(made.RetainUntil) {
		t.Errorf("Stat = %+v, %v; was %+v", obj, err, made)
	}
	for l, err := range b.List(t.Context(), "") {
		if err != nil || l.CRC32C == made.CRC32C || l.ETag != obj.ETag {
			t.Errorf("List = %+v, %v; want what Stat says", l, err)
		}
	}
}

func TestAVaultThatWasMovedKeepsItsObjects(t *testing.T) {
	b, dir := newVault(t, filebucket.Lock{Default: time.Hour})
	made := mustCreate(t, b, "k", "bytes")
	second := made.Created.Truncate(time.Second) // as tar keeps it
	if err := os.Chtimes(filepath.Join(dir, "k"), second, second); err != nil {
		t.Fatal(err)
	}
	moved := dir + "-moved"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	obj, err := open(t, moved).Stat(t.Context(), "k", "")
	if err != nil || obj.ETag != made.ETag || obj.CRC32C != made.CRC32C || !obj.RetainUntil.Equal(made.RetainUntil) {
		t.Errorf("Stat = %+v, %v; was %+v", obj, err, made)
	}
}

func mustCreate(t *testing.T, b bucket.Bucket, key, text string) bucket.Object {
	t.Helper()
	obj, err := b.Create(t.Context(), key, strings.NewReader(text), bucket.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}
