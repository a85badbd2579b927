package walarchive_test

import (
	"bytes"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
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
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
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
				a := start(t, k, cloud.Config{})
				underway := a.Faulty().Add(cloud.Fault{Op: cloud.Create, Action: cloud.Slow, Delay: time.Hour})
				// Who runs the tests may ignore a signal, as nohup does, and programs inherit that.
				cmd := a.command(t, cloud.Host, "/usr/bin/env", "--default-signal", build.Pgseal(t), "wal-archive", a.VaultURL(), server, write(t, first, segment(mib, 'a')))
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
					got.want(t, 1, "ERROR: interrupted (", "create "+a.VaultURL()+"/"+onTheir+first)
				} else if got.code != tc.code {
					t.Errorf("exit code %d", got.code)
				}
				if stored := versions(t, a); len(stored) != 0 {
					t.Errorf("stored %v", stored)
				}
			})
		}
	})
}

func TestNothingIsSentOfAFileThatIsNotWhatItsNameSays(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		a := start(t, k, cloud.Config{})
		archive(t, a, write(t, first, segment(mib, 'a')[:mib-8192])).want(t, 1, "refused, as its content is not what its name says", "1040384 bytes")
		archive(t, a, write(t, "000000010000000000000002", segment(mib, 'a'))).want(t, 1, "address 0/100000")
		archive(t, a, write(t, "000000010000000000000001.gz", segment(mib, 'a'))).want(t, 3, "name not allowed")
		if puts := a.Requests(cloud.Ops(cloud.Create, cloud.Begin)); len(puts) != 0 {
			t.Errorf("%+v", puts)
		}
	})
}
