package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// Names of the service's own variables.
const (
	envListen     = "PGSEAL_WEBHOOK_LISTEN"
	envToken      = "PGSEAL_WEBHOOK_TOKEN"
	envTokenFile  = "PGSEAL_WEBHOOK_TOKEN_FILE"
	envCert       = "PGSEAL_WEBHOOK_TLS_CERT"
	envKey        = "PGSEAL_WEBHOOK_TLS_KEY"
	envClientCA   = "PGSEAL_WEBHOOK_CLIENT_CA"
	envSweepEvery = "PGSEAL_SWEEP_EVERY"
)

const (
	defaultListen     = "127.0.0.1:8480"
	defaultSweepEvery = 15 * time.Minute
	// minToken makes guessing hopeless: 16 bytes, if they are random.
	minToken = 16
)

// settings are what the operator decides about the service itself.
type settings struct {
	listen     string
	token      string      // "" asks for none
	tls        *tls.Config // nil speaks plain HTTP
	clientCert bool        // senders have to show a certificate
	sweepEvery time.Duration
}

// settingsFromEnv reads and checks them; an error names the variable, and never
// has a secret's text.
func settingsFromEnv(getenv func(string) string) (settings, error) {
	set := settings{listen: getenv(envListen), sweepEvery: defaultSweepEvery}
	if set.listen == "" {
		set.listen = defaultListen
	}
	if _, _, err := net.SplitHostPort(set.listen); err != nil {
		return set, fmt.Errorf("%s: %q is no address like %s: %w", envListen, set.listen, defaultListen, err)
	}
	if text := getenv(envSweepEvery); text != "" {
		every, err := time.ParseDuration(text)
		if err != nil || every < time.Second {
			return set, fmt.Errorf("%s: %q is no duration like 15m, of a second at least", envSweepEvery, text)
		}
		set.sweepEvery = every
	}
	var err error
	if set.token, err = readToken(getenv(envToken), getenv(envTokenFile)); err != nil {
		return set, err
	}
	set.tls, err = readTLS(getenv(envCert), getenv(envKey), getenv(envClientCA))
	set.clientCert = err == nil && set.tls != nil && set.tls.ClientCAs != nil
	return set, err
}

func readToken(token, file string) (string, error) {
	name := envToken
	switch {
	case token == "" && file == "":
		return "", nil
	case token != "" && file != "":
		return "", fmt.Errorf("%s and %s are both set: keep the file", envToken, envTokenFile)
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("%s: %w", envTokenFile, err)
		}
		name, token = envTokenFile, string(text)
	}
	if token = strings.TrimSpace(token); len(token) < minToken {
		return "", fmt.Errorf("%s: the secret has fewer than %d bytes; make one with: openssl rand -hex 32", name, minToken)
	}
	return token, nil
}

func readTLS(cert, key, clientCA string) (*tls.Config, error) {
	if cert == "" && key == "" {
		if clientCA != "" {
			return nil, fmt.Errorf("%s needs TLS: set %s and %s", envClientCA, envCert, envKey)
		}
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", envCert, envKey, err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if clientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(clientCA)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", envClientCA, err)
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s has no certificate in PEM form", envClientCA, clientCA)
	}
	// Not demanded of everybody: who asks after the service's health has none.
	c.ClientAuth = tls.VerifyClientCertIfGiven
	return c, nil
}

var errOpen = errors.New("anybody who reaches this address could wake the finalizer: set " + envTokenFile + ", or " + envClientCA +
	" with a certificate, or listen on 127.0.0.1")

// check refuses to be open to others than this machine's own processes. It is
// given the address that is listened on, whatever the name for it was.
func (s settings) check(address net.Addr) error {
	tcp, ok := address.(*net.TCPAddr)
	if s.token == "" && !s.clientCert && !(ok && tcp.IP.IsLoopback()) {
		return fmt.Errorf("%s: %s: %w", envListen, address, errOpen)
	}
	return nil
}
