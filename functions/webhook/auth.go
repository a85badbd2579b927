package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// allowed tells whether the sender of an event is one: it has shown whatever is
// configured, the shared secret, a certificate of the clients' CA, or both.
func (s settings) allowed(r *http.Request) bool {
	if s.clientCert && (r.TLS == nil || len(r.TLS.VerifiedChains) == 0) {
		return false
	}
	if s.token == "" {
		return true
	}
	same := 0
	for _, shown := range secretsIn(r) {
		same |= equal(shown, s.token)
	}
	return same == 1
}

// secretsIn is where senders can put a secret: MinIO sends a bearer token; Go's
// HTTP client, and so versitygw, makes Basic credentials of a user and a
// password in the URL; the URL's path is left to those that can do neither.
func secretsIn(r *http.Request) []string {
	var shown []string
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		shown = append(shown, token)
	}
	if _, password, ok := r.BasicAuth(); ok {
		shown = append(shown, password)
	}
	if secret := r.PathValue("secret"); secret != "" {
		shown = append(shown, secret)
	}
	return shown
}

// equal takes the same time for any two texts: digests are of one length.
func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}
