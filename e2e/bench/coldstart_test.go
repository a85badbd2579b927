package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// BenchmarkColdStart kills the function and delivers a marker, again and again: the time from the start of the process to
// its answer, beside that of a process that runs already. What is asked for is no backup, so that little else is in it.
func BenchmarkColdStart(b *testing.B) {
	const tries = 21
	for range b.N {
		fmt.Printf("\nA function's first answer, medians of %d\n%-14s %12s %12s\n", tries, "", "cold ms", "warm ms")
		for _, k := range clouds.All() {
			c := k.Start(b, cloud.Config{Prefix: "barman", VaultRetention: 24 * time.Hour})
			fn := c.Deploy(b)
			events := make(chan cloud.Event, 10)
			c.Created(c.StagingName(), c.Root()+"_pgseal/complete/", func(e cloud.Event) { events <- e })
			if _, err := open(b, c, c.StagingURL()).Put(b.Context(), "_pgseal/complete/main/20261126T000000.json", []byte("{}")); err != nil {
				b.Fatal(err)
			}
			marker := <-events
			measure := func(before func()) time.Duration {
				var took []time.Duration
				for range tries {
					before()
					began := time.Now()
					if err := fn.Deliver(b.Context(), k.Ways[0], marker); err != nil {
						b.Fatalf("%s: %v\n%s", k.Name, err, fn.Logs())
					}
					took = append(took, time.Since(began))
				}
				slices.Sort(took)
				return took[tries/2]
			}
			warm := measure(func() {})
			cold := measure(func() { fn.Kill(); time.Sleep(100 * time.Millisecond) }) // until its end is noticed
			fmt.Printf("%-14s %12.1f %12.1f\n", k.Name, cold.Seconds()*1000, warm.Seconds()*1000)
			b.ReportMetric(cold.Seconds()*1000, metricName(k.Name)+"-cold-ms")
		}
	}
}
