// Package store opens the places that a command line names: a vault and its staging, as URLs.
package store

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/azurebucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/bucket/gcsbucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/walarchive"
)

// barman's names for the kinds of stores.
const (
	amazon = "aws-s3"
	azure  = "azure-blob-storage"
	google = "google-cloud-storage"
	local  = "file" // barman has none such
)

// Open opens the place that rawURL names, with the options that the command has for its kind of store. Slashes at the
// end of the URL make no difference. No request is sent: a place that is not there, or may not be used, shows at its
// first use. The error is an *option.Error.
func Open(ctx context.Context, rawURL string, v *option.Values) (bucket.Bucket, error) {
	kind, err := kindOf(rawURL)
	if err != nil {
		return nil, err
	}
	if asked := v.String("cloud-provider"); asked != "" && asked != kind {
		return nil, option.Errorf("%s is not a place in %s: leave --cloud-provider out, or give %s", rawURL, asked, example(asked))
	}
	var b bucket.Bucket
	switch kind {
	case local:
		b, err = filebucket.Open(rawURL)
	case amazon:
		b, err = s3bucket.Open(ctx, s3Options(rawURL, v))
	case google:
		b, err = gcsbucket.Open(ctx, gcsOptions(rawURL, v))
	case azure:
		b, err = azurebucket.Open(ctx, azureOptions(rawURL, v))
	}
	if err != nil {
		return nil, option.Errorf("%v", err)
	}
	return b, nil
}

// kindOf tells the kind of store from the scheme, and from the host where the scheme leaves it open.
func kindOf(rawURL string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", option.Errorf("%v", err)
	}
	switch u.Scheme {
	case "file":
		return local, nil
	case "s3":
		return amazon, nil
	case "gs":
		return google, nil
	case "http", "https":
		if strings.HasSuffix(u.Host, ".cloud.google.com") { // the URL that Google's console shows
			return google, nil
		}
		return azure, nil
	}
	return "", option.Errorf("%q is not the URL of a store: write s3://bucket/path, gs://bucket/path or file:///path", rawURL)
}

func example(kind string) string {
	switch kind {
	case azure:
		return "https://account.blob.core.windows.net/container/path"
	case google:
		return "gs://bucket/path"
	}
	return "s3://bucket/path"
}

func s3Options(rawURL string, v *option.Values) s3bucket.Options {
	o := s3bucket.Options{
		URL:         rawURL,
		Endpoint:    v.String("endpoint-url"),
		Profile:     v.String("aws-profile"),
		ReadTimeout: time.Duration(v.Int("read-timeout")) * time.Second,
	}
	if v.Has("encryption") { // the commands that upload
		o.SSE, o.SSEKMSKeyID = v.String("encryption"), v.String("sse-kms-key-id")
		o.LockMode = strings.ToUpper(v.String("lock-mode"))
	}
	return o
}

// gcsModes are the modes of an object's retention on Google Cloud that are like S3's: one that nobody can shorten, and
// one that those with a right for it can.
var gcsModes = map[string]string{"compliance": "Locked", "governance": "Unlocked"}

func gcsOptions(rawURL string, v *option.Values) gcsbucket.Options {
	o := gcsbucket.Options{URL: rawURL, ReadTimeout: time.Duration(v.Int("read-timeout")) * time.Second}
	if v.Has("kms-key-name") { // the commands that upload
		o.KMSKeyName, o.LockMode = v.String("kms-key-name"), gcsModes[v.String("lock-mode")]
	}
	return o
}

func azureOptions(rawURL string, v *option.Values) azurebucket.Options {
	o := azurebucket.Options{
		URL:         rawURL,
		Credential:  v.String("azure-credential"),
		ReadTimeout: time.Duration(v.Int("read-timeout")) * time.Second,
	}
	if v.Has("encryption-scope") { // the commands that upload
		o.EncryptionScope = v.String("encryption-scope")
		o.LockMode = strings.ToUpper(v.String("lock-mode"))
	}
	return o
}

// Parts are what wal-archive's options for Azure say of files that are sent in blocks. Other stores have no such options.
func Parts(rawURL string, v *option.Values) walarchive.Parts {
	if kind, err := kindOf(rawURL); err != nil || kind != azure {
		return walarchive.Parts{}
	}
	return walarchive.Parts{LongerThan: v.Size("max-single-put-size"), Size: v.Size("max-block-size"), InFlight: v.Int("max-concurrency")}
}

// RetainUntil is the lock that --retention or --retain-until asks for new objects; zero leaves it to the store.
func RetainUntil(v *option.Values, now time.Time) time.Time {
	if d := v.Duration("retention"); d > 0 {
		return now.Add(d)
	}
	return v.Time("retain-until")
}

// Tags are the values of an option of tags as bucket.CreateOptions takes them.
func Tags(v *option.Values, name string) map[string]string {
	tags := map[string]string{}
	for _, t := range v.Tags(name) {
		tags[t.Key] = t.Value
	}
	return tags
}
