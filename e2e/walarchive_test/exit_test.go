package walarchive_test

import (
	"bytes"
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
)

func symlink(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

// PostgreSQL's archiver takes a command that dies of a signal, or ends with a code above 125, for a shutdown of its own
// and starts over without counting a failure.
func TestSignalsEndInAnExitCode(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		signal syscall.Signal
		code   int
	}{
		"SIGTERM": {syscall.SIGTERM, 1},
		"SIGINT":  {syscall.SIGINT, 1},
		"SIGHUP":  {syscall.SIGHUP, 1},
		"SIGQUIT": {syscall.SIGQUIT, 2}, // the Go runtime's answer, as to a panic in a goroutine
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, localaws.Config{})
			underway := a.Faults.Add(localaws.Fault{Operation: "PutObject", Action: localaws.Slow, Delay: time.Hour})
			cmd := command(t, a.Host, build.Pgseal(t), "wal-archive", a.VaultURL(), server, write(t, first, segment(mib, 'a')))
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the upload to begin", func() bool { return underway() > 0 })
			if err := cmd.Process.Signal(tc.signal); err != nil {
				t.Fatal(err)
			}
			got := ended(t, cmd.Wait(), &out)
			if tc.code == 1 {
				got.want(t, 1, "ERROR: interrupted (", "create s3://vault/"+onTheir+first)
			} else if got.code != tc.code {
				t.Errorf("exit code %d", got.code)
			}
			if stored := versions(t, a); len(stored) != 0 {
				t.Errorf("stored %v", stored)
			}
		})
	}
}

func TestTheTestOfTheStore(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{})
	test := func(url string, env ...string) answer {
		cmd := command(t, a.Host, build.Pgseal(t), "wal-archive", "--test", url, server)
		cmd.Env = append(cmd.Env, env...)
		return wait(t, cmd)
	}
	test(a.VaultURL()).want(t, 0)
	test("s3://missing-bucket/a").want(t, 1, "s3://missing-bucket/a", "AccessDenied") // as S3 tells those who may do nothing there
	wait(t, command(t, a.Breakglass, build.Pgseal(t), "wal-archive", "-t", "s3://missing-bucket/a", server)).want(t, 1, "not found", "NoSuchBucket")
	test(a.VaultURL(), "AWS_SECRET_ACCESS_KEY=wrong").want(t, 1, "SignatureDoesNotMatch")
	test(a.VaultURL(), "AWS_ENDPOINT_URL_S3=http://127.0.0.1:1").want(t, 2, "no answer")
	if stored := versions(t, a); len(stored) != 0 {
		t.Errorf("stored %v", stored)
	}
	wantNoUploads(t, a)
}

func TestNothingIsSentOfAFileThatIsNotWhatItsNameSays(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{})
	archive(t, a, write(t, first, segment(mib, 'a')[:mib-8192])).want(t, 1, "refused, as its content is not what its name says", "1040384 bytes")
	archive(t, a, write(t, "000000010000000000000002", segment(mib, 'a'))).want(t, 1, "address 0/100000")
	archive(t, a, write(t, "000000010000000000000001.gz", segment(mib, 'a'))).want(t, 3, "name not allowed")
	if puts := a.Requests(localaws.Operations("PutObject", "CreateMultipartUpload")); len(puts) != 0 {
		t.Errorf("%+v", puts)
	}
}

func TestLocksTagsAndEncryptionReachTheStore(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{HostMaySetRetention: true, Statements: []localaws.Statement{{Effect: localaws.Allow,
		Principal: []string{"host"}, Actions: []string{"s3:PutObjectTagging"}, Resources: []string{"arn:aws:s3:::vault/main/wals/*"}}}})
	flags := []string{"--tag", "purpose,wal", "--history-tag", "purpose,history", "--retention", "30d", "--lock-mode", "compliance", "--encryption", "AES256"}
	archive(t, a, write(t, first, segment(mib, 'a')), flags...).want(t, 0)
	archive(t, a, write(t, "00000002.history", []byte("1\t0/3000000\tno recovery target specified\n")), flags...).want(t, 0)
	for key, tag := range map[string]string{onTheir + first: "wal", "main/wals/00000002.history": "history"} {
		h := head(t, a, key)
		if left := time.Until(*h.ObjectLockRetainUntilDate); left < 29*24*time.Hour || left > 31*24*time.Hour || h.ObjectLockMode != "COMPLIANCE" {
			t.Errorf("%s: %s until %v", key, h.ObjectLockMode, h.ObjectLockRetainUntilDate)
		}
		tags, err := a.Client(a.Breakglass).GetObjectTagging(context.Background(), &s3.GetObjectTaggingInput{Bucket: &a.Vault, Key: &key})
		if err != nil || len(tags.TagSet) != 1 || *tags.TagSet[0].Value != tag {
			t.Errorf("%s: %+v, %v", key, tags, err)
		}
	}
	for _, r := range a.Requests(localaws.Operations("PutObject")) {
		if r.IfNoneMatch != "*" {
			t.Errorf("not a conditional create: %+v", r)
		}
	}
}
