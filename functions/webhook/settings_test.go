package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const secret = "correct horse battery staple"

// authority makes certificates, and files of them.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.sign(t, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// sign writes name.crt and name.key.
func (a *authority) sign(t *testing.T, name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template.SerialNumber, template.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer))
	for file, block := range map[string]*pem.Block{name + ".crt": {Type: "CERTIFICATE", Bytes: der},
		name + ".key": {Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))}} {
		if err := os.WriteFile(a.file(file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return must(x509.ParseCertificate(der)), key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// server makes a certificate for 127.0.0.1, and client one for senders.
func (a *authority) server(t *testing.T, name string) {
	a.sign(t, name, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
}

func (a *authority) client(t *testing.T, name string) {
	a.sign(t, name, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

func TestSettings(t *testing.T) {
	a := newAuthority(t)
	a.server(t, "server")
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := settingsFromEnv(func(string) string { return "" })
	if err != nil || set.listen != defaultListen || set.sweepEvery != defaultSweepEvery || set.token != "" || set.tls != nil {
		t.Errorf("%+v, %v", set, err)
	}
	all := map[string]string{envListen: ":8443", envTokenFile: file, envCert: a.file("server.crt"), envKey: a.file("server.key"), envClientCA: a.file("ca.crt"), envSweepEvery: "1m"}
	set, err = settingsFromEnv(func(name string) string { return all[name] })
	if err != nil || set.token != secret || set.tls == nil || !set.clientCert || set.sweepEvery != time.Minute {
		t.Errorf("%+v, %v", set, err)
	}
	for _, wrong := range []struct {
		names string
		env   map[string]string
	}{
		{envListen, map[string]string{envListen: "8480"}},
		{envSweepEvery, map[string]string{envSweepEvery: "10"}},
		{envSweepEvery, map[string]string{envSweepEvery: "10ms"}},
		{envToken, map[string]string{envToken: "hunter2"}},
		{envToken, map[string]string{envToken: secret, envTokenFile: file}},
		{envTokenFile, map[string]string{envTokenFile: filepath.Join(a.dir, "missing")}},
		{envTokenFile, map[string]string{envTokenFile: os.DevNull}},
		{envCert, map[string]string{envCert: a.file("server.crt")}},
		{envKey, map[string]string{envKey: a.file("server.key")}},
		{envCert, map[string]string{envCert: a.file("server.crt"), envKey: a.file("ca.key")}},
		{envClientCA, map[string]string{envClientCA: a.file("ca.crt")}},
		{envClientCA, map[string]string{envCert: a.file("server.crt"), envKey: a.file("server.key"), envClientCA: a.file("server.key")}},
	} {
		_, err := settingsFromEnv(func(name string) string { return wrong.env[name] })
		if err == nil || !strings.Contains(err.Error(), wrong.names) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), secret) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

func TestItIsOpenToThisMachineAlone(t *testing.T) {
	for _, test := range []struct {
		set     settings
		address string
		refused bool
	}{
		{settings{}, "127.0.0.1:0", false},
		{settings{}, "localhost:0", false},
		{settings{}, ":0", true},
		{settings{}, "0.0.0.0:0", true},
		{settings{token: secret}, ":0", false},
		{settings{clientCert: true}, ":0", false},
	} {
		l := must(net.Listen("tcp", test.address))
		if err := test.set.check(l.Addr()); (err != nil) != test.refused {
			t.Errorf("%+v: %v", test, err)
		}
		l.Close()
	}
}

func TestWhoIsLetIn(t *testing.T) {
	with := func(set func(*http.Request)) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/events", nil)
		set(r)
		return r
	}
	for name, test := range map[string]struct {
		set  func(*http.Request)
		want bool
	}{
		"nothing":                 {func(*http.Request) {}, false},
		"a bearer token":          {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }, true},
		"a password":              {func(r *http.Request) { r.SetBasicAuth("pgseal", secret) }, true},
		"a password without name": {func(r *http.Request) { r.SetBasicAuth("", secret) }, true},
		"the path":                {func(r *http.Request) { r.SetPathValue("secret", secret) }, true},
		"another token":           {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret+"r") }, false},
		"an empty token":          {func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, false},
		"the secret as the name":  {func(r *http.Request) { r.SetBasicAuth(secret, "") }, false},
		"the beginning of it":     {func(r *http.Request) { r.SetPathValue("secret", secret[:20]) }, false},
		"no scheme":               {func(r *http.Request) { r.Header.Set("Authorization", secret) }, false},
		"a query":                 {func(r *http.Request) { r.URL.RawQuery = "token=" + secret }, false},
	} {
		if got := (settings{token: secret}).allowed(with(test.set)); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
		if !(settings{}).allowed(with(test.set)) {
			t.Errorf("%s: refused where none is asked for", name)
		}
		if (settings{token: secret, clientCert: true}).allowed(with(test.set)) {
			t.Errorf("%s: let in without a certificate", name)
		}
	}
}
