// Package sealed is where many stories begin: a local cloud, a cluster that archives into it, and backups that were sealed.
package sealed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// Server is the name of the server in vault and staging.
const Server = "main"

// Scene is a local cloud, and its vault as somebody sees it who may do anything.
type Scene struct {
	*clouds.Cloud
	Vault bucket.Bucket
}

// Start starts a local cloud of that kind until the end of the test.
func Start(t *testing.T, k clouds.Kind) *Scene {
	t.Helper()
	s := &Scene{Cloud: k.Start(t, cloud.Config{Prefix: "barman", Server: Server, VaultRetention: 24 * time.Hour})}
	var err error
	if s.Vault, err = s.Open(t.Context(), cloud.Breakglass, s.VaultURL()); err != nil {
		t.Fatal(err)
	}
	return s
}

// Outcome is how a program ended, and what it said.
type Outcome struct {
	Code   int // -1: it died of a signal
	Output string
}

// Command prepares a program that runs as the servers' user, with the credentials of somebody.
func (s *Scene) Command(who, program string, args ...string) *exec.Cmd {
	cmd := pgtest.Command(context.Background(), program, args...)
	cmd.Env = append(cmd.Env, s.Env(who)...)
	return cmd
}

// Run runs a program to its end, whatever that is.
func Run(t *testing.T, cmd *exec.Cmd) Outcome {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return Outcome{cmd.ProcessState.ExitCode(), out.String()}
}

// Want fails the test unless the program ended with the code, and an error unless it said the words.
func (o Outcome) Want(t *testing.T, code int, words ...string) Outcome {
	t.Helper()
	if o.Code != code {
		t.Fatalf("exit code %d, want %d\n%s", o.Code, code, o.Output)
	}
	for _, w := range words {
		if !strings.Contains(o.Output, w) {
			t.Errorf("%q is not said:\n%s", w, o.Output)
		}
	}
	return o
}

// Cluster is one that archives into the vault, with pgseal as the host.
func (s *Scene) Cluster(t *testing.T, o pgtest.Options) *pgtest.Cluster {
	t.Helper()
	o.Install = pgtest.Find(t, 15)
	o.ArchiveCommand = fmt.Sprintf("%s wal-archive --gzip %s %s %%p", build.Pgseal(t), s.VaultURL(), Server)
	o.Env = s.Env(cloud.Host)
	return pgtest.New(t, o)
}

var named = regexp.MustCompile(`backup (\d{8}T\d{6}) `)

// Backup backs a cluster up and seals it, and gives the id.
func (s *Scene) Backup(t *testing.T, c *pgtest.Cluster, flags ...string) string {
	t.Helper()
	args := append([]string{"backup", "-d", c.DSN(), "--immediate-checkpoint", "--no-wait", "--staging-url", s.StagingURL(), "-J", "2", "-S", "4MB"}, flags...)
	o := Run(t, s.Command(cloud.Host, build.Pgseal(t), append(args, s.VaultURL(), Server)...)).Want(t, 0, "backup ")
	found := named.FindStringSubmatch(o.Output)
	if found == nil {
		t.Fatalf("no backup id in\n%s", o.Output)
	}
	id := found[1]
	c.ArchiveAll()
	Run(t, s.Command(cloud.Finalizer, build.Pgseal(t), "finalize", "--staging-url", s.StagingURL(), s.VaultURL(), Server, id)).Want(t, 0, "sealed")
	return id
}
