// Package restore_test restores with the built pgseal what was backed up into local clouds, and starts PostgreSQL on it
// with the configuration that the restore wrote. The identity is the one that reads and nothing else.
package restore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestMain(m *testing.M) { localaws.Main(m) }

const server = "main"

// scene is a local cloud, and its vault as somebody sees it who may do anything.
type scene struct {
	*clouds.Cloud
	vault bucket.Bucket
}

func start(t *testing.T, k clouds.Kind) *scene {
	t.Helper()
	s := &scene{Cloud: k.Start(t, cloud.Config{Prefix: "barman", Server: server, VaultRetention: 24 * time.Hour})}
	var err error
	if s.vault, err = s.Open(t.Context(), cloud.Breakglass, s.VaultURL()); err != nil {
		t.Fatal(err)
	}
	return s
}

// outcome is how a program ended, and what it said.
type outcome struct {
	code   int // -1: it died of a signal
	output string
}

func (s *scene) command(who, program string, args ...string) *exec.Cmd {
	cmd := pgtest.Command(context.Background(), program, args...)
	cmd.Env = append(cmd.Env, s.Env(who)...)
	return cmd
}

func run(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String()}
}

func (o outcome) want(t *testing.T, code int, words ...string) outcome {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d\n%s", o.code, code, o.output)
	}
	for _, w := range words {
		if !strings.Contains(o.output, w) {
			t.Errorf("%q is not said:\n%s", w, o.output)
		}
	}
	return o
}

// cluster archives into the vault, with pgseal as the host.
func (s *scene) cluster(t *testing.T, o pgtest.Options) *pgtest.Cluster {
	t.Helper()
	o.Install = pgtest.Find(t, 15)
	o.ArchiveCommand = fmt.Sprintf("%s wal-archive --gzip %s %s %%p", build.Pgseal(t), s.VaultURL(), server)
	o.Env = s.Env(cloud.Host)
	return pgtest.New(t, o)
}

var named = regexp.MustCompile(`backup (\d{8}T\d{6}) `)

// backup backs a cluster up and seals it, and gives the id.
func (s *scene) backup(t *testing.T, c *pgtest.Cluster, flags ...string) string {
	t.Helper()
	args := append([]string{"backup", "-d", c.DSN(), "--immediate-checkpoint", "--no-wait", "--staging-url", s.StagingURL(), "-J", "2", "-S", "4MB"}, flags...)
	o := run(t, s.command(cloud.Host, build.Pgseal(t), append(args, s.VaultURL(), server)...)).want(t, 0, "backup ")
	found := named.FindStringSubmatch(o.output)
	if found == nil {
		t.Fatalf("no backup id in\n%s", o.output)
	}
	id := found[1]
	c.ArchiveAll()
	run(t, s.command(cloud.Finalizer, build.Pgseal(t), "finalize", "--staging-url", s.StagingURL(), s.VaultURL(), server, id)).want(t, 0, "sealed")
	return id
}

// restored is a directory that a backup goes to, with its tablespaces beside it.
type restored struct {
	*scene
	data  string
	flags []string
}

func (s *scene) place(t *testing.T, source *pgtest.Cluster) *restored {
	t.Helper()
	dir := pgtest.Dir(t)
	r := &restored{scene: s, data: filepath.Join(dir, "data")}
	for _, ts := range source.Tablespaces {
		if ts.Location != "" {
			r.flags = append(r.flags, "--tablespace", ts.Name+":"+filepath.Join(dir, "moved "+ts.OID))
		}
	}
	return r
}

// restore prepares `pgseal restore` of a backup into the place.
func (r *restored) restore(t *testing.T, backup string, flags ...string) *exec.Cmd {
	t.Helper()
	args := append(append([]string{"restore"}, r.flags...), flags...)
	return r.command(cloud.Restore, build.Pgseal(t), append(args, r.VaultURL(), server, backup, r.data)...)
}

// recovered starts PostgreSQL there, as the directory says, and waits for what o says.
func (r *restored) recovered(t *testing.T, source *pgtest.Cluster, o pgtest.RecoveryOptions) *pgtest.Cluster {
	t.Helper()
	o.Prepared, o.Env = true, r.Env(cloud.Restore)
	return pgtest.StartRestored(t, source.Install, r.data, o)
}

// rows counts what a story has written.
func rows(c *pgtest.Cluster, source *pgtest.Cluster) string {
	query := "SELECT count(*) FROM story"
	for _, ts := range source.Tablespaces {
		query += "; SELECT count(*), min(t), max(t) FROM " + ts.Table
	}
	return c.SQL(query)
}
