package localgcp

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// Config describes a local Google Cloud. The zero value is fine for tests.
type Config struct {
	Listen  string // address of the API; default a free port on 127.0.0.1
	Dir     string // where everything is kept; default a temporary directory that Close removes
	Vault   string // name of the locked bucket; default "vault"
	Staging string // name of the bucket without a lock; default "staging"
	Prefix  string // below which pgseal works in both buckets; default none
	Server  string // the host identity's server; default "*", any

	// VaultRetention is the period of the vault's retention policy; zero is a vault without one. In both cases objects
	// may have a retention of their own.
	VaultRetention time.Duration
	LockPolicy     bool // the vault's policy is locked
	VaultVersions  bool // the vault keeps noncurrent generations
	// HostMaySetRetention lets the host choose the lock of what it creates.
	HostMaySetRetention bool
	// Bindings are added to what Terraform renders.
	Bindings []Binding

	// Existing is what a conditional create of an object that exists is answered, which is not documented.
	Existing Existing
	// EarlyRefusal refuses it already when an upload session is opened.
	EarlyRefusal bool
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Existing is an answer to a create with ifGenerationMatch=0 where an object stands.
type Existing string

// The three that are possible. Without such an object's lock, or with the right to replace it, it is 412.
const (
	PreconditionFirst Existing = ""                           // 412 conditionNotMet, always
	RetentionFirst    Existing = "403 retentionPolicyNotMet"  // if the object is locked
	RightFirst        Existing = "403 storage.objects.delete" // if the caller may not replace it
)

// GCP is a running local Google Cloud.
type GCP struct {
	Endpoint string // of the API: http://127.0.0.1:port
	Vault    string
	Staging  string
	Prefix   string
	Dir      string

	Rules  *Rules
	Faults *cloud.Faults
	cloud.Log

	ahead  atomic.Int64 // see SetAhead
	config Config
	now    func() time.Time
	events events
	tokens tokens

	mu             sync.Mutex // of all below
	buckets        map[string]*bucketState
	sessions       map[string]*session
	lastGeneration int64

	server    *http.Server
	temporary bool
}

// TB is what Start needs of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start starts a local Google Cloud that ends with the test.
func Start(t TB, config Config) *GCP {
	t.Helper()
	g, err := New(config)
	if err != nil {
		t.Fatalf("localgcp: %v", err)
	}
	t.Cleanup(g.Close)
	return g
}

// New starts a local Google Cloud. The caller ends it with Close.
func New(config Config) (*GCP, error) {
	for _, d := range []struct {
		field *string
		value string
	}{{&config.Vault, "vault"}, {&config.Staging, "staging"}, {&config.Server, "*"}, {&config.Listen, "127.0.0.1:0"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	config.Prefix = strings.Trim(config.Prefix, "/")
	rules, err := newRules(config)
	if err != nil {
		return nil, err
	}
	g := &GCP{
		Vault: config.Vault, Staging: config.Staging, Prefix: config.Prefix, Dir: config.Dir,
		Rules: rules, Faults: &cloud.Faults{}, config: config, now: config.Now,
		buckets: map[string]*bucketState{}, sessions: map[string]*session{},
	}
	if err := g.start(); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *GCP) start() error {
	var err error
	if g.temporary = g.Dir == ""; g.temporary {
		g.Dir, err = os.MkdirTemp("", "pgseal-gcp-")
	} else if g.Dir, err = filepath.Abs(g.Dir); err == nil {
		err = os.MkdirAll(g.Dir, 0o700)
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", g.config.Listen)
	if err != nil {
		return err
	}
	g.Endpoint = "http://" + listener.Addr().String()
	if err = g.makeKeys(); err == nil {
		err = g.makeBuckets()
	}
	if err != nil {
		_ = listener.Close()
		return err
	}
	g.Rules.Add(g.config.Bindings...)
	g.server = &http.Server{Handler: g, ReadHeaderTimeout: time.Minute}
	go func() { _ = g.server.Serve(listener) }()
	return nil
}

func (g *GCP) makeBuckets() error {
	vault := &bucketState{Name: g.Vault, ObjectRetention: true, Versioning: g.config.VaultVersions, Metageneration: 1, Created: g.now()}
	if g.config.VaultRetention > 0 {
		vault.Policy = &policy{Period: g.config.VaultRetention, Effective: g.now(), Locked: g.config.LockPolicy}
	}
	for _, b := range []*bucketState{vault, {Name: g.Staging, Metageneration: 1, Created: g.now()}} {
		if err := g.openBucket(b); err != nil {
			return err
		}
	}
	return nil
}

// SetAhead makes the dates of all answers that much later than it is.
func (g *GCP) SetAhead(by time.Duration) { g.ahead.Store(int64(by)) }

// Close ends everything and removes the directory if it was a temporary one.
func (g *GCP) Close() {
	g.events.close()
	if g.server != nil {
		_ = g.server.Close()
	}
	if g.temporary {
		_ = os.RemoveAll(g.Dir)
	}
}
