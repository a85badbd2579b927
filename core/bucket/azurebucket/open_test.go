package azurebucket

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

const azureURL = "https://account1.blob.core.windows.net/vault"

func TestURLsAreTakenAsUsersWriteThem(t *testing.T) {
	for _, tc := range []struct{ name, url, want, problem string }{
		{name: "a container", url: azureURL, want: azureURL},
		{name: "a container with a slash", url: azureURL + "/", want: azureURL},
		{name: "a path", url: azureURL + "/barman/x", want: azureURL + "/barman/x"},
		{name: "slashes all around the path", url: azureURL + "//barman//", want: azureURL + "/barman"},
		{name: "a path with a space", url: azureURL + "/a b", want: azureURL + "/a b"},
		{name: "another of Azure's clouds", url: "https://account1.blob.core.usgovcloudapi.net/vault/x", want: "https://account1.blob.core.usgovcloudapi.net/vault/x"},
		{name: "an account in a DNS zone", url: "https://account1.z07.blob.storage.azure.net/vault", want: "https://account1.z07.blob.storage.azure.net/vault"},
		{name: "an emulator", url: "http://127.0.0.1:10000/account1/vault/p/q/", want: "http://127.0.0.1:10000/account1/vault/p/q"},
		{name: "an emulator by name", url: "https://azurite.example/account1/vault", want: "https://azurite.example/account1/vault"},
		{name: "another scheme", url: "s3://bucket/x", problem: "no URL of Azure"},
		{name: "nothing", url: "", problem: "no URL of Azure"},
		{name: "no container", url: "https://account1.blob.core.windows.net/", problem: "no name of a container"},
		{name: "plain HTTP to Azure", url: "http://account1.blob.core.windows.net/vault", problem: "https"},
		{name: "an emulator without an account", url: "http://127.0.0.1:10000/", problem: "no name of a storage account"},
		{name: "an emulator without a container", url: "http://127.0.0.1:10000/account1", problem: "no name of a container"},
		{name: "no host", url: "http:///account1/vault", problem: "no host"},
		{name: "capital letters", url: "https://account1.blob.core.windows.net/Vault", problem: "no name of a container"},
		{name: "two dashes", url: "https://account1.blob.core.windows.net/a--b", problem: "no name of a container"},
		{name: "the root container", url: "https://account1.blob.core.windows.net/$root", problem: "no name of a container"},
		{name: "a path that climbs", url: azureURL + "/a/../b", problem: "path"},
		{name: "a part that ends with a dot", url: azureURL + "/a./b", problem: "path"},
		{name: "an empty part in the path", url: azureURL + "/a//b", problem: "path"},
		{name: "a line break in the path", url: azureURL + "/a\nb", problem: "path"},
		{name: "a backslash", url: azureURL + `/a\b`, problem: "path"},
		{name: "a SAS token", url: azureURL + "?sv=1&sig=hush", problem: "AZURE_STORAGE_SAS_TOKEN"},
		{name: "a password", url: "https://me:hush@account1.blob.core.windows.net/vault", problem: "no '@'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noConfig(t)
			if strings.Contains(tc.url, "127.0.0.1") || strings.Contains(tc.url, "example") {
				t.Setenv(envConnection, "AccountName=account1;AccountKey="+secret+";BlobEndpoint=http://127.0.0.1:10000/account1;")
			}
			b, err := Open(context.Background(), Options{URL: tc.url})
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hush") {
					t.Errorf("Open = %v, want one line with %q", err, tc.problem)
				}
			} else if err != nil || b.URL() != tc.want {
				t.Errorf("Open = %v, %v, want %s", b, err, tc.want)
			}
		})
	}
}

func FuzzParseURL(f *testing.F) {
	for _, url := range []string{azureURL + "/a/b", "http://127.0.0.1:10000/account1/vault/p", azureURL + "?sig=x", "https://[::1]:80/account1/vault", "gs://x", "https://a@b/c"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		p, err := parseURL(url)
		if err != nil {
			if _, query, found := strings.Cut(url, "?"); found && len(query) > 8 && !strings.Contains(url[:len(url)-len(query)-1], query) && strings.Contains(err.Error(), query) {
				t.Errorf("%q: the error shows the query: %v", url, err)
			}
			return
		}
		again, err := parseURL(p.String())
		if err != nil || again != p {
			t.Errorf("%q is %+v, and what it prints is %+v, %v", url, p, again, err)
		}
		if strings.Contains(p.prefix, "//") || strings.HasPrefix(p.prefix, "/") || strings.Contains("/"+p.prefix, "/../") {
			t.Errorf("%q has the prefix %q", url, p.prefix)
		}
	})
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		o        Options
		variable string
		value    string
		says     string
	}{
		"an unknown lock mode":               {o: Options{LockMode: "FOREVER"}, says: "COMPLIANCE"},
		"an unknown credential":              {o: Options{Credential: "password"}, says: "managed-identity"},
		"a connection string of nothing":     {variable: envConnection, value: "x", says: envConnection},
		"a connection string without a key":  {variable: envConnection, value: "AccountName=account1", says: envConnection},
		"a connection string with a bad key": {variable: envConnection, value: "AccountName=account1;AccountKey=%hush", says: envConnection},
		"another account's":                  {variable: envConnection, value: "AccountName=other;AccountKey=" + secret, says: `"other"`},
		"a key that is none":                 {variable: envKey, value: "%hush", says: "base64"},
		"a period that is none":              {variable: EnvRetention, value: "a month", says: EnvRetention},
		"a period of nothing":                {variable: EnvRetention, value: "0d", says: EnvRetention},
		"a period beyond all":                {variable: EnvRetention, value: "99999999d", says: EnvRetention},
		"an emulator without credentials":    {o: Options{URL: "http://127.0.0.1:1/account1/vault"}, says: envConnection},
		"an emulator with a token":           {o: Options{URL: "http://127.0.0.1:1/account1/vault", Credential: "default"}, variable: envConnection, value: "AccountName=account1;AccountKey=" + secret, says: "connection string"},
	} {
		t.Run(name, func(t *testing.T) {
			noConfig(t)
			if tc.variable != "" {
				t.Setenv(tc.variable, tc.value)
			}
			if tc.o.URL == "" {
				tc.o.URL = azureURL
			}
			_, err := Open(context.Background(), tc.o)
			if err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hush") {
				t.Errorf("Open = %v, want an error of one line with %q", err, tc.says)
			}
		})
	}
}

func TestPeriodsAreReadInDaysAndHours(t *testing.T) {
	for text, want := range map[string]time.Duration{"30d": 720 * time.Hour, "720h": 720 * time.Hour, "1.5d": 36 * time.Hour, "90s": 90 * time.Second} {
		if got, err := parsePeriod(text); got != want || err != nil {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
}

// Which credentials are used shows in the first request.
func TestCredentialsAreTakenInBarmansOrder(t *testing.T) {
	const connection = "AccountName=account1;AccountKey=" + secret
	for _, tc := range []struct {
		name             string
		set              map[string]string
		authorization    string // how it begins
		query            string // what it carries
		kind             error
		credential, says string
	}{
		{name: "a connection string wins over all", set: map[string]string{envConnection: connection, envSAS: "sig=hush", envKey: secret}, authorization: "SharedKey account1:"},
		{name: "a connection string with a SAS token", set: map[string]string{envConnection: "BlobEndpoint=https://account1.blob.core.windows.net;SharedAccessSignature=sig=hush"}, query: "hush"},
		{name: "a SAS token wins over a key", set: map[string]string{envSAS: "?sig=hush", envKey: secret}, query: "hush"},
		{name: "a key", set: map[string]string{envKey: secret}, authorization: "SharedKey account1:"},
		{name: "a credential that is named wins over the environment", credential: "azure-cli", set: map[string]string{envConnection: connection, "PATH": "/nowhere"}, kind: bucket.ErrDenied, says: "run az login"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noConfig(t)
			for k, v := range tc.set {
				t.Setenv(k, v)
			}
			var got *http.Request
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r
				refuse(w, 404, "BlobNotFound", "")
			}))
			defer server.Close()
			reroute(t, server)
			b, err := Open(context.Background(), Options{URL: azureURL, Credential: tc.credential, retryDelay: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.Stat(context.Background(), "k", "")
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("%v shows the token", err)
			}
			if tc.kind != nil {
				if !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) || got != nil {
					t.Errorf("%v, want %v with %q", err, tc.kind, tc.says)
				}
				return
			}
			if got == nil || !strings.HasPrefix(got.Header.Get("Authorization"), tc.authorization) || got.URL.Query().Get("sig") != tc.query {
				t.Errorf("%v: got %+v", err, got)
			}
		})
	}
}

// reroute sends what goes to any host to the server.
func reroute(t *testing.T, server *httptest.Server) {
	t.Helper()
	was := http.DefaultTransport
	client := server.Client().Transport.(*http.Transport).Clone()
	dial := client.DialContext
	client.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		if dial != nil {
			return dial(ctx, network, server.Listener.Addr().String())
		}
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	client.TLSClientConfig.ServerName = "example.com" // what the certificate says
	http.DefaultTransport = client
	t.Cleanup(func() { http.DefaultTransport = was })
}
