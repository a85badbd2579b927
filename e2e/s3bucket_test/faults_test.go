package s3bucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/localaws"
)

const part = 5 << 20

// body is n bytes, none of them alike for long.
func body(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func TestFaultsOfTheStoreAreRiddenOut(t *testing.T) {
	s := start(t, localaws.Config{VaultRetention: time.Hour})
	for _, tc := range []struct {
		name      string
		operation string
		action    localaws.Action
		size      int
	}{
		{"an undecided race, twice", "PutObject", localaws.Conflict, 1000},
		{"too fast, twice", "PutObject", localaws.SlowDown, 1000},
		{"lost requests", "PutObject", localaws.LoseRequest, 1000},
		{"lost answers", "PutObject", localaws.LoseResponse, 1000},
		{"failing parts", "UploadPart", localaws.Internal, 2*part + 1},
		{"lost answers to parts", "UploadPart", localaws.LoseResponse, 2*part + 1},
		{"too fast at the end", "CompleteMultipartUpload", localaws.SlowDown, part + 1},
		{"lost answers at the end", "CompleteMultipartUpload", localaws.LoseResponse, part + 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := s.open(t, s.Host, s.Vault)
			_, key := place(b, "k")
			happened := s.Faults.Add(localaws.Fault{Operation: tc.operation, Key: key, Action: tc.action, Times: 2})
			want := body(tc.size)
			obj, err := bucket.CreateStream(t.Context(), b, "k", bytes.NewReader(want), bucket.CreateOptions{PartSize: part})
			if err != nil || happened() != 2 {
				t.Fatalf("%v after %d faults", err, happened())
			}
			if got, _, err := bucket.ReadAll(t.Context(), b, "k", obj.Version, 1<<30); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v; want the %d that were sent", len(got), err, len(want))
			}
			s.wantNoUploads(t, b)
		})
	}
}

func TestFaultsThatDoNotEndAreTold(t *testing.T) {
	s := start(t, localaws.Config{VaultRetention: time.Hour})
	for _, tc := range []struct {
		name      string
		operation string
		action    localaws.Action
		size      int
		want      error
	}{
		{"a store that takes no part", "UploadPart", localaws.Internal, 2*part + 1, bucket.ErrUnavailable},
		{"a conflict at the end", "CompleteMultipartUpload", localaws.Conflict, part + 1, bucket.ErrUnavailable},
		{"a store that does not answer at the end", "CompleteMultipartUpload", localaws.LoseRequest, part + 1, bucket.ErrUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := s.open(t, s.Host, s.Vault)
			_, key := place(b, "k")
			s.Faults.Add(localaws.Fault{Operation: tc.operation, Key: key, Action: tc.action})
			_, err := b.Create(t.Context(), "k", bytes.NewReader(body(tc.size)), bucket.CreateOptions{PartSize: part})
			if !errors.Is(err, tc.want) || !bucket.Retryable(err) {
				t.Errorf("%v, want %v", err, tc.want)
			}
			if _, err := b.Stat(t.Context(), "k", ""); !errors.Is(err, bucket.ErrNotFound) {
				t.Errorf("Stat = %v, want ErrNotFound", err)
			}
			s.wantNoUploads(t, b)
		})
	}
}

func TestACancelledUploadIsAborted(t *testing.T) {
	s := start(t, localaws.Config{VaultRetention: time.Hour})
	b := s.open(t, s.Host, s.Vault)
	ctx, cancel := context.WithCancel(t.Context())
	_, key := place(b, "k")
	s.Faults.Add(localaws.Fault{Operation: "UploadPart", Key: key, Action: localaws.Slow, Delay: time.Minute, After: 1})
	r := io.MultiReader(bytes.NewReader(body(3*part)), readerFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF }))
	if _, err := b.Create(ctx, "k", r, bucket.CreateOptions{PartSize: part, PartsInFlight: 4}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	s.wantNoUploads(t, b)
	if aborts := s.Requests(localaws.By("host"), localaws.Operations("AbortMultipartUpload")); len(aborts) != 1 || aborts[0].Status != 204 {
		t.Errorf("aborts: %+v, want one", aborts)
	}
}

func TestWhoMaySeeWhat(t *testing.T) {
	s := start(t, localaws.Config{VaultRetention: time.Hour, HostMaySetRetention: true})
	host := s.open(t, s.Host, s.Vault+"/see/it")
	made, err := host.Create(t.Context(), "srv/base/1/data.tar", strings.NewReader("x"), bucket.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := host.Stat(t.Context(), "srv/base/1/data.tar", "")
	if err != nil || seen.RetentionSeen || !seen.RetainUntil.IsZero() || seen.CRC32C != made.CRC32C {
		t.Errorf("the host, which may not see locks: %+v, %v", seen, err)
	}
	finalizer := s.open(t, s.Finalizer, s.Vault+"/see/it")
	seen, err = finalizer.Stat(t.Context(), "srv/base/1/data.tar", made.Version)
	if err != nil || !seen.RetentionSeen || seen.RetainUntil.IsZero() {
		t.Errorf("the finalizer, which may: %+v, %v", seen, err)
	}
	if _, err := finalizer.Create(t.Context(), "srv/base/1/data.tar", strings.NewReader("y"), bucket.CreateOptions{}); !errors.Is(err, bucket.ErrDenied) {
		t.Errorf("the finalizer creates an archive: %v, want ErrDenied", err)
	}
	seal, err := bucket.CreateOrMatch(t.Context(), finalizer, "srv/base/1/backup.info", []byte("sealed"), bucket.CreateOptions{RetainUntil: time.Now().Add(2 * time.Hour)})
	if err != nil || seal.Version == "" {
		t.Errorf("the finalizer seals: %+v, %v", seal, err)
	}
	if _, err := host.Create(t.Context(), "srv/base/2/backup.info", strings.NewReader("x"), bucket.CreateOptions{}); !errors.Is(err, bucket.ErrDenied) {
		t.Errorf("the host seals: %v, want ErrDenied", err)
	}
	if err := host.CheckCreate(t.Context(), "srv/base/2/data.tar"); err != nil {
		t.Errorf("the host asks for an archive: %v", err)
	}
	if _, err := host.Put(t.Context(), "srv/base/1/data.tar", []byte("z")); !errors.Is(err, bucket.ErrDenied) {
		t.Errorf("the host overwrites: %v, want ErrDenied", err)
	}
	for _, err := range host.ListVersions(t.Context(), "") {
		if !errors.Is(err, bucket.ErrDenied) || !strings.Contains(err.Error(), "s3:ListBucketVersions") {
			t.Errorf("the host lists versions: %v, want ErrDenied and the permission's name", err)
		}
	}
	s.wantNoUploads(t, host)
	if deletes := s.Requests(localaws.Deletes); len(deletes) > 0 {
		t.Errorf("something was deleted: %+v", deletes)
	}
}

func (s *store) wantNoUploads(t *testing.T, b bucket.Bucket) {
	t.Helper()
	name, prefix := place(b, "")
	out, err := s.Client(s.Breakglass).ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: &name, Prefix: aws.String(prefix)})
	if err != nil || len(out.Uploads) != 0 {
		t.Errorf("unfinished uploads: %+v, %v", out, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
