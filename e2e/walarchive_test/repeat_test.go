package walarchive_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestTheSameSegmentAgainIsASuccess(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		a := start(t, k, cloud.Config{})
		file := write(t, first, segment(mib, 'a'))
		archive(t, a, file).want(t, 0)
		before := wantOne(t, a, onTheir+first)
		a.ForgetRequests()
		archive(t, a, file).want(t, 0, "already archived, with the same content")
		if after := wantOne(t, a, onTheir+first); after != before {
			t.Errorf("%s became %s", before, after)
		}
		var asked []string
		for _, r := range a.Requests(cloud.By(cloud.Host)) {
			asked = append(asked, string(r.Op))
		}
		if len(asked) > 4 || slices.ContainsFunc(asked, func(op string) bool {
			return op == string(cloud.Begin) || op == string(cloud.Part) || op == string(cloud.Read)
		}) {
			t.Errorf("it took %v", asked)
		}
	})
}

func TestOtherBytesUnderTheSameNameAreRefused(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		a := start(t, k, cloud.Config{})
		ours, others := segment(mib, 'a'), segment(mib, 'b')
		archive(t, a, write(t, first, ours)).want(t, 0)
		before := wantOne(t, a, onTheir+first)
		got := archive(t, a, write(t, first, others))
		got.want(t, 1, "ERROR: "+a.VaultURL()+"/"+onTheir+first+" holds other content", digest(ours), digest(others), "HINT: ", "recovery.signal")
		if strings.Count(got.output, "\n") != 2 {
			t.Errorf("not an error and a hint:\n%s", got.output)
		}
		if after := wantOne(t, a, onTheir+first); after != before {
			t.Errorf("%s became %s", before, after)
		}
	})
}

// What goes wrong on the way to the store, and how often.
func TestFaultsOnTheWay(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		for name, tc := range map[string]struct {
			fault cloud.Fault
			code  int
		}{
			"the answer to the PUT is lost":                     {cloud.Fault{Op: cloud.Create, Action: cloud.LoseResponse, Times: 1}, 0},
			"the answer to every PUT is lost":                   {cloud.Fault{Op: cloud.Create, Action: cloud.LoseResponse}, 0},
			"the PUT is lost once":                              {cloud.Fault{Op: cloud.Create, Action: cloud.LoseRequest, Times: 1}, 0},
			"the store cannot decide once":                      {cloud.Fault{Op: cloud.Create, Action: cloud.Conflict, Times: 1}, 0},
			"the store asks to slow down, and goes on asking":   {cloud.Fault{Identity: cloud.Host, Action: cloud.SlowDown}, 1},
			"the store fails at every PUT":                      {cloud.Fault{Op: cloud.Create, Action: cloud.Internal}, 1},
			"the store cannot list":                             {cloud.Fault{Identity: cloud.Host, Op: cloud.List, Action: cloud.Internal}, 1},
			"the store does not answer, not even to a question": {cloud.Fault{Identity: cloud.Host, Action: cloud.LoseRequest}, 1},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a := start(t, k, cloud.Config{})
				happened := a.Faulty().Add(tc.fault)
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
	})
}

func TestAnotherCompressionAtARetryMakesNoSecondObject(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		a := start(t, k, cloud.Config{})
		file := write(t, first, segment(mib, 'a'))
		for _, flags := range [][]string{{"-z"}, {"-j"}, {"--lz4"}, {"-z", "--compression-level", "1"}, nil} {
			archive(t, a, file, flags...).want(t, 0)
		}
		wantOne(t, a, onTheir+first+".gz")
		archive(t, a, write(t, first, segment(mib, 'b')), "--zstd").want(t, 1, first+".gz holds other content")
		wantOne(t, a, onTheir+first+".gz")
	})
}

func TestWithoutTheRightToListItStillArchives(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		a := start(t, k, cloud.Config{})
		if _, err := a.Deny(cloud.Host, cloud.ToList, a.VaultName(), "*"); err != nil {
			t.Fatal(err)
		}
		file := write(t, first, segment(mib, 'a'))
		archive(t, a, file).want(t, 0, "WARN cannot see whether")
		archive(t, a, file).want(t, 0, "already archived")
		archive(t, a, write(t, first, segment(mib, 'b'))).want(t, 1, "holds other content")
		wantOne(t, a, onTheir+first)
	})
}

func TestManyAtOnce(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		a := start(t, k, cloud.Config{})
		file := write(t, first, segment(mib, 'a'))
		program := build.Pgseal(t)
		var group sync.WaitGroup
		for range 6 {
			cmd := a.command(t, cloud.Host, program, "wal-archive", "-z", a.VaultURL(), server, file)
			group.Go(func() {
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
		group.Wait()
		wantOne(t, a, onTheir+first+".gz")
	})
}

// An archive that barman began is gone on with: its objects have no digest.
func TestWhatStockBarmanArchivedIsReadAndCompared(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		if k.Stock == nil {
			return
		}
		for suffix, flag := range map[string]string{".gz": "--gzip", ".bz2": "--bzip2", "": "-q"} {
			t.Run("suffix"+suffix, func(t *testing.T) {
				t.Parallel()
				a := start(t, k, cloud.Config{})
				file := write(t, first, segment(mib, 'a'))
				wait(t, a.command(t, cloud.Breakglass, "/usr/bin/barman-cloud-wal-archive", append(k.Stock(a.Store), flag, a.VaultURL(), server, file)...)).want(t, 0)
				archive(t, a, file, "-z").want(t, 0, "already archived")
				archive(t, a, write(t, first, segment(mib, 'b')), "-z").want(t, 1, "holds other content", digest(segment(mib, 'a')))
				wantOne(t, a, onTheir+first+suffix)
			})
		}
	})
}

func TestALongSegmentIsSentInParts(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		a := start(t, k, cloud.Config{})
		file := write(t, first, segment(128*mib, 'a'))
		const key = "main/wals/0000000100000000/" + first
		a.Faulty().Add(cloud.Fault{Op: cloud.Create, Action: cloud.LoseResponse, Times: 1})
		archive(t, a, file).want(t, 0)
		archive(t, a, file).want(t, 0, "already archived")
		archive(t, a, write(t, first, segment(128*mib, 'b')), "--lz4").want(t, 1, "holds other content")
		wantOne(t, a, key)
		wantNoUploads(t, a)
	})
}

func TestCalledByBarmansName(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		a := start(t, k, cloud.Config{})
		link := pgtest.Dir(t) + "/barman-cloud-wal-archive"
		symlink(t, build.Pgseal(t), link)
		file := write(t, first, segment(mib, 'a'))
		wait(t, a.command(t, cloud.Host, link, "--cloud-provider="+k.Provider, "--gz", "--read-timeout", "30", a.VaultURL()+"/", server, file)).want(t, 0)
		wantOne(t, a, onTheir+first+".gz")

		hook := a.command(t, cloud.Host, link, a.VaultURL(), server) // as barman's pre_archive_retry_script
		hook.Env = append(hook.Env, "BARMAN_FILE="+file, "BARMAN_PHASE=pre", "BARMAN_HOOK=archive_retry_script")
		wait(t, hook).want(t, 0, "already archived")
	})
}
