// Package chaos_test lets everything go wrong at once, in real processes: a PostgreSQL server is backed up again and
// again into a local cloud whose store fails every tenth request, the uploader gets SIGKILL at random moments, the server
// restarts in the middle of a backup, and the function is killed and started again all the time. What is left in the end
// is looked at by code that shares nothing with pgseal but the formats.
//
// What is done, and when, follows from a seed, which is printed; how the processes run beside each other does not:
//
//	PGSEAL_CHAOS_SEED=123 go test ./chaos_test
package chaos_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestMain(m *testing.M) {
	localaws.Hijack()
	flag.Parse()
	// All clouds at once, whatever the processors: most of the time they wait.
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	localaws.Main(m)
}

const (
	server   = "main"
	kills    = 17 // of the uploader in each cloud: 51 in all
	restarts = 3  // of PostgreSQL in the middle of a backup, in each cloud
)

func TestChaos(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("PGSEAL_CHAOS_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		t.Logf("PGSEAL_CHAOS_SEED=%d", seed)
		s := begin(t, k, rand.New(rand.NewPCG(seed, uint64(len(k.Name)))))
		calm := s.typical(t)
		stop := s.disturb(t)
		s.interrupt(t, calm)
		stop()
		began := time.Now()
		s.settle(t)
		t.Logf("a backup takes %s in peace; settled after %s", calm, time.Since(began).Round(time.Second))
		last := s.backup(t, "--wait").want(t, 0)
		s.source.ArchiveAll()
		s.sweep(t)

		s.checkPostgres(t)
		s.checkStatus(t)
		s.checkVault(t)
		s.checkUploads(t)
		s.checkRestore(t, last.id)
	})
}
