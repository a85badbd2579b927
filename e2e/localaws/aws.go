package localaws

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/pgseal/pgseal/terraform/awspolicy"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// Config describes a local AWS. The zero value is fine for tests.
type Config struct {
	Listen  string // address of the S3 endpoint; default a free port on 127.0.0.1
	Dir     string // where everything is kept; default a temporary directory that Close removes
	Vault   string // name of the locked bucket; default "vault"
	Staging string // name of the bucket without a lock; default "staging"
	Prefix  string // below which pgseal works in both buckets; default none
	Server  string // the host identity's server; default "*", any

	// VaultRetention is the vault's default retention; zero means an Object Lock bucket without a default. The bucket
	// shows whole days, rounded up; objects are stamped with the exact duration, so that a test can see one expire.
	VaultRetention time.Duration
	Governance     bool // GOVERNANCE instead of COMPLIANCE
	// Bare means that there are no buckets yet, nor policies of buckets: whoever makes them, with the identity
	// Breakglass, puts those.
	Bare bool
	// HostMaySetRetention lets the host send lock headers with what it creates.
	HostMaySetRetention bool
	// Statements are added to the default rules.
	Statements []Statement
}

// AWS is a running local AWS.
type AWS struct {
	Endpoint string // of S3: http://127.0.0.1:port
	Vault    string
	Staging  string
	Prefix   string
	Dir      string

	Host       Identity // the database host: creates, never seals
	Finalizer  Identity // the function: seals
	Restore    Identity // reads
	Operator   Identity // reads, and keeps backups (barman-cloud-backup-keep)
	Breakglass Identity // may do anything but break a COMPLIANCE lock; for tests that damage things

	Rules  *Rules
	Faults *Faults
	Events *Events

	ahead     atomic.Int64 // see SetAhead
	kept      kept
	log       cloud.Log
	byKey     map[string]Identity
	gateway   *gateway
	root      *s3.Client // straight to the gateway
	transport *http.Transport
	forwarder *httputil.ReverseProxy
	server    *http.Server
	temporary bool
}

// TB is what Start needs of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start starts a local AWS that ends with the test.
func Start(t TB, config Config) *AWS {
	t.Helper()
	a, err := New(config)
	if err != nil {
		t.Fatalf("localaws: %v", err)
	}
	t.Cleanup(a.Close)
	return a
}

// New starts a local AWS. The caller ends it with Close.
func New(config Config) (*AWS, error) {
	if config.Vault == "" {
		config.Vault = "vault"
	}
	if config.Staging == "" {
		config.Staging = "staging"
	}
	if config.Server == "" {
		config.Server = "*"
	}
	if config.Listen == "" {
		config.Listen = "127.0.0.1:0"
	}
	config.Prefix = strings.Trim(config.Prefix, "/")
	a := &AWS{
		Vault: config.Vault, Staging: config.Staging, Prefix: config.Prefix, Dir: config.Dir,
		kept:  kept{documents: map[string][]byte{}},
		Rules: &Rules{}, Faults: &Faults{}, Events: &Events{rules: map[*subscription]struct{}{}},
	}
	if err := a.start(config); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// start brings the parts up in their order.
func (a *AWS) start(config Config) error {
	if err := a.openDir(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return err
	}
	defer func() {
		if a.server == nil {
			_ = listener.Close()
		}
	}()
	a.Endpoint = "http://" + listener.Addr().String()
	if err := a.makeIdentities(); err != nil {
		return err
	}
	root := Credentials{AccessKey: "ROOT" + rand.Text(), SecretKey: rand.Text()}
	spec := gatewaySpec{Root: root, Exact: map[string]time.Duration{}}
	if config.VaultRetention > 0 {
		spec.Exact[a.Vault] = config.VaultRetention
	}
	for _, who := range a.byKey {
		spec.Identities = append(spec.Identities, who.Credentials)
	}
	if a.gateway, err = startGateway(a.Dir, spec); err != nil {
		return err
	}
	a.transport = &http.Transport{DialContext: a.gateway.dial, MaxIdleConnsPerHost: 64}
	a.root = newClient("http://gateway", root, a.transport)
	a.forwarder = a.newForwarder()
	if !config.Bare {
		if err := a.makeBuckets(context.Background(), config); err != nil {
			return err
		}
	}
	if err := a.makeRules(config); err != nil {
		return err
	}
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: time.Minute}
	go func() { _ = a.server.Serve(listener) }()
	return nil
}

// openDir makes the directory, absolute because the gateway works elsewhere.
func (a *AWS) openDir() error {
	var err error
	if a.Dir == "" {
		a.temporary = true
		a.Dir, err = os.MkdirTemp("", "pgseal-aws-")
		return err
	}
	if a.Dir, err = filepath.Abs(a.Dir); err != nil {
		return err
	}
	return os.MkdirAll(a.Dir, 0o700)
}

// makeIdentities fills in the keys: new ones, or those that the directory has kept.
func (a *AWS) makeIdentities() error {
	keys := newIdentities()
	if !a.temporary {
		var err error
		if keys, err = keptIdentities(a.Dir); err != nil {
			return err
		}
	}
	a.byKey = map[string]Identity{}
	for name, field := range map[string]*Identity{hostName: &a.Host, finalizerName: &a.Finalizer, restoreName: &a.Restore,
		operatorName: &a.Operator, breakglassName: &a.Breakglass} {
		*field = Identity{Name: name, Credentials: keys[name], endpoint: a.Endpoint}
		a.byKey[keys[name].AccessKey] = *field
	}
	return nil
}

// makeRules fills the access table.
func (a *AWS) makeRules(config Config) error {
	place := awspolicy.Place{Vault: a.Vault, Staging: a.Staging, Prefix: a.Prefix, Server: config.Server}
	rules, err := defaultRules(place, config.HostMaySetRetention)
	if err != nil {
		return err
	}
	if config.Bare {
		rules = slices.DeleteFunc(rules, func(s Statement) bool { return s.bucket != "" })
	}
	if err := a.Rules.Add(rules...); err != nil {
		return err
	}
	return a.Rules.Add(config.Statements...)
}

// SetAhead makes the dates of all answers that much later than it is.
func (a *AWS) SetAhead(by time.Duration) { a.ahead.Store(int64(by)) }

// Client is an S3 client of the identity that tries every request once, so that a test sees each answer. Options may
// change that.
func (a *AWS) Client(who Identity, options ...func(*s3.Options)) *s3.Client {
	return newClient(a.Endpoint, who.Credentials, nil, options...)
}

// clientOf is a client of the identity straight to the gateway, past the rules.
func (a *AWS) clientOf(who Identity) *s3.Client {
	return newClient("http://gateway", who.Credentials, a.transport)
}

// newClient makes a path-style client without retries.
func newClient(endpoint string, key Credentials, transport http.RoundTripper, options ...func(*s3.Options)) *s3.Client {
	o := s3.Options{
		BaseEndpoint: aws.String(endpoint), Region: Region, UsePathStyle: true, RetryMaxAttempts: 1,
		// s3.New, unlike config.LoadDefaultConfig, sends no checksums unless told to.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		Credentials:                credentials.NewStaticCredentialsProvider(key.AccessKey, key.SecretKey, ""),
	}
	if transport != nil {
		o.HTTPClient = &http.Client{Transport: transport}
	}
	return s3.New(o, options...)
}

// Close ends everything and removes the directory if it was a temporary one.
func (a *AWS) Close() {
	a.Events.close()
	if a.server != nil {
		_ = a.server.Close()
	}
	if a.transport != nil {
		a.transport.CloseIdleConnections()
	}
	if a.gateway != nil {
		a.gateway.stop()
	}
	if a.temporary {
		_ = os.RemoveAll(a.Dir)
	}
}

// errorCode is the S3 error's code and message.
func errorCode(err error) (code, message string) {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode(), api.ErrorMessage()
	}
	return "InternalError", fmt.Sprint(err)
}
