package gcsbucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/httptransport"
	"cloud.google.com/go/storage"
	"google.golang.org/api/option"

	"github.com/pgseal/pgseal/core/bucket/silence"
	"github.com/pgseal/pgseal/core/version"
)

// client is the library's handle of the bucket, and what it sends requests
// with, for the two that it has no call for (see session.go).
type client struct {
	bucket *storage.BucketHandle
	http   *http.Client
	root   string // of the API, without a slash at the end
}

// The environment variables that name another place for the API, and the place
// where it is by itself.
const (
	emulatorHost     = "STORAGE_EMULATOR_HOST"
	endpointOverride = "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"
	google           = "https://storage.googleapis.com"
)

// endpoint is where the API is, and whether requests carry credentials there.
//
// STORAGE_EMULATOR_HOST means what it means to all of Google's libraries: an
// emulator that asks for no credentials and is shown none, so that a test never
// sends a real token over plain HTTP. Where the API is elsewhere but asks for
// credentials, CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE says so, which is
// gcloud's own name ("gcloud topic configurations", property
// api_endpoint_overrides/storage; for Private Service Connect the documentation
// gives https://storage-NAME.p.googleapis.com/storage/v1/).
func endpoint(given string) (root string, authenticated bool, err error) {
	authenticated = true
	switch {
	case given != "":
	case os.Getenv(emulatorHost) != "":
		given, authenticated = os.Getenv(emulatorHost), false
		if !strings.Contains(given, "://") {
			given = "http://" + given
		}
	default:
		given = cmp.Or(os.Getenv(endpointOverride), google)
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return "", false, fmt.Errorf("%q is no address of the Cloud Storage API: it has the form https://host, with nothing behind it but /storage/v1/", given)
	}
	switch strings.Trim(u.Path, "/") {
	case "", "storage/v1":
		return u.Scheme + "://" + u.Host, authenticated, nil
	}
	return "", false, fmt.Errorf("%q is no address of the Cloud Storage API: leave out what stands behind the host", given)
}

// connected gives the client, and makes it at the first call. A failure is not
// kept: the machine's metadata server may only be late.
func (b *Bucket) connected(ctx context.Context) (*client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.client == nil {
		c, err := b.connect(context.WithoutCancel(ctx))
		if err != nil {
			return nil, &credentialsError{err}
		}
		b.client = c
	}
	return b.client, nil
}

// credentialsError: there is nothing to sign a request with.
type credentialsError struct{ error }

func (e *credentialsError) Unwrap() error { return e.error }

func (b *Bucket) connect(ctx context.Context) (*client, error) {
	root, authenticated, err := endpoint(b.options.Endpoint)
	if err != nil {
		return nil, err
	}
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("somebody has replaced Go's HTTP transport")
	}
	base = base.Clone()
	base.MaxIdleConnsPerHost = 64
	silence.Limit(base, cmp.Or(b.options.ReadTimeout, silence.Default))
	o := &httptransport.Options{
		BaseRoundTripper: base, DisableAuthentication: !authenticated, DisableTelemetry: true,
		Headers: http.Header{"User-Agent": {"pgseal/" + version.String()}},
	}
	if authenticated {
		if o.Credentials, err = b.credentials(); err != nil {
			return nil, err
		}
	}
	authorized, err := httptransport.NewClient(o)
	if err != nil {
		return nil, err
	}
	c := &client{http: &http.Client{Transport: &transport{authorized.Transport}}, root: root}
	sdk, err := storage.NewClient(ctx, option.WithHTTPClient(c.http), option.WithEndpoint(root+"/storage/v1/"),
		option.WithoutAuthentication(), // ours is in the HTTP client
		storage.WithJSONReads(), storage.WithDisabledClientMetrics())
	if err != nil {
		return nil, err
	}
	sdk.SetRetry(storage.WithMaxAttempts(attempts), storage.WithBackoff(b.pauses), storage.WithErrorFunc(again))
	c.bucket = sdk.Bucket(b.bucket)
	return c, nil
}

func (b *Bucket) credentials() (*auth.Credentials, error) {
	// Full control is the least of the scopes that lets objects be locked; what
	// is allowed at all, IAM decides.
	o := &credentials.DetectOptions{Scopes: []string{storage.ScopeFullControl}}
	if b.options.KeyFile != "" {
		return credentials.NewCredentialsFromFile(credentials.ServiceAccount, b.options.KeyFile, o)
	}
	return credentials.DetectDefault(o)
}
