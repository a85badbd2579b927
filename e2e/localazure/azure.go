package localazure

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// Account is the name of the storage account.
const Account = "pgseallocal"

// Config describes a local Azure. The zero value is fine for tests.
type Config struct {
	Listen  string // address of the blob endpoint; default a free port on 127.0.0.1
	Vault   string // name of the locked container; default "vault"
	Staging string // name of the container without a lock; default "staging"
	Prefix  string // below which pgseal works in both containers; default none
	Server  string // the host identity's server; default "*", any

	// VaultRetention is the period of the vault container's retention policy; zero means a container without one, as
	// Azure has no other lock that keeps names.
	VaultRetention time.Duration
	// LegalHold puts a legal hold on the vault container.
	LegalHold bool
	// Rules are added to what Terraform renders.
	Rules []Rule
}

// Azure is a running local Azure.
type Azure struct {
	Endpoint string // http://127.0.0.1:port/account
	Vault    string
	Staging  string
	Prefix   string

	Host       Identity // the database host: creates, never seals
	Finalizer  Identity // the function: seals
	Restore    Identity // reads
	Operator   Identity // reads, and keeps backups (barman-cloud-backup-keep)
	Breakglass Identity // may do anything but break a policy; for tests that damage things

	Rules  *Rules
	Faults *cloud.Faults
	Clock  *Clock

	log       cloud.Log
	events    events
	locks     locks
	keys      customerKeys
	retention time.Duration
	azurite   *azurite
	account   string // at Azurite
	forwarder *httputil.ReverseProxy
	server    *http.Server
}

// TB is what Start needs of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start starts a local Azure that ends with the test.
func Start(t TB, config Config) *Azure {
	t.Helper()
	a, err := New(config)
	if err != nil {
		t.Fatalf("localazure: %v", err)
	}
	t.Cleanup(a.Close)
	return a
}

// New starts a local Azure. The caller ends it with Close.
func New(config Config) (*Azure, error) {
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
	rules, err := newRules(config.Vault, config.Staging, config.Prefix, config.Server)
	if err != nil {
		return nil, err
	}
	a := &Azure{
		Vault: config.Vault, Staging: config.Staging, Prefix: strings.Trim(config.Prefix, "/"),
		Rules: rules, Faults: &cloud.Faults{}, Clock: &Clock{}, retention: config.VaultRetention,
	}
	if err := a.start(config); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *Azure) start(config Config) error {
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return err
	}
	defer func() {
		if a.server == nil {
			_ = listener.Close()
		}
	}()
	a.Endpoint = "http://" + listener.Addr().String() + "/" + Account
	a.makeIdentities()
	if a.azurite, err = theAzurite(); err != nil {
		return fmt.Errorf("the emulator Azurite: %w", err)
	}
	if a.account, err = a.azurite.account(); err != nil {
		return err
	}
	a.forwarder = a.newForwarder()
	for _, name := range []string{a.Vault, a.Staging} {
		if err := a.makeContainer(name); err != nil {
			return err
		}
	}
	a.locks.put(a.Vault, lock{period: config.VaultRetention, hold: config.LegalHold})
	a.Rules.Add(config.Rules...)
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: time.Minute}
	go func() { _ = a.server.Serve(listener) }()
	return nil
}

// makeContainer makes a container past the proxy, as the account's management does.
func (a *Azure) makeContainer(name string) error {
	_, err := a.behind(name).Create(context.Background(), nil)
	return err
}

// behind is a container at Azurite itself: past rules, locks and events.
func (a *Azure) behind(name string) *container.Client {
	endpoint := "http://" + a.azurite.address + "/" + a.account
	key := base64.StdEncoding.EncodeToString(a.azurite.key)
	c, err := container.NewClientFromConnectionString(connectionString(a.account, key, endpoint), name, nil)
	if err != nil {
		panic(err) // everything in it is our own
	}
	return c
}

// Client is a client of a container as somebody, who tries every request once, so that a test sees each answer.
func (a *Azure) Client(who Identity, name string) *container.Client {
	c, err := container.NewClientFromConnectionString(who.ConnectionString(), name, &container.ClientOptions{
		ClientOptions: policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}},
	})
	if err != nil {
		panic(err)
	}
	return c
}

// SetLegalHold puts a legal hold on a container, or takes it off.
func (a *Azure) SetLegalHold(name string, on bool) {
	a.locks.change(name, func(l *lock) { l.hold = on })
}

// SetPolicy gives a container another period, or with 0 no policy.
func (a *Azure) SetPolicy(name string, period time.Duration) {
	a.locks.change(name, func(l *lock) { l.period = period })
}

// Close ends everything and drops what was stored.
func (a *Azure) Close() {
	a.events.close()
	if a.server != nil {
		_ = a.server.Close()
	}
	if a.account == "" {
		return
	}
	for _, name := range []string{a.Vault, a.Staging} {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_, _ = a.behind(name).Delete(ctx, nil)
		cancel()
	}
}

// errNobody is a request that nobody known has signed.
var errNobody = errors.New("nobody known has signed this")

func connectionString(account, key, endpoint string) string {
	return fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;", account, key, endpoint)
}
