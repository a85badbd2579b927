package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/bench/figures"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// BenchmarkColdStart kills the function and delivers a marker, again and again: the time from the start of the process to
// its answer, beside that of a process that runs already. What is asked for is no backup, so that little else is in it.
func BenchmarkColdStart(b *testing.B) {
	const tries = 21
	for range b.N {
		fmt.Printf("\nA function's first answer, medians of %d\n%-14s %12s %12s\n", tries, "", "cold ms", "warm ms")
		t := figures.Table{Title: "A function's first answer, from the start of its process", At: time.Now(), Runs: tries, Unit: "ms"}
		for _, k := range clouds.All() {
			c := k.Start(b, cloud.Config{Prefix: "barman", VaultRetention: 24 * time.Hour})
			fn := c.Deploy(b)
			events := make(chan cloud.Event, 10)
			c.Created(c.StagingName(), c.Root()+"_pgseal/complete/", func(e cloud.Event) { events <- e })
			if _, err := open(b, c, c.StagingURL()).Put(b.Context(), "_pgseal/complete/main/20261126T000000.json", []byte("{}")); err != nil {
				b.Fatal(err)
			}
			marker := <-events
			measure := func(before func()) (took []sample) {
				for range tries {
					before()
					began := time.Now()
					if err := fn.Deliver(b.Context(), k.Ways[0], marker); err != nil {
						b.Fatalf("%s: %v\n%s", k.Name, err, fn.Logs())
					}
					took = append(took, sample{wall: time.Since(began)})
				}
				return took
			}
			warm := measure(func() {})
			cold := measure(func() { fn.Kill(); time.Sleep(100 * time.Millisecond) }) // until its end is noticed
			first, w := row("pgseal "+k.Name+" cold", cold, time.Millisecond), row("pgseal "+k.Name+" warm", warm, time.Millisecond)
			t.Rows = append(t.Rows, first, w)
			fmt.Printf("%-14s %12.1f %12.1f\n", k.Name, first.Median, w.Median)
			b.ReportMetric(first.Median, metricName(k.Name)+"-cold-ms")
		}
		keep(b, t)
	}
}
