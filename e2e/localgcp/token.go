package localgcp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// names are the identities that every local Google Cloud has.
var names = []string{cloud.Host, cloud.Finalizer, cloud.Restore, cloud.Operator, cloud.Breakglass}

// email is the service account of an identity.
func email(who string) string { return "pgseal-" + who + "@local.iam.gserviceaccount.com" }

const tokenPath = "/token"

// tokens are those that were handed out.
type tokens struct {
	key *rsa.PrivateKey // of all service accounts
	mu  sync.Mutex
	who map[string]string
}

// oneKey is made once in a process: it takes a while.
var oneKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// makeKeys writes a key file for each identity, as a service account's key is downloaded. Its token_uri is this server.
func (g *GCP) makeKeys() error {
	g.tokens.who = map[string]string{}
	der, err := g.privateKey()
	if err != nil {
		return err
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err := os.MkdirAll(filepath.Dir(g.KeyFile("x")), 0o700); err != nil {
		return err
	}
	for _, who := range names {
		err := write(g.KeyFile(who), map[string]string{
			"type": "service_account", "project_id": "local", "private_key_id": who, "private_key": text, "client_email": email(who),
			"client_id": who, "token_uri": g.Endpoint + tokenPath, "universe_domain": "googleapis.com",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// privateKey is the one that the directory has kept, or a new one.
func (g *GCP) privateKey() (der []byte, err error) {
	kept := filepath.Join(g.Dir, "key.der")
	if der, err = os.ReadFile(kept); errors.Is(err, fs.ErrNotExist) {
		var key *rsa.PrivateKey
		if key, err = oneKey(); err != nil {
			return nil, err
		}
		if der, err = x509.MarshalPKCS8PrivateKey(key); err == nil && !g.temporary {
			err = os.WriteFile(kept, der, 0o600)
		}
	}
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	var ok bool
	if g.tokens.key, ok = key.(*rsa.PrivateKey); !ok {
		return nil, errors.New(kept + " is no RSA key: remove it")
	}
	return der, nil
}

// KeyFile is the path of an identity's key, for GOOGLE_APPLICATION_CREDENTIALS.
func (g *GCP) KeyFile(who string) string { return filepath.Join(g.Dir, "keys", who+".json") }

// handOut is Google's token endpoint: a token for an assertion that the account has signed (RFC 7523).
func (g *GCP) handOut(w http.ResponseWriter, r *http.Request) {
	refuse := func(why string) {
		tell(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": why})
	}
	if r.Method != http.MethodPost || r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		refuse("Unsupported grant type")
		return
	}
	signed, signature, _ := cutLast(r.PostFormValue("assertion"), ".")
	_, payload, _ := strings.Cut(signed, ".")
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	digest := sha256.Sum256([]byte(signed))
	if err != nil || rsa.VerifyPKCS1v15(&g.tokens.key.PublicKey, crypto.SHA256, digest[:], raw) != nil {
		refuse("Invalid JWT Signature.")
		return
	}
	var claims struct {
		Iss   string `json:"iss"`
		Aud   string `json:"aud"`
		Exp   int64  `json:"exp"`
		Scope string `json:"scope"`
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(text, &claims) != nil || claims.Aud != g.Endpoint+tokenPath || time.Unix(claims.Exp, 0).Before(time.Now()) || claims.Scope == "" {
		refuse("Invalid JWT.")
		return
	}
	for _, who := range names {
		if email(who) == claims.Iss {
			token := "ya29.local-" + who + "-" + rand.Text()
			g.tokens.mu.Lock()
			g.tokens.who[token] = who
			g.tokens.mu.Unlock()
			tell(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
			return
		}
	}
	refuse("Invalid grant: account not found")
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// identify is whose token a request carries; "" for none, or one that nobody was given.
func (g *GCP) identify(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	g.tokens.mu.Lock()
	defer g.tokens.mu.Unlock()
	return g.tokens.who[token]
}
