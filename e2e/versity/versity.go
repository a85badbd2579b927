// Package versity runs versitygw as somebody would on premises: users with bucket policies, its own Object Lock, and
// events that it sends itself to its one webhook, with nothing of ours in front of it or inside. Package localaws has the
// same server made as strict as Amazon S3.
//
// The server is the current binary, executed once more, so a test package calls Main from TestMain.
package versity

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Names of everything that a server has.
const (
	Vault   = "vault"
	Staging = "staging"
	Prefix  = "barman"
	Server  = "main" // the PostgreSQL server that the host may write for
	Region  = "us-east-1"
)

// User is an access key and its secret.
type User struct{ Access, Secret string }

// The users: root owns the buckets, the others have what the policies give.
var (
	Root      = User{"root", "root-of-the-gateway"}
	Host      = User{"host", "the-database-host"}
	Finalizer = User{"finalizer", "the-webhook-service"}
)

// Gateway is a running versitygw.
type Gateway struct {
	Endpoint string
	spec     spec
	cmd      *exec.Cmd
	stdin    io.Closer
	output   *output
}

// Start starts a server with an empty vault, with Object Lock, and staging. Its events go to the webhook, which
// versitygw wants to reach before it starts; policies and filter are the files of functions/webhook/versitygw.
func Start(t testing.TB, webhook, policies string) *Gateway {
	t.Helper()
	g := &Gateway{output: &output{}, spec: spec{Dir: t.TempDir(), Address: freeAddress(t), Webhook: webhook, Filter: filepath.Join(policies, "event-filter.json")}}
	g.Endpoint = "http://" + g.spec.Address
	g.run(t)
	t.Cleanup(g.Stop)
	root := g.Client(Root)
	ctx := t.Context()
	for bucket, locked := range map[string]bool{Vault: true, Staging: false} {
		if _, err := root.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket, ObjectLockEnabledForBucket: &locked}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(policies, bucket+"-policy.json"))
		if err != nil {
			t.Fatal(err)
		}
		policy := strings.NewReplacer("HOST", Host.Access, "FINALIZER", Finalizer.Access, "VAULT", Vault, "STAGING", Staging, "PREFIX", Prefix, "SERVER", Server).Replace(string(text))
		if _, err := root.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy}); err != nil {
			t.Fatalf("%s: %v\n%s", bucket, err, policy)
		}
	}
	return g
}

// freeAddress is an address on which nothing listened a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (g *Gateway) run(t testing.TB) {
	t.Helper()
	document, err := json.Marshal(g.spec)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	g.cmd = exec.Command(self)
	g.cmd.Env = append(os.Environ(), variable+"="+string(document))
	g.cmd.Stdout, g.cmd.Stderr = g.output, g.output
	stdin, err := g.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	g.stdin = stdin
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", g.spec.Address)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("versitygw does not listen: %v\n%s", err, g.output)
		}
	}
}

// Stop ends the server at once; its data stay.
func (g *Gateway) Stop() {
	_ = g.stdin.Close()
	_ = g.cmd.Wait()
}

// Again starts a stopped server anew, over the same data and at the same address.
func (g *Gateway) Again(t testing.TB) {
	t.Helper()
	g.run(t)
}

// Output is what the server has printed.
func (g *Gateway) Output() string { return g.output.String() }

// Env makes a process act as a user: NAME=value pairs.
func (g *Gateway) Env(who User) []string {
	return []string{"AWS_ACCESS_KEY_ID=" + who.Access, "AWS_SECRET_ACCESS_KEY=" + who.Secret, "AWS_REGION=" + Region,
		"AWS_ENDPOINT_URL_S3=" + g.Endpoint, "AWS_EC2_METADATA_DISABLED=true"}
}

// Client is an S3 client of a user that tries once.
func (g *Gateway) Client(who User) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(g.Endpoint), Region: Region, UsePathStyle: true, RetryMaxAttempts: 1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		Credentials:                credentials.NewStaticCredentialsProvider(who.Access, who.Secret, ""),
	})
}

// VaultURL and StagingURL are the places as users write them.
func VaultURL() string   { return fmt.Sprintf("s3://%s/%s", Vault, Prefix) }
func StagingURL() string { return fmt.Sprintf("s3://%s/%s", Staging, Prefix) }

// output keeps what a process prints while others read it.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
