package azurebucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// attempts is how often the SDK sends a request that the store could not serve
// or that got no answer, with growing, random pauses in between.
const attempts = 5

// The variables that hold credentials, those of barman-cloud.
const (
	envConnection = "AZURE_STORAGE_CONNECTION_STRING"
	envSAS        = "AZURE_STORAGE_SAS_TOKEN"
	envKey        = "AZURE_STORAGE_KEY"
)

// connect takes the credentials in barman-cloud's order (its Azure provider,
// 3.4 to 3.17): Options.Credential, AZURE_STORAGE_CONNECTION_STRING, _SAS_TOKEN,
// _KEY, and last the chain of the Azure SDK.
func connect(p place, o Options) (*container.Client, error) {
	options := clientOptions(o)
	connection := cmp.Or(o.ConnectionString, os.Getenv(envConnection))
	if p.pathStyle && (connection == "" || o.Credential != "") {
		return nil, fmt.Errorf("a host that is not Azure's takes a connection string: set %s, and leave --azure-credential out", envConnection)
	}
	url := p.base + "/" + p.container
	switch {
	case o.Credential != "":
		return withToken(url, o.Credential, options)
	case connection != "":
		if err := sameAccount(connection, p.account); err != nil {
			return nil, err
		}
		client, err := container.NewClientFromConnectionString(connection, p.container, options)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be used: it needs AccountName and AccountKey, or BlobEndpoint and SharedAccessSignature", envConnection)
		}
		return client, nil
	case os.Getenv(envSAS) != "":
		return container.NewClientWithNoCredential(url+"?"+strings.TrimPrefix(os.Getenv(envSAS), "?"), options)
	case os.Getenv(envKey) != "":
		key, err := container.NewSharedKeyCredential(p.account, os.Getenv(envKey))
		if err != nil {
			return nil, fmt.Errorf("%s is no key of a storage account: they are written in base64", envKey)
		}
		return container.NewClientWithSharedKeyCredential(url, key, options)
	}
	return withToken(url, "default", options)
}

// sameAccount refuses a connection string of another account: it would win over
// the URL, and the blobs stand where nobody looks for them.
func sameAccount(connection, account string) error {
	for field := range strings.SplitSeq(connection, ";") {
		if name, ok := strings.CutPrefix(field, "AccountName="); ok && name != account {
			return fmt.Errorf("%s is for the account %q, and the URL names %q", envConnection, name, account)
		}
	}
	return nil
}

func withToken(url, kind string, options *container.ClientOptions) (*container.Client, error) {
	var c azcore.TokenCredential
	var err error
	switch kind {
	case "azure-cli":
		c, err = azidentity.NewAzureCLICredential(nil)
	case "managed-identity":
		c, err = azidentity.NewManagedIdentityCredential(managedIdentity())
	case "default":
		c, err = azidentity.NewDefaultAzureCredential(nil)
	default:
		return nil, fmt.Errorf("credential %q is not known: use azure-cli, managed-identity or default", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("the credentials cannot be used: %s", oneLine(err.Error()))
	}
	return container.NewClient(url, credential{c}, options)
}

// managedIdentity names the identity of a machine that has several by
// AZURE_CLIENT_ID, as the default chain does.
func managedIdentity() *azidentity.ManagedIdentityCredentialOptions {
	if id := os.Getenv("AZURE_CLIENT_ID"); id != "" {
		return &azidentity.ManagedIdentityCredentialOptions{ID: azidentity.ClientID(id)}
	}
	return nil
}

// credential marks what goes wrong before a request can be sent.
type credential struct{ azcore.TokenCredential }

func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.TokenCredential.GetToken(ctx, o)
	if err != nil {
		err = &noToken{err}
	}
	return token, err
}

type noToken struct{ err error }

func (e *noToken) Error() string { return e.err.Error() }
func (e *noToken) Unwrap() error { return e.err }

// NonRetriable keeps the SDK from asking again and again who it is.
func (*noToken) NonRetriable() {}

func clientOptions(o Options) *container.ClientOptions {
	silence, delay := o.ReadTimeout, o.retryDelay
	if silence == 0 {
		silence = 5 * time.Minute
	}
	if delay == 0 {
		delay = 500 * time.Millisecond
	}
	return &container.ClientOptions{ClientOptions: policy.ClientOptions{
		Retry:     policy.RetryOptions{MaxRetries: attempts - 1, RetryDelay: delay, MaxRetryDelay: 20 * time.Second},
		Transport: &http.Client{Transport: transport(silence), CheckRedirect: noRedirect},
	}}
}

// noRedirect: Azure's data plane redirects nowhere, and a redirect would carry
// the SAS token along.
func noRedirect(*http.Request, []*http.Request) error {
	return errors.New("the answer is a redirect, which Azure does not send")
}

func transport(silence time.Duration) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &watched{Conn: c, silence: silence}, nil
	}
	return t
}

// watched is a connection that fails when nothing moves on it for a while. A
// write counts as movement for reads too: while a slow line takes a long block,
// the store has nothing to say.
type watched struct {
	net.Conn
	silence time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.SetReadDeadline(time.Now().Add(w.silence)); err != nil {
		return 0, err
	}
	return w.Conn.Read(p)
}

func (w *watched) Write(p []byte) (int, error) {
	if err := w.SetDeadline(time.Now().Add(w.silence)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}
