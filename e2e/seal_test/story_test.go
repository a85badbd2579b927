package seal_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// story is one local cloud with one function that is woken by markers.
type story struct {
	*clouds.Cloud
	fn cloud.Function

	host, damage        bucket.Bucket // the vault, as the host sees it and as somebody who may do anything
	hostStaging, staged bucket.Bucket // staging, likewise

	mu      sync.Mutex
	markers map[string]chan cloud.Event // by key
}

// locked is a vault whose objects are kept for a day.
var locked = cloud.Config{VaultRetention: 24 * time.Hour}

// begin starts a story; env are settings of the function besides its two places. When it ends, whatever it was about,
// the finalizer must not have done what it never does.
func begin(t *testing.T, k clouds.Kind, config cloud.Config, env ...string) *story {
	t.Helper()
	config.Prefix = "barman"
	s := &story{Cloud: k.Start(t, config), markers: map[string]chan cloud.Event{}}
	t.Cleanup(func() { s.checkRequests(t) })
	s.host, s.damage = s.open(t, cloud.Host, s.VaultURL()), s.open(t, cloud.Breakglass, s.VaultURL())
	s.hostStaging, s.staged = s.open(t, cloud.Host, s.StagingURL()), s.open(t, cloud.Breakglass, s.StagingURL())
	s.Created(s.StagingName(), s.Root()+"_pgseal/complete/", func(e cloud.Event) { s.arrivals(e.Key) <- e })
	s.fn = s.Deploy(t, env...)
	return s
}

// direct is the plainest way of an event, and queue the one that a deployment uses.
func (s *story) direct() cloud.Way { return s.Ways[0] }
func (s *story) queue() cloud.Way  { return s.Ways[len(s.Ways)-1] }

func (s *story) open(t testing.TB, who, url string) bucket.Bucket {
	t.Helper()
	b, err := s.Open(t.Context(), who, url)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// arrivals are the events of one marker.
func (s *story) arrivals(key string) chan cloud.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.markers[key] == nil {
		s.markers[key] = make(chan cloud.Event, 100)
	}
	return s.markers[key]
}

// checkRequests reads the store's log of the whole story: the finalizer deletes nothing, and writes nothing but
// verdicts, the sweep's records, and seals that are conditional creates in one request. It may end dead uploads.
func (s *story) checkRequests(t testing.TB) {
	t.Helper()
	for _, r := range s.Requests(cloud.By(cloud.Finalizer)) {
		read := r.Op == cloud.Read || r.Op == cloud.Stat || r.Op == cloud.List || r.Op == cloud.Other && (r.Method == "GET" || r.Method == "HEAD")
		seal := r.Bucket == s.VaultName() && r.Op == cloud.Create && strings.HasSuffix(r.Key, "/backup.info") && r.CreateOnly
		verdict := r.Bucket == s.StagingName() && r.Op == cloud.Create &&
			(strings.HasPrefix(r.Key, s.Root()+"_pgseal/verdict/") || strings.HasPrefix(r.Key, s.Root()+"_pgseal/sweep/"))
		ended := r.Op == cloud.Abort
		if !read && !seal && !verdict && !ended {
			t.Errorf("the finalizer sent %s %s/%s (%s)", r.Method, r.Bucket, r.Key, r.Operation)
		}
	}
}
