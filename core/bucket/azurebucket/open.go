// Package azurebucket is the driver for Azure Blob Storage, accounts with a flat
// namespace. It creates block blobs with If-None-Match: *, so that the store
// itself decides which of several writers is first, and it deletes nothing (Try
// sends a DELETE that cannot); what does is the Remover, which is apart.
//
// The lock it is made for is a time-based retention policy of the container: it
// keeps every name, so that a second write is refused. How long the policy
// keeps is visible to Azure's management API only, never to those who read and
// write blobs; see Options.Retention.
package azurebucket

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/body"
)

// EnvRetention names the variable that states the period of the container's
// policy, such as 30d or 720h; see Options.Retention.
const EnvRetention = "PGSEAL_AZURE_RETENTION"

// Options say which container, and how blobs are made in it. Credentials come
// from the environment, as barman-cloud takes them; see connect.
type Options struct {
	// URL is https://account.blob.core.windows.net/container/prefix, or
	// http://host:port/account/container/prefix with a connection string;
	// slashes at its end are ignored.
	URL string
	// Credential is "", "azure-cli", "managed-identity" or "default"; any but ""
	// wins over the environment.
	Credential string
	// ConnectionString stands for AZURE_STORAGE_CONNECTION_STRING where one process
	// is several people.
	ConnectionString string
	// ReadTimeout is how long a connection may be silent while an answer is
	// awaited; 0 means five minutes, as committing many blocks may take some.
	ReadTimeout time.Duration
	// EncryptionScope is the account's encryption scope for new blobs.
	EncryptionScope string
	// LockMode is the mode of policies that Create and Retain put on single
	// versions, where the container has version-level immutability: COMPLIANCE
	// (Azure's Locked, also when empty) or GOVERNANCE (Azure's Unlocked).
	LockMode string
	// Tags are put on every blob that Create makes, below CreateOptions.Tags, as
	// blob index tags.
	Tags map[string]string
	// Retention is the period of the container's retention policy, as its
	// operator states it; 0 means what PGSEAL_AZURE_RETENTION says. It counts
	// only while the store reports that the container has a policy. Without it,
	// the end of a blob's retention "cannot be seen".
	Retention time.Duration

	retryDelay time.Duration // between the first two tries; tests make it short
}

// Bucket is a place in Azure; see bucket.Bucket for what its methods promise.
type Bucket struct {
	client   *container.Client
	url      string // as users write it
	prefix   string // "" or "a/b/", as it stands before every key
	scope    *blob.CPKScopeInfo
	lockMode blob.ImmutabilityPolicySetting
	tags     map[string]string
	period   time.Duration // of the container's policy, as stated; 0: nobody said
	buffers  body.Buffers  // shared by all creates
}

var _ bucket.Bucket = (*Bucket)(nil)

// Open prepares the use of the place; it sends no request, so that a container
// that does not exist shows at the first use.
func Open(_ context.Context, o Options) (*Bucket, error) {
	place, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	b := &Bucket{url: place.String(), prefix: place.prefix, tags: o.Tags, period: o.Retention}
	if o.EncryptionScope != "" {
		b.scope = &blob.CPKScopeInfo{EncryptionScope: to.Ptr(o.EncryptionScope)}
	}
	switch o.LockMode {
	case "", "COMPLIANCE":
		b.lockMode = blob.ImmutabilityPolicySettingLocked
	case "GOVERNANCE":
		b.lockMode = blob.ImmutabilityPolicySettingUnlocked
	default:
		return nil, fmt.Errorf("lock mode %q is not known: use COMPLIANCE or GOVERNANCE", o.LockMode)
	}
	if stated := os.Getenv(EnvRetention); b.period == 0 && stated != "" {
		if b.period, err = parsePeriod(stated); err != nil {
			return nil, fmt.Errorf("%s: %w", EnvRetention, err)
		}
	}
	if b.client, err = connect(place, o); err != nil {
		return nil, fmt.Errorf("%s: %w", b.url, err)
	}
	return b, nil
}

// maxPeriod is somewhat below what a Duration holds. Azure's is 146,000 days.
const maxPeriod = 100_000 * 24 * time.Hour

// parsePeriod reads a Go duration, or days with a d.
func parsePeriod(text string) (time.Duration, error) {
	number, days := strings.CutSuffix(text, "d")
	scale := 1.0
	if days {
		number, scale = number+"h", 24
	}
	d, err := time.ParseDuration(number)
	whole := scale * float64(d)
	if err != nil || whole <= 0 || whole > float64(maxPeriod) {
		return 0, fmt.Errorf("%q is no period like 30d or 720h", text)
	}
	return time.Duration(whole), nil
}

// URL names the place as it was given, without slashes at the end.
func (b *Bucket) URL() string { return b.url }

func (b *Bucket) full(key string) string { return b.prefix + key }
