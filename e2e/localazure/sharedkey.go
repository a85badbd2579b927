package localazure

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// signature is that of "Authorize with Shared Key" in the REST reference (2026-11), for services since 2015-02-21.
func signature(r *http.Request, account string, key []byte) string {
	length := r.Header.Get("Content-Length")
	if length == "0" {
		length = ""
	}
	h := r.Header
	lines := []string{
		r.Method, h.Get("Content-Encoding"), h.Get("Content-Language"), length, h.Get("Content-MD5"), h.Get("Content-Type"), "",
		h.Get("If-Modified-Since"), h.Get("If-Match"), h.Get("If-None-Match"), h.Get("If-Unmodified-Since"), h.Get("Range"),
	}
	if h.Get("x-ms-date") == "" {
		lines[6] = h.Get("Date")
	}
	lines = append(lines, canonicalHeaders(h)...)
	lines = append(lines, canonicalResource(r.URL, account)...)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(lines, "\n")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func canonicalHeaders(h http.Header) []string {
	var lines []string
	for name, values := range h {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-ms-") {
			var clean []string
			for _, v := range values {
				clean = append(clean, strings.TrimSpace(v))
			}
			lines = append(lines, name+":"+strings.Join(clean, ","))
		}
	}
	// By name alone: ':' sorts behind '-'.
	slices.SortFunc(lines, func(a, b string) int {
		nameA, _, _ := strings.Cut(a, ":")
		nameB, _, _ := strings.Cut(b, ":")
		return strings.Compare(nameA, nameB)
	})
	return lines
}

func canonicalResource(u *url.URL, account string) []string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	lines := []string{"/" + account + path}
	query := map[string][]string{}
	for name, values := range u.Query() {
		name = strings.ToLower(name)
		query[name] = append(query[name], values...)
	}
	var names []string
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		slices.Sort(query[name])
		lines = append(lines, name+":"+strings.Join(query[name], ","))
	}
	return lines
}

// identify finds out who signed the request.
func (a *Azure) identify(r *http.Request) (Identity, error) {
	signed, ok := strings.CutPrefix(r.Header.Get("Authorization"), "SharedKey "+Account+":")
	if !ok {
		return Identity{}, errNobody
	}
	if r.ContentLength > 0 && r.Header.Get("Content-Length") == "" {
		// net/http takes it out of the headers.
		r.Header.Set("Content-Length", itoa(r.ContentLength))
	}
	for _, who := range a.everybody() {
		if hmac.Equal([]byte(signed), []byte(signature(r, Account, who.key))) {
			return *who, nil
		}
	}
	return Identity{}, errNobody
}

// sign signs a request for Azurite.
func (a *Azure) sign(r *http.Request) {
	r.Header.Set("Authorization", "SharedKey "+a.account+":"+signature(r, a.account, a.azurite.key))
}
