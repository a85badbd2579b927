package finalizer_test

import (
	"testing"

	"github.com/pgseal/pgseal/core/manifest"
)

func encode(t *testing.T, m manifest.Manifest) []byte {
	t.Helper()
	body, err := manifest.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func digest(t *testing.T, m manifest.Manifest) string { return manifest.Digest(encode(t, m)) }
