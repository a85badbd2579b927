package bench

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/bench/figures"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// BenchmarkFinalizer seals sets of more and more objects with the built
// functions, and counts their requests. The stores are on this machine, so the
// time is that of the requests themselves: no network. 10,000 objects are left
// to BenchmarkLatency: the local S3 server walks all of them for every page.
func BenchmarkFinalizer(b *testing.B) {
	for range b.N {
		fmt.Printf("\nOne seal, medians of %d\n%-14s %8s %6s %6s %6s %6s %6s %10s\n", runs, "", "objects", "list", "stat", "read", "write", "all", "ms")
		t := figures.Table{Title: "One seal, by the number of objects", At: time.Now(), Runs: runs, Unit: "ms"}
		for _, k := range clouds.All() {
			c := k.Start(b, cloud.Config{Prefix: "barman", VaultRetention: 24 * time.Hour})
			fn := c.Deploy(b, "PGSEAL_MIN_RETENTION=1h")
			events := make(chan cloud.Event, 100)
			c.Created(c.StagingName(), c.Root()+"_pgseal/complete/", func(e cloud.Event) { events <- e })
			vault, staging := open(b, c, c.VaultURL()), open(b, c, c.StagingURL())
			for _, objects := range []int{10, 100, 1000} {
				var all []sample
				var counts [5]int
				for run := range runs {
					server := fmt.Sprintf("s%d-%d", objects, run)
					e := marked(b, vault, staging, server, objects, events)
					c.ForgetRequests()
					began := time.Now()
					if err := fn.Deliver(b.Context(), k.Ways[0], e); err != nil {
						b.Fatalf("%s: %v\n%s", k.Name, err, fn.Logs())
					}
					all = append(all, sample{wall: time.Since(began)})
					for i, op := range []cloud.Op{cloud.List, cloud.Stat, cloud.Read, cloud.Create} {
						counts[i] = len(c.Requests(cloud.By(cloud.Finalizer), cloud.Ops(op)))
					}
					counts[4] = len(c.Requests(cloud.By(cloud.Finalizer)))
				}
				m := median(all)
				fmt.Printf("%-14s %8d %6d %6d %6d %6d %6d %10.1f\n", k.Name, objects, counts[0], counts[1], counts[2], counts[3], counts[4], m.wall.Seconds()*1000)
				b.ReportMetric(m.wall.Seconds()*1000, fmt.Sprintf("%s-%d-ms", metricName(k.Name), objects))
				r := row(fmt.Sprintf("pgseal %s %d", k.Name, objects), all, time.Millisecond)
				r.Note = fmt.Sprintf("%d requests, %d of them lists", counts[4], counts[0])
				t.Rows = append(t.Rows, r)
			}
		}
		keep(b, t)
	}
}

// open opens a place as the host.
func open(b *testing.B, c *clouds.Cloud, url string) bucket.Bucket {
	b.Helper()
	place, err := c.Open(b.Context(), cloud.Host, url)
	if err != nil {
		b.Fatal(err)
	}
	return place
}

// marked uploads a set and its marker, and gives the marker's event.
func marked(b *testing.B, vault, staging bucket.Bucket, server string, objects int, events <-chan cloud.Event) cloud.Event {
	b.Helper()
	set := settest.New(server, time.Now())
	set.UploadArchives(b, vault)
	set.AddArchives(b, vault, objects-len(set.Archives))
	set.UploadWAL(b, vault)
	set.UploadManifest(b, vault)
	body, err := json.Marshal(manifest.Marker{Server: server, BackupID: set.ID()})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := staging.Put(b.Context(), layout.Marker(server, set.ID()), body); err != nil {
		b.Fatal(err)
	}
	select {
	case e := <-events:
		return e
	case <-time.After(10 * time.Second):
		b.Fatal("no event of the marker")
		return cloud.Event{}
	}
}
