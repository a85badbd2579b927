package seal_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/localaws"
)

// What a host that has been taken over tries with its own credentials, before the seal and after it. The store refuses
// each, by name, and nothing is changed.
func TestAHostCannotSealNorUnseal(t *testing.T) {
	t.Parallel()
	s := begin(t, locked)
	b := s.uploaded(t, "main")
	seal, key := b.Key(layout.BackupInfoName), aws.String(s.Prefix+"/"+b.Key(layout.BackupInfoName))
	client := s.Client(s.Host)
	create := func(key string) error {
		_, err := s.host.Create(t.Context(), key, strings.NewReader("status=DONE\n"), bucket.CreateOptions{SingleShot: true, PartSize: 100})
		return err
	}
	type attempt struct {
		name string
		do   func() error
	}
	attempts := []attempt{
		{"create backup.info", func() error { return create(seal) }},
		{"overwrite backup.info", func() error { _, err := s.host.Put(t.Context(), seal, []byte("status=DONE\n")); return err }},
		{"overwrite an archive", func() error { _, err := s.host.Put(t.Context(), b.Key("data.tar"), []byte("x")); return err }},
		{"overwrite the manifest", func() error { _, err := s.host.Put(t.Context(), b.Key(layout.ManifestName), []byte("x")); return err }},
		{"create another server's seal", func() error { return create(layout.BackupInfo("other", b.ID())) }},
		{"upload backup.info in parts", func() error {
			_, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &s.Vault, Key: key})
			return err
		}},
		{"copy something to backup.info", func() error {
			_, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &s.Vault, Key: key, CopySource: aws.String(s.Vault + "/" + s.Prefix + "/" + b.Key("data.tar"))})
			return err
		}},
		{"delete backup.info", func() error {
			_, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &s.Vault, Key: key})
			return err
		}},
		{"delete the version", func() error {
			_, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &s.Vault, Key: key, VersionId: aws.String("01HZZZZZZZZZZZZZZZZZZZZZZZ")})
			return err
		}},
		{"delete many at once", func() error {
			out, err := client.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &s.Vault, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key}}}})
			if err == nil && len(out.Errors) == 1 {
				err = errors.New(aws.ToString(out.Errors[0].Code))
			}
			return err
		}},
		{"lift the lock", func() error {
			_, err := client.PutObjectRetention(t.Context(), &s3.PutObjectRetentionInput{Bucket: &s.Vault, Key: key, Retention: &types.ObjectLockRetention{}})
			return err
		}},
		{"write the verdict", func() error {
			_, err := s.hostStaging.Put(t.Context(), layout.Verdict("main", b.ID()), []byte(`{"verdict":"sealed"}`))
			return err
		}},
	}
	check := func(t *testing.T) {
		for _, a := range attempts {
			if err := a.do(); err == nil || !errors.Is(err, bucket.ErrDenied) && !strings.Contains(err.Error(), "AccessDenied") {
				t.Errorf("%s: %v", a.name, err)
			}
		}
	}
	check(t)
	b.isNotSealed(t, want{})
	b.finalize(t)
	first := b.isSealed(t)
	check(t)
	b.finalize(t)
	if v := b.isSealed(t); v.Receipt.Version != first.Receipt.Version || len(v.Findings) > 0 {
		t.Errorf("%+v", v)
	}
	b.loseVerdict(t)
	b.finalize(t)
	if v := b.isSealed(t); len(v.Findings) > 0 {
		t.Errorf("%+v", v.Findings)
	}
}

// What stands where the seal belongs, put there by somebody who may do anything: a conflict, and the finalizer adds
// nothing to it.
func TestSomethingStandsWhereTheSealBelongs(t *testing.T) {
	t.Parallel()
	s := begin(t, locked)
	for server, c := range map[string]struct {
		name  string
		do    func(t *testing.T, b *backup)
		seals int // versions and delete markers
		words string
	}{
		"stock": {"a stock backup.info", func(t *testing.T, b *backup) {
			b.overwrite(t, b.Key("backup.info"), []byte("backup_label=None\nstatus=DONE\nserver_name=cloud\n"))
		}, 1, "not written by pgseal"},
		"forged": {"one that names the manifest's digest and says something else", func(t *testing.T, b *backup) {
			b.overwrite(t, b.Key("backup.info"), []byte("# pgseal seal_format=1\n# pgseal manifest_sha256="+manifestDigest(t, b)+"\nstatus=DONE\n"))
		}, 1, "not made from this set's manifest"},
		"empty": {"an empty one", func(t *testing.T, b *backup) {
			b.overwrite(t, b.Key("backup.info"), nil)
		}, 1, "not written by pgseal"},
		"long": {"one that is longer than any", func(t *testing.T, b *backup) {
			b.overwrite(t, b.Key("backup.info"), make([]byte, 2<<20))
		}, 1, ""},
		"two": {"two versions", func(t *testing.T, b *backup) {
			b.overwrite(t, b.Key("backup.info"), []byte("status=STARTED\n"))
			b.overwrite(t, b.Key("backup.info"), []byte("status=DONE\n"))
		}, 2, "not written by pgseal"},
		"hidden": {"a delete marker over a foreign one", func(t *testing.T, b *backup) {
			b.overwrite(t, b.Key("backup.info"), []byte("status=DONE\n"))
			b.hide(t, b.Key("backup.info"))
		}, 2, "a delete marker hides"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := s.uploaded(t, server)
			c.do(t, b)
			r := b.mark(t)
			for _, w := range []way{queue, bridge} {
				if err := s.wake(t, w, r); err != nil {
					t.Fatal(err)
				}
				v := b.isJudged(t, want{finalizer.Conflict, finalizer.ClassSeal, "other-seal", "/backup.info"})
				has(t, v.Reasons[0].Text, c.words)
			}
			if n := len(b.seals(t)); n != c.seals || b.granted() > 0 {
				t.Errorf("%d versions, %d written by the finalizer", n, b.granted())
			}
		})
	}
}

// A delete marker with nothing below it lets the next conditional create pass, and would hide in a listing that there is
// one version only. Nothing is sealed until somebody has looked at it and taken it away.
func TestADeleteMarkerStandsWhereTheSealBelongs(t *testing.T) {
	t.Parallel()
	s := begin(t, localaws.Config{}) // without locks, so that the version below can go
	b := s.uploaded(t, "main")
	b.overwrite(t, b.Key("backup.info"), nil)
	below := b.seals(t)[0].Version
	marker := b.hide(t, b.Key("backup.info"))
	b.removeVersion(t, s.Vault, b.Key("backup.info"), below)
	b.finalize(t)
	v := b.isJudged(t, want{finalizer.Conflict, finalizer.ClassSeal, "other-seal", "/backup.info"})
	has(t, v.Reasons[0].Text, "a delete marker stands there, and nothing below it")
	if b.granted() > 0 {
		t.Error("it was sealed over")
	}
	b.removeVersion(t, s.Vault, b.Key("backup.info"), marker)
	b.finalize(t)
	b.isSealed(t)
}
