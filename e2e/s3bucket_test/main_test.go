// Package s3bucket_test holds the S3 driver to the suite of all drivers, on a
// local AWS that is as strict as the real one where pgseal leans on it.
package s3bucket_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestMain(m *testing.M) { localaws.Main(m) }

// store is a local AWS whose identities are profiles of the AWS configuration,
// so that several can be used in one process.
type store struct {
	*localaws.AWS
	places atomic.Int32
}

func start(t testing.TB, c localaws.Config) *store {
	t.Helper()
	s := &store{AWS: localaws.Start(t, c)}
	var profiles strings.Builder
	for _, who := range []localaws.Identity{s.Host, s.Finalizer, s.Restore, s.Operator, s.Breakglass} {
		fmt.Fprintf(&profiles, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", who.Name, who.Credentials.AccessKey, who.Credentials.SecretKey)
	}
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte(profiles.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_ENDPOINT_URL_S3", s.Endpoint)
	t.Setenv("AWS_REGION", localaws.Region)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return s
}

// open opens a place as somebody; a prefix of its own when the name has none.
func (s *store) open(t testing.TB, who localaws.Identity, name string) bucket.Bucket {
	t.Helper()
	if !strings.Contains(name, "/") {
		name = fmt.Sprintf("%s/place%d/base/", name, s.places.Add(1)) // where a host may create
	}
	b, err := s3bucket.Open(context.Background(), s3bucket.Options{URL: "s3://" + name, Profile: who.Name})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// place is the bucket's name and a key as the store knows it.
func place(b bucket.Bucket, key string) (name, full string) {
	name, prefix, _ := strings.Cut(strings.TrimPrefix(b.URL(), "s3://"), "/")
	return name, prefix + "/" + key
}

// suiteRights adds what the suite does and the host may not: look at locks and
// versions, and ask for locks where there are none.
func suiteRights() localaws.Statement {
	return localaws.Statement{
		Sid: "Suite", Effect: localaws.Allow, Principal: []string{"host"},
		Actions:   []string{"s3:GetObjectRetention", "s3:PutObjectRetention", "s3:GetObjectLegalHold", "s3:ListBucketVersions"},
		Resources: []string{"arn:aws:s3:::vault", "arn:aws:s3:::vault/*", "arn:aws:s3:::staging", "arn:aws:s3:::staging/*"},
	}
}
