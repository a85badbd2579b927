package seal_test

import (
	"testing"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// overwrite writes over a key of the vault, which only somebody with more rights than a host and a finalizer can, and
// where the lock keeps the name nobody while the store keeps its word.
func (b *backup) overwrite(t testing.TB, key string, body []byte) {
	t.Helper()
	if err := b.s.Overwrite(t.Context(), b.s.VaultName(), b.s.Root()+key, body); err != nil {
		t.Fatal(err)
	}
}

// hide puts a delete marker on a key of the vault, and gives its version; where there are none, the object is gone.
func (b *backup) hide(t testing.TB, key string) string {
	t.Helper()
	return b.removeVersion(t, b.s.VaultName(), key, "")
}

// remove deletes without naming a version.
func (b *backup) remove(t testing.TB, bucket, key string) {
	t.Helper()
	b.removeVersion(t, bucket, key, "")
}

func (b *backup) removeVersion(t testing.TB, bucket, key, version string) string {
	t.Helper()
	marker, err := b.s.Remove(t.Context(), bucket, b.s.Root()+key, version)
	if err != nil {
		t.Fatal(err)
	}
	return marker
}

// deny takes a right on a key of the vault (or a pattern of keys) from the finalizer.
func (s *story) deny(t testing.TB, right cloud.Right, key string) (restore func()) {
	t.Helper()
	restore, err := s.Deny(cloud.Finalizer, right, s.VaultName(), s.Root()+key)
	if err != nil {
		t.Fatal(err)
	}
	return restore
}
