package seal_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/runtimeapi"
)

// story is one local AWS with one function that is woken by markers.
type story struct {
	*localaws.AWS
	fn *runtimeapi.Function

	host, damage        bucket.Bucket // the vault, as the host sees it and as somebody who may do anything
	hostStaging, staged bucket.Bucket // staging, likewise

	mu      sync.Mutex
	markers map[string]chan localaws.Record // by key
}

// locked is a vault whose objects are kept for a day.
var locked = localaws.Config{VaultRetention: 24 * time.Hour}

// begin starts a story; env are settings of the function besides its two places. When it ends, whatever it was about,
// the finalizer must not have done what it never does.
func begin(t *testing.T, config localaws.Config, env ...string) *story {
	t.Helper()
	config.Prefix = "barman"
	s := &story{AWS: localaws.Start(t, config), markers: map[string]chan localaws.Record{}}
	t.Cleanup(func() { s.checkRequests(t) })
	s.host, s.damage = s.open(t, s.Host, s.VaultURL()), s.open(t, s.Breakglass, s.VaultURL())
	s.hostStaging, s.staged = s.open(t, s.Host, s.StagingURL()), s.open(t, s.Breakglass, s.StagingURL())
	s.Events.Subscribe(s.Markers(), func(r localaws.Record) { s.arrivals(r.Key()) <- r })
	s.fn = s.function(t, env...)
	return s
}

// function deploys the finalizer.
func (s *story) function(t testing.TB, env ...string) *runtimeapi.Function {
	t.Helper()
	return runtimeapi.Start(t, build.Bootstrap(t), s.settings(env...)...)
}

func (s *story) settings(more ...string) []string {
	env := append(s.Finalizer.Env(), "PGSEAL_VAULT_URL="+s.VaultURL(), "PGSEAL_STAGING_URL="+s.StagingURL())
	return append(env, more...)
}

func (s *story) open(t testing.TB, who localaws.Identity, url string) bucket.Bucket {
	t.Helper()
	return open(t, who, s.Endpoint, url)
}

// arrivals are the events of one marker.
func (s *story) arrivals(key string) chan localaws.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.markers[key] == nil {
		s.markers[key] = make(chan localaws.Record, 100)
	}
	return s.markers[key]
}

// checkRequests reads the store's log of the whole story: the finalizer deletes nothing, and writes nothing but
// verdicts, and seals that are conditional creates in one request.
func (s *story) checkRequests(t testing.TB) {
	t.Helper()
	for _, r := range s.Requests(localaws.By(s.Finalizer.Name)) {
		read := r.Method == "GET" || r.Method == "HEAD"
		seal := r.Bucket == s.Vault && r.Operation == "PutObject" && strings.HasSuffix(r.Key, "/backup.info") && r.IfNoneMatch == "*"
		verdict := r.Bucket == s.Staging && r.Operation == "PutObject" && strings.HasPrefix(r.Key, s.Prefix+"/_pgseal/verdict/")
		if !read && !seal && !verdict || localaws.Deletes(r) {
			t.Errorf("the finalizer sent %s %s/%s (%s)", r.Method, r.Bucket, r.Key, r.Operation)
		}
	}
}
