package localaws

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/buckettest"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/e2e/cloud"
)

var _ cloud.Store = (*AWS)(nil)

// Name is "aws".
func (a *AWS) Name() string { return "aws" }

// VaultName is the name of the locked bucket.
func (a *AWS) VaultName() string { return a.Vault }

// StagingName is the name of the bucket without a lock.
func (a *AWS) StagingName() string { return a.Staging }

// Root is the prefix with its slash.
func (a *AWS) Root() string { return strings.TrimPrefix(a.Prefix+"/", "/") }

// Keeps: an overwrite is a new version.
func (a *AWS) Keeps() buckettest.Keeps { return buckettest.KeepsVersion }

// identity is the one of that name.
func (a *AWS) identity(who string) Identity {
	for _, i := range a.byKey {
		if i.Name == who {
			return i
		}
	}
	panic("localaws: nobody is named " + who)
}

// Env is Identity.Env of the identity of that name.
func (a *AWS) Env(who string) []string { return a.identity(who).Env() }

// profiles is a file of AWS profiles, which is how one process can be several people: the driver takes credentials
// from nowhere else.
var profiles struct {
	sync.Mutex
	path  string
	known map[string]bool
}

// Open opens a place as somebody. It changes the process's AWS settings for good.
func (a *AWS) Open(ctx context.Context, who, url string) (bucket.Bucket, error) {
	key := a.identity(who).Credentials
	if err := addProfile(key); err != nil {
		return nil, err
	}
	return s3bucket.Open(ctx, s3bucket.Options{URL: url, Endpoint: a.Endpoint, Region: Region, Profile: key.AccessKey})
}

func addProfile(key Credentials) error {
	profiles.Lock()
	defer profiles.Unlock()
	if profiles.path == "" {
		dir, err := os.MkdirTemp("", "pgseal-profiles-")
		if err != nil {
			return err
		}
		profiles.path, profiles.known = filepath.Join(dir, "credentials"), map[string]bool{}
		for name, value := range map[string]string{
			"AWS_SHARED_CREDENTIALS_FILE": profiles.path, "AWS_CONFIG_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		} {
			if err := os.Setenv(name, value); err != nil {
				return err
			}
		}
	}
	if profiles.known[key.AccessKey] {
		return nil
	}
	f, err := os.OpenFile(profiles.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "[%s]\naws_access_key_id = %[1]s\naws_secret_access_key = %s\n", key.AccessKey, key.SecretKey)
	profiles.known[key.AccessKey] = err == nil
	return err
}

// removeProfiles removes the file when the process ends.
func removeProfiles() {
	if profiles.path != "" {
		_ = os.RemoveAll(filepath.Dir(profiles.path))
	}
}

// actions are the rights by their names in policies.
var actions = map[cloud.Right]string{
	cloud.ToRead: "s3:GetObject", cloud.ToReadVersions: "s3:GetObjectVersion", cloud.ToList: "s3:ListBucket",
	cloud.ToListVersions: "s3:ListBucketVersions", cloud.ToCreate: "s3:PutObject", cloud.ToSeeRetention: "s3:GetObjectRetention",
}

// Deny adds a statement to the rules. It also holds for what the right means of the bucket as a whole.
func (a *AWS) Deny(who string, right cloud.Right, bucket, pattern string) (restore func(), err error) {
	arn := "arn:aws:s3:::" + bucket
	s := Statement{Sid: "Deny" + rand.Text(), Effect: Deny, Principal: []string{who}, Actions: []string{actions[right]}, Resources: []string{arn, arn + "/" + pattern}}
	if err := a.Rules.Add(s); err != nil {
		return nil, err
	}
	return func() {
		_ = a.Rules.Replace(slices.DeleteFunc(a.Rules.Statements(), func(other Statement) bool { return other.Sid == s.Sid })...)
	}, nil
}

// Overwrite puts a version on top.
func (a *AWS) Overwrite(ctx context.Context, bucket, key string, body []byte) error {
	_, err := a.Client(a.Breakglass).PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)})
	return err
}

// Remove deletes a version, or makes a delete marker. What is locked in COMPLIANCE mode stays.
func (a *AWS) Remove(ctx context.Context, bucket, key, version string) (string, error) {
	in := &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := a.Client(a.Breakglass).DeleteObject(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.VersionId), nil
}

// OpenUploads lists the multipart uploads that nobody has ended.
func (a *AWS) OpenUploads(ctx context.Context) (keys []string, err error) {
	for _, bucket := range []string{a.Vault, a.Staging} {
		out, err := a.Client(a.Breakglass).ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err != nil {
			return nil, err
		}
		for _, u := range out.Uploads {
			keys = append(keys, aws.ToString(u.Key))
		}
	}
	return keys, nil
}

// Faulty is Faults.
func (a *AWS) Faulty() *cloud.Faults { return a.Faults }

// Created subscribes to s3:ObjectCreated:*; the events' records are of type Record.
func (a *AWS) Created(bucket, prefix string, deliver func(cloud.Event)) (cancel func()) {
	return a.Events.Subscribe(Notification{Bucket: bucket, Prefix: prefix}, func(r Record) {
		deliver(cloud.Event{Bucket: bucket, Key: r.Key(), Record: r})
	})
}
