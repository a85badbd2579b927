package bench

import (
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// BenchmarkClouds backs one resting cluster up into each local cloud, in turn,
// beside stock barman where Debian's knows the store. What is compared is what
// each program makes of its store: the three servers are of different makes
// (and Azure's, in JavaScript, is the slowest), and say nothing about the
// clouds.
func BenchmarkClouds(b *testing.B) {
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15), ArchiveCommand: "true", Settings: map[string]string{"autovacuum": "off"}})
	c.LoadPgbench(scale(b))
	c.SQL("CHECKPOINT")
	c.ArchiveAll()
	size := readAll(b, c.DataDir)
	var all []contender
	for _, k := range clouds.All() {
		store := k.Start(b, cloud.Config{})
		ours := backupInto(b, c, store)
		stock := ""
		if k.Stock != nil {
			theirs := stockInto(b, c, store)
			stock, all = theirs.name, append(all, theirs)
		}
		for _, flags := range [][]string{nil, {"--lz4"}} {
			one := ours(flags...)
			one.against = stock
			all = append(all, one)
		}
	}
	title := fmt.Sprintf("Base backup of %.0f MB into each cloud, -J 2, medians of %d, %d processors", float64(size)/1e6, runs, runtime.NumCPU())
	for range b.N {
		race(b, title, size, func() { readAll(b, c.DataDir) }, all)
	}
}

// backupInto is pgseal as the host.
func backupInto(b *testing.B, c *pgtest.Cluster, store *clouds.Cloud) func(flags ...string) contender {
	vault := open(b, store, store.VaultURL())
	return func(flags ...string) contender {
		name := "none"
		if len(flags) > 0 {
			name = flags[0][2:]
		}
		server := func(run int) string { return fmt.Sprintf("%s-%d", name, run) }
		return contender{
			name: fmt.Sprintf("pgseal %s %s", name, store.Kind.Name),
			command: func(run int) *exec.Cmd {
				args := []string{"backup", "-d", c.DSN(), "--immediate-checkpoint", "--no-wait", "--staging-url", store.StagingURL()}
				cmd := pgtest.Command(b.Context(), build.Pgseal(b), slices.Concat(args, flags, []string{store.VaultURL(), server(run)})...)
				cmd.Env = append(cmd.Env, store.Env(cloud.Host)...)
				return cmd
			},
			stored: func(run int) (size int64) {
				for obj, err := range vault.List(b.Context(), layout.BaseDir(server(run))) {
					if err != nil {
						b.Fatal(err)
					}
					size += obj.Size
				}
				return size
			},
		}
	}
}

// stockInto is stock barman, uncompressed, as somebody who may do anything: it
// overwrites.
func stockInto(b *testing.B, c *pgtest.Cluster, store *clouds.Cloud) contender {
	return contender{
		name: "barman none " + store.Kind.Name,
		command: func(run int) *exec.Cmd {
			args := slices.Concat(store.Stock(store.Store), []string{"-d", c.DSN(), "--immediate-checkpoint", store.StagingURL(), fmt.Sprint("barman-", run)})
			cmd := pgtest.Command(b.Context(), "/usr/bin/barman-cloud-backup", args...)
			cmd.Env = append(cmd.Env, store.Env(cloud.Breakglass)...)
			return cmd
		},
	}
}
