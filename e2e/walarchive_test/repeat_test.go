package walarchive_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestTheSameSegmentAgainIsASuccess(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{})
	file := write(t, first, segment(mib, 'a'))
	archive(t, a, file).want(t, 0)
	before := wantOne(t, a, onTheir+first)
	a.ForgetRequests()
	archive(t, a, file).want(t, 0, "already archived, with the same content")
	if after := wantOne(t, a, onTheir+first); after != before {
		t.Errorf("%s became %s", before, after)
	}
	var asked []string
	for _, r := range a.Requests(localaws.By("host")) {
		asked = append(asked, r.Operation)
	}
	if len(asked) > 4 || strings.Contains(strings.Join(asked, " "), "Put") || strings.Contains(strings.Join(asked, " "), "GetObject ") {
		t.Errorf("it took %v", asked)
	}
}

func TestOtherBytesUnderTheSameNameAreRefused(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{})
	ours, others := segment(mib, 'a'), segment(mib, 'b')
	archive(t, a, write(t, first, ours)).want(t, 0)
	before := wantOne(t, a, onTheir+first)
	got := archive(t, a, write(t, first, others))
	got.want(t, 1, "ERROR: s3://vault/"+onTheir+first+" holds other content", digest(ours), digest(others), "lock cannot be seen", "HINT: ", "recovery.signal")
	if strings.Count(got.output, "\n") != 2 {
		t.Errorf("not an error and a hint:\n%s", got.output)
	}
	if after := wantOne(t, a, onTheir+first); after != before {
		t.Errorf("%s became %s", before, after)
	}
}

// What goes wrong on the way to the store, and how often.
func TestFaultsOnTheWay(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault localaws.Fault
		code  int
	}{
		"the answer to the PUT is lost":              {localaws.Fault{Operation: "PutObject", Action: localaws.LoseResponse, Times: 1}, 0},
		"the answer to every PUT is lost":            {localaws.Fault{Operation: "PutObject", Action: localaws.LoseResponse}, 0},
		"the PUT is lost once":                       {localaws.Fault{Operation: "PutObject", Action: localaws.LoseRequest, Times: 1}, 0},
		"S3 cannot decide once":                      {localaws.Fault{Operation: "PutObject", Action: localaws.Conflict, Times: 1}, 0},
		"S3 asks to slow down, and goes on asking":   {localaws.Fault{Identity: "host", Action: localaws.SlowDown}, 1},
		"S3 fails at every PUT":                      {localaws.Fault{Operation: "PutObject", Action: localaws.Internal}, 1},
		"S3 cannot list":                             {localaws.Fault{Operation: "ListObjectsV2", Action: localaws.Internal}, 1},
		"S3 does not answer, not even to a question": {localaws.Fault{Identity: "host", Action: localaws.LoseRequest}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, localaws.Config{})
			happened := a.Faults.Add(tc.fault)
			archive(t, a, write(t, first, segment(mib, 'a')), "--gzip").want(t, tc.code)
			if happened() == 0 {
				t.Error("no fault happened")
			}
			if tc.code == 0 {
				wantOne(t, a, onTheir+first+".gz")
			} else if got := versions(t, a); len(got) != 0 {
				t.Errorf("stored %v", got)
			}
			wantNoUploads(t, a)
		})
	}
}

func TestAnotherCompressionAtARetryMakesNoSecondObject(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{})
	file := write(t, first, segment(mib, 'a'))
	for _, flags := range [][]string{{"-z"}, {"-j"}, {"--lz4"}, {"-z", "--compression-level", "1"}, nil} {
		archive(t, a, file, flags...).want(t, 0)
	}
	wantOne(t, a, onTheir+first+".gz")
	archive(t, a, write(t, first, segment(mib, 'b')), "--zstd").want(t, 1, first+".gz holds other content")
	wantOne(t, a, onTheir+first+".gz")
}

func TestWithoutTheRightToListItStillArchives(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{Statements: []localaws.Statement{{Effect: localaws.Deny, Principal: []string{"host"},
		Actions: []string{"s3:ListBucket"}, Resources: []string{"*"}}}})
	file := write(t, first, segment(mib, 'a'))
	archive(t, a, file).want(t, 0, "WARN cannot see whether", "s3:ListBucket")
	archive(t, a, file).want(t, 0, "already archived")
	archive(t, a, write(t, first, segment(mib, 'b'))).want(t, 1, "holds other content")
	wantOne(t, a, onTheir+first)
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{})
	file := write(t, first, segment(mib, 'a'))
	program := build.Pgseal(t)
	var group sync.WaitGroup
	for range 6 {
		cmd := command(t, a.Host, program, "wal-archive", "-z", a.VaultURL(), server, file)
		group.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	group.Wait()
	wantOne(t, a, onTheir+first+".gz")
}

// An archive that barman began is gone on with: its objects have no digest.
func TestWhatStockBarmanArchivedIsReadAndCompared(t *testing.T) {
	t.Parallel()
	for suffix, flag := range map[string]string{".gz": "--gzip", ".bz2": "--bzip2", "": "-q"} {
		t.Run("suffix"+suffix, func(t *testing.T) {
			t.Parallel()
			a := start(t, localaws.Config{})
			file := write(t, first, segment(mib, 'a'))
			wait(t, command(t, a.Breakglass, "/usr/bin/barman-cloud-wal-archive", "--endpoint-url", a.Endpoint, flag, a.VaultURL(), server, file)).want(t, 0)
			archive(t, a, file, "-z").want(t, 0, "already archived")
			archive(t, a, write(t, first, segment(mib, 'b')), "-z").want(t, 1, "holds other content", digest(segment(mib, 'a')))
			wantOne(t, a, onTheir+first+suffix)
		})
	}
}

func TestALongSegmentIsSentInParts(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{})
	file := write(t, first, segment(128*mib, 'a'))
	const key = "main/wals/0000000100000000/" + first
	a.Faults.Add(localaws.Fault{Operation: "CompleteMultipartUpload", Action: localaws.LoseResponse, Times: 1})
	archive(t, a, file).want(t, 0)
	archive(t, a, file).want(t, 0, "already archived")
	archive(t, a, write(t, first, segment(128*mib, 'b')), "--lz4").want(t, 1, "holds other content")
	wantOne(t, a, key)
	wantNoUploads(t, a)
}

func TestCalledByBarmansName(t *testing.T) {
	t.Parallel()
	a := start(t, localaws.Config{})
	link := pgtest.Dir(t) + "/barman-cloud-wal-archive"
	symlink(t, build.Pgseal(t), link)
	file := write(t, first, segment(mib, 'a'))
	wait(t, command(t, a.Host, link, "--cloud-provider=aws-s3", "--gz", "--read-timeout", "30", a.VaultURL()+"/", server, file)).want(t, 0)
	wantOne(t, a, onTheir+first+".gz")

	hook := command(t, a.Host, link, a.VaultURL(), server) // as barman's pre_archive_retry_script
	hook.Env = append(hook.Env, "BARMAN_FILE="+file, "BARMAN_PHASE=pre", "BARMAN_HOOK=archive_retry_script")
	wait(t, hook).want(t, 0, "already archived")
}
