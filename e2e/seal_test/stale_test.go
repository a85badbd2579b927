package seal_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
)

// S3 alone keeps the uploads of who was killed. The sweep ends those that nobody goes on with, and no other: not that of a
// backup whose heart beats, nor one that got a part a moment ago, nor another program's beside pgseal's prefix.
func TestTheSweepEndsDeadUploads(t *testing.T) {
	t.Parallel()
	s := begin(t, clouds.AWS, locked)
	a := s.Store.(*localaws.AWS)
	client := a.Client(a.Host)
	part := func(key string, id *string, n int32) {
		t.Helper()
		_, err := client.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: &a.Vault, Key: &key, UploadId: id, PartNumber: &n, Body: bytes.NewReader(make([]byte, 5<<20))})
		if err != nil {
			t.Fatal(err)
		}
	}
	opened := func(c *s3.Client, key string) *string {
		t.Helper()
		out, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &a.Vault, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		return out.UploadId
	}
	id := "20261126T010203"
	dead, wal := a.Root()+layout.BackupDir("main", id)+"data.tar", a.Root()+layout.WAL("main", "000000010000000000000007", ".gz")
	beating, slow := a.Root()+layout.BackupDir("main", "20261126T020304")+"data.tar", a.Root()+layout.BackupDir("main", "20261126T030405")+"data.tar"
	part(dead, opened(client, dead), 1)
	opened(client, wal)
	part(beating, opened(client, beating), 1)
	slowID := opened(client, slow)
	staged := a.Root() + layout.BackupInfo("main", id) // of a question that was never finished
	if _, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &a.Staging, Key: &staged}); err != nil {
		t.Fatal(err)
	}
	foreign := opened(a.Client(a.Breakglass), "elsewhere/main/base/"+id+"/data.tar")
	if _, err := s.hostStaging.Put(t.Context(), layout.BackupInfo("main", id), []byte("status=STARTED\n")); err != nil { // so that the server is known
		t.Fatal(err)
	}
	open := func() []string {
		keys, err := a.OpenUploads(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(keys)
		return keys
	}
	alive := func() {
		t.Helper()
		if _, err := s.hostStaging.Put(t.Context(), layout.Progress("main", "20261126T020304"), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	const silence = "PGSEAL_ABANDON_AFTER=10s"
	alive()
	if r := s.sweep(t, silence); r.Ended != 0 || len(open()) != 6 {
		t.Fatalf("%+v, open: %q", r, open())
	}
	time.Sleep(12 * time.Second) // the store counts in seconds
	alive()
	part(slow, slowID, 2)
	if r := s.sweep(t, silence); r.Ended != 3 || r.Failed != 0 || !slices.Equal(open(), []string{beating, slow, "elsewhere/main/base/" + id + "/data.tar"}) {
		t.Fatalf("%+v, open: %q", r, open())
	}
	time.Sleep(12 * time.Second)
	if r := s.sweep(t, silence); r.Ended != 2 || !slices.ContainsFunc(open(), func(k string) bool { return strings.HasPrefix(k, "elsewhere/") }) || len(open()) != 1 {
		t.Fatalf("%+v, open: %q", r, open())
	}
	if _, err := a.Client(a.Breakglass).AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: &a.Vault, Key: aws.String("elsewhere/main/base/" + id + "/data.tar"), UploadId: foreign}); err != nil {
		t.Error(err)
	}
}
