package backup_test

import (
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// maxRSS is what README promises for -J 4.
const maxRSS = 256 << 20

// TestMemoryStaysBounded: four archives at a time, each with its parts in
// flight, on a cluster far larger than that, and a store so slow that all
// buffers fill. What a compression holds does not depend on the store.
func TestMemoryStaysBounded(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		store, p := cloudPlaces(t, k, cloud.Config{VaultRetention: time.Hour})
		c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15)})
		for range 4 { // a file goes to one worker
			c.CreateLoad(90)
		}
		store.Faulty().Add(cloud.Fault{Op: cloud.Part, Action: cloud.Slow, Delay: time.Second})
		compressions := []string{""}
		if k.Name == clouds.AWS.Name {
			compressions = append(compressions, "--lz4", "--gzip")
		}
		for _, compression := range compressions {
			name := compression
			if name == "" {
				name = "none"
			}
			t.Run(name, func(t *testing.T) {
				args := []string{"-J", "4"}
				if compression != "" {
					args = append(args, compression)
				}
				o := p.backup(t, c, args...)
				if o.code != 0 {
					t.Fatalf("exit code %d\n%s", o.code, o.stderr)
				}
				t.Logf("%d MiB; %s", o.maxRSS>>20, o.stdout)
				if o.maxRSS > maxRSS {
					t.Errorf("resident set of %d MiB", o.maxRSS>>20)
				}
			})
		}
	})
}
