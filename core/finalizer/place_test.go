package finalizer_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
)

// place is a vault and a staging on disk, with a finalizer over them.
type place struct {
	vault, staging *filebucket.Bucket
	f              *finalizer.Finalizer
	set            *settest.Set
}

func newPlace(t *testing.T, lock time.Duration) *place {
	t.Helper()
	p := &place{}
	open := func(init func(url string) error) *filebucket.Bucket {
		url := "file://" + t.TempDir()
		if err := init(url); err != nil {
			t.Fatal(err)
		}
		b, err := filebucket.Open(url)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	p.vault = open(func(url string) error { return filebucket.Init(url, filebucket.Lock{Default: lock}) })
	p.staging = open(filebucket.InitStaging)
	config, err := finalizer.ConfigFromEnv(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	p.f = &finalizer.Finalizer{
		Vault: p.vault, Staging: p.staging, Config: config, Now: time.Now, Build: "test",
		Decompress: func(suffix string, r io.Reader) (io.ReadCloser, error) {
			if suffix != ".gz" {
				return nil, errors.New("only gzip here")
			}
			return gzip.NewReader(r)
		},
	}
	p.set = settest.New("main", time.Now())
	return p
}

func (p *place) finalize(t *testing.T) finalizer.Verdict {
	t.Helper()
	v, err := p.f.Finalize(context.Background(), "main", p.set.ID())
	if err != nil {
		t.Fatal(err)
	}
	if v.State != finalizer.Nothing {
		kept, _, err := finalizer.ReadVerdict(context.Background(), p.staging, "main", p.set.ID())
		if err != nil || kept.State != v.State {
			t.Fatalf("staging keeps %q (%v), and the answer was %q", kept.State, err, v.State)
		}
	}
	return v
}

func (p *place) seal(t *testing.T) []byte {
	t.Helper()
	body, _, err := bucket.ReadAll(context.Background(), p.vault, p.set.Key("backup.info"), "", backupinfo.MaxBytes)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	return body
}
func encode(t *testing.T, m manifest.Manifest) []byte {
	t.Helper()
	body, err := manifest.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func digest(t *testing.T, m manifest.Manifest) string { return manifest.Digest(encode(t, m)) }
