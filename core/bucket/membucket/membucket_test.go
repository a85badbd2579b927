package membucket_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/buckettest"
	"github.com/pgseal/pgseal/core/bucket/membucket"
)

var made atomic.Int64

func open(o membucket.Options, stale bool) bucket.Bucket {
	o.URL = fmt.Sprintf("mem://%d", made.Add(1))
	if o.Now == nil {
		o.Now = time.Now
	}
	s := membucket.New(o)
	if stale {
		return s.Hooked(func(context.Context, membucket.Call) membucket.Fault { return membucket.Fault{} }, true)
	}
	return s.Bucket()
}

func store(b bucket.Bucket) *membucket.Store { return b.(*membucket.Bucket).Store() }

// The model is held to what the real stores and the local servers are held to.
func TestSuite(t *testing.T) {
	for _, p := range membucket.Personalities {
		for name, o := range map[string]struct {
			lock  time.Duration
			page  int
			stale bool
		}{"": {}, " that locks a day": {lock: 24 * time.Hour}, " with small pages": {page: 7}, " with stale pages": {page: 7, stale: true}} {
			t.Run(p.String()+name, func(t *testing.T) {
				keeps := buckettest.KeepsName
				if p == membucket.S3 {
					keeps = buckettest.KeepsVersion
				}
				buckettest.Run(t, buckettest.Config{
					Open: func(*testing.T) bucket.Bucket {
						return open(membucket.Options{Personality: p, Locked: true, Default: o.lock, Page: o.page}, o.stale)
					},
					OpenStaging: func(*testing.T) bucket.Bucket {
						return open(membucket.Options{Personality: p, Page: o.page}, o.stale)
					},
					Missing: func(*testing.T) bucket.Bucket {
						return open(membucket.Options{Personality: p, Missing: true}, false)
					},
					Denied: func(*testing.T) bucket.Bucket {
						return open(membucket.Options{Personality: p, Locked: true, Denied: true}, false)
					},
					Everything: func(*testing.T) bucket.Bucket {
						return open(membucket.Options{Personality: p, Locked: true, Default: o.lock, Page: o.page}, o.stale)
					},
					Remover: func(_ *testing.T, b bucket.Bucket) bucket.Remover { return membucket.Remover(b.(*membucket.Bucket)) },
					Keeps:   keeps,
					Overwrite: func(_ context.Context, b bucket.Bucket, key string, body []byte) error {
						return store(b).Overwrite(key, body)
					},
					Delete: func(_ context.Context, b bucket.Bucket, key, version string) error {
						return store(b).Delete(key, version)
					},
					OpenUploads: func(_ context.Context, b bucket.Bucket) (int, error) { return store(b).OpenUploads(), nil },
					LoseAnswer:  func(_ *testing.T, b bucket.Bucket, key string) { store(b).LoseAnswer(key) },
				})
			})
		}
	}
}
