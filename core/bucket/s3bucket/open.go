// Package s3bucket is the driver for Amazon S3 and servers that speak its
// protocol. It creates objects with If-None-Match: *, so that the store itself
// decides which of several writers is first, and deletes nothing: the only
// DELETE it ever sends ends an upload of its own that did not come to be, but
// for the two of Try, which cannot delete anything either. What deletes is the
// Remover, which is apart.
package s3bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/body"
	"github.com/pgseal/pgseal/core/bucket/silence"
)

// Options say which bucket, and how objects are made in it. All but URL may be
// left empty: then the environment and the configuration files of the AWS
// tools decide (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_PROFILE, AWS_REGION,
// AWS_CA_BUNDLE, roles of the machine, ...).
type Options struct {
	// URL is s3://bucket or s3://bucket/prefix; slashes at its end are ignored.
	URL string
	// Endpoint is the base URL of a server other than AWS. With an endpoint,
	// from here or from the environment, the bucket's name goes into the path.
	Endpoint string
	Profile  string
	// Region defaults to us-east-1 when nothing names one.
	Region string
	// ReadTimeout is how long a connection may be silent while an answer is
	// awaited; 0 means five minutes, as completing a large object may take some.
	ReadTimeout time.Duration
	// SSE is the encryption asked for new objects: "", "AES256" or "aws:kms".
	SSE string
	// SSEKMSKeyID names the key for "aws:kms"; empty is the account's own.
	SSEKMSKeyID string
	// LockMode is the mode of locks that Create and Retain put on: COMPLIANCE
	// (also when empty) or GOVERNANCE.
	LockMode string
	// Tags are put on every object that Create makes, below CreateOptions.Tags.
	Tags map[string]string
}

// Bucket is a place in S3; see bucket.Bucket for what its methods promise.
type Bucket struct {
	client        *s3.Client
	bucket        string
	prefix        string // "" or "a/b/", as it stands before every key
	sse           types.ServerSideEncryption
	sseKey        *string
	lockMode      types.ObjectLockMode
	tags          map[string]string
	buffers       body.Buffers // shared by all creates
	knownUnlocked atomic.Bool  // the bucket was seen to have no Object Lock
}

var _ bucket.Bucket = (*Bucket)(nil)

// attempts is how often the SDK sends a request that the store could not
// serve or that got no answer, with growing, random pauses in between.
const attempts = 5

// Open prepares the use of the place; it sends no request, so that a bucket
// that does not exist shows at the first use.
func Open(ctx context.Context, o Options) (*Bucket, error) {
	name, prefix, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	b := &Bucket{bucket: name, prefix: prefix, tags: o.Tags}
	switch o.SSE {
	case "", string(types.ServerSideEncryptionAes256), string(types.ServerSideEncryptionAwsKms):
		b.sse = types.ServerSideEncryption(o.SSE)
	default:
		return nil, fmt.Errorf("encryption %q is not known: use AES256 or aws:kms", o.SSE)
	}
	if o.SSEKMSKeyID != "" {
		if b.sse != types.ServerSideEncryptionAwsKms {
			return nil, errors.New("a KMS key goes with encryption aws:kms only")
		}
		b.sseKey = aws.String(o.SSEKMSKeyID)
	}
	switch o.LockMode {
	case "":
		b.lockMode = types.ObjectLockModeCompliance
	case string(types.ObjectLockModeCompliance), string(types.ObjectLockModeGovernance):
		b.lockMode = types.ObjectLockMode(o.LockMode)
	default:
		return nil, fmt.Errorf("lock mode %q is not known: use COMPLIANCE or GOVERNANCE", o.LockMode)
	}
	if b.client, err = connect(ctx, o); err != nil {
		return nil, fmt.Errorf("%s: %w", b.URL(), err)
	}
	return b, nil
}

func connect(ctx context.Context, o Options) (*s3.Client, error) {
	load := []func(*config.LoadOptions) error{
		config.WithRetryMode(aws.RetryModeStandard), config.WithRetryMaxAttempts(attempts),
		config.WithLogger(logging.Nop{}), // by itself it writes to stderr; what matters comes as errors
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("the AWS configuration cannot be used: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	limit := cmp.Or(o.ReadTimeout, silence.Default)
	return s3.NewFromConfig(cfg, func(c *s3.Options) {
		if o.Endpoint != "" {
			c.BaseEndpoint = aws.String(o.Endpoint)
		}
		c.UsePathStyle = c.BaseEndpoint != nil
		if client, ok := c.HTTPClient.(*awshttp.BuildableClient); ok {
			c.HTTPClient = client.WithTransportOptions(transport(limit))
		}
	}), nil
}

func transport(limit time.Duration) func(*http.Transport) {
	return func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 64
		silence.Limit(t, limit)
	}
}

// bucketName is the rule of "General purpose bucket naming rules" in the S3
// user guide, as far as a pattern can say it.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func parseURL(url string) (name, prefix string, err error) {
	rest, ok := strings.CutPrefix(url, "s3://")
	if !ok {
		return "", "", fmt.Errorf("%q is no S3 URL: it has the form s3://bucket/prefix", url)
	}
	name, prefix, _ = strings.Cut(rest, "/")
	if !bucketName.MatchString(name) || strings.Contains(name, "..") || net.ParseIP(name) != nil {
		return "", "", fmt.Errorf("%q is no name of an S3 bucket (in %q): 3 to 63 lower case letters, digits, '-' and '.'", name, url)
	}
	prefix = strings.Trim(prefix, "/")
	for part := range strings.SplitSeq(prefix, "/") {
		if part == "." || part == ".." || part == "" && prefix != "" || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "", "", fmt.Errorf("the prefix in %q may not have empty or dotted parts nor control characters", url)
		}
	}
	if prefix != "" {
		prefix += "/"
	}
	return name, prefix, nil
}

// URL names the place: s3://bucket/prefix.
func (b *Bucket) URL() string {
	return strings.TrimSuffix("s3://"+b.bucket+"/"+b.prefix, "/")
}

func (b *Bucket) full(key string) *string { return aws.String(b.prefix + key) }
