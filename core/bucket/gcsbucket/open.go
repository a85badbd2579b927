// Package gcsbucket is the driver for Google Cloud Storage, through its JSON
// API. It creates objects with ifGenerationMatch=0, so that the store itself
// decides which of several writers is first, and deletes nothing: the only
// DELETE it ever sends ends an upload of its own that did not come to be, but
// for that of Try, which cannot delete anything either. It makes no composite
// and no temporary objects, which a vault would keep.
package gcsbucket

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/body"
)

// Options say which bucket, and how objects are made in it. All but URL may be
// left empty: then the environment and the files of Google's own tools decide
// (GOOGLE_APPLICATION_CREDENTIALS, gcloud's default credentials, the machine's
// service account, STORAGE_EMULATOR_HOST,
// CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE).
type Options struct {
	// URL is gs://bucket, gs://bucket/prefix, or what Google's console shows:
	// https://console.cloud.google.com/storage/browser/bucket/prefix. Slashes at
	// its end are ignored.
	URL string
	// Endpoint is the root of the API when it is not storage.googleapis.com: a
	// Private Service Connect endpoint, or a test server. See endpoint.
	Endpoint string
	// KeyFile is a service account's key; empty means Application Default
	// Credentials.
	KeyFile string
	// ReadTimeout is how long a connection may be silent while an answer is
	// awaited; 0 means five minutes.
	ReadTimeout time.Duration
	// KMSKeyName is the Cloud KMS key for new objects
	// (projects/P/locations/L/keyRings/R/cryptoKeys/K); empty leaves it to the
	// bucket.
	KMSKeyName string
	// LockMode is the mode of the retention that Create and Retain put on an
	// object: Locked (also when empty) or Unlocked.
	LockMode string
	// Tags are put on every object that Create makes, below CreateOptions.Tags.
	// GCS has no tags for objects: as with barman they become metadata.
	Tags map[string]string
}

// Bucket is a place in Google Cloud Storage; see bucket.Bucket for what its
// methods promise.
type Bucket struct {
	options  Options
	bucket   string
	prefix   string // "" or "a/b/", as it stands before every key
	lockMode string
	pauses   gax.Backoff // between tries

	mu      sync.Mutex
	client  *client      // nil until the first request
	buffers body.Buffers // shared by all creates
}

var _ bucket.Bucket = (*Bucket)(nil)

// attempts is how often a request is sent that the store could not serve or
// that got no answer. Left alone, Google's library would go on for ever.
const attempts = 5

// The modes of an object's retention, as GCS writes them.
const (
	locked   = "Locked"
	unlocked = "Unlocked"
)

// Open prepares the use of the place; it sends no request and looks for no
// credentials, so that what is missing shows at the first use.
func Open(_ context.Context, o Options) (*Bucket, error) {
	name, prefix, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	b := &Bucket{options: o, bucket: name, prefix: prefix, lockMode: locked}
	b.pauses = gax.Backoff{Initial: time.Second, Max: 20 * time.Second, Multiplier: 2} // each pause is a random part of that
	switch o.LockMode {
	case "", locked:
	case unlocked:
		b.lockMode = unlocked
	default:
		return nil, fmt.Errorf("lock mode %q is not known: use %s or %s", o.LockMode, locked, unlocked)
	}
	if o.KMSKeyName != "" && !kmsKeyName.MatchString(o.KMSKeyName) {
		return nil, fmt.Errorf("%q is no name of a Cloud KMS key: it has the form projects/P/locations/L/keyRings/R/cryptoKeys/K", o.KMSKeyName)
	}
	if _, _, err := endpoint(o.Endpoint); err != nil {
		return nil, err
	}
	return b, nil
}

var kmsKeyName = regexp.MustCompile(`^projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+$`)

// bucketName is the rule of "Bucket names" in the Cloud Storage documentation,
// as far as a pattern can say it; names with dots may have up to 222 characters.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)

// console is where Google's console shows a bucket.
const console = "https://console.cloud.google.com/storage/browser/"

func parseURL(url string) (name, prefix string, err error) {
	rest, ok := strings.CutPrefix(url, "gs://")
	if !ok {
		if rest, ok = strings.CutPrefix(url, console); !ok {
			return "", "", fmt.Errorf("%q is no URL of Google Cloud Storage: it has the form gs://bucket/prefix", url)
		}
	}
	name, prefix, _ = strings.Cut(rest, "/")
	if !bucketName.MatchString(name) || strings.Contains(name, "..") || net.ParseIP(name) != nil || tooLong(name) {
		return "", "", fmt.Errorf("%q is no name of a bucket in Google Cloud Storage (in %q): 3 to 63 lower case letters, digits, '-', '_' and '.'", name, url)
	}
	prefix = strings.Trim(prefix, "/")
	for part := range strings.SplitSeq(prefix, "/") {
		if part == "." || part == ".." || part == "" && prefix != "" || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "", "", fmt.Errorf("the prefix in %q may not have empty or dotted parts nor control characters", url)
		}
	}
	if !utf8.ValidString(prefix) {
		return "", "", fmt.Errorf("the prefix in %q is not valid UTF-8", url)
	}
	if prefix != "" {
		prefix += "/"
	}
	return name, prefix, nil
}

func tooLong(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if len(part) > 63 {
			return true
		}
	}
	return false
}

// URL names the place: gs://bucket/prefix.
func (b *Bucket) URL() string {
	return strings.TrimSuffix("gs://"+b.bucket+"/"+b.prefix, "/")
}

func (b *Bucket) name(key string) string { return "gs://" + b.bucket + "/" + b.prefix + key }

// object is a handle for key; c is connected.
func (b *Bucket) object(c *client, key string) *storage.ObjectHandle {
	return c.bucket.Object(b.prefix + key)
}
