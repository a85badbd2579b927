package bench

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/settest"

	"github.com/pgseal/pgseal/e2e/bench/figures"
)

// BenchmarkLatency seals sets of more and more objects in the model of each store, every request of which takes a while:
// what a network adds to what BenchmarkFinalizer measures.
func BenchmarkLatency(b *testing.B) {
	const tries = 3
	for range b.N {
		fmt.Printf("\nOne seal in the model of each store, medians of %d\n%-26s %6s %6s %10s %9s\n", tries, "", "list", "all", "ms", "heap MiB")
		t := figures.Table{Title: "One seal in the model of each store, by the number of objects and the time of a request", At: time.Now(), Runs: tries, Unit: "ms"}
		for _, p := range membucket.Personalities {
			for _, objects := range []int{10, 1000, 10_000} {
				for _, latency := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond} {
					var all []sample
					var d *distant
					for range tries {
						var took time.Duration
						d, took = sealFrom(b, p, objects, latency)
						all = append(all, sample{wall: took, rss: int64(d.peak)})
					}
					r := row(fmt.Sprintf("pgseal %s %d, %v", p, objects, latency), all, time.Millisecond)
					r.Note = fmt.Sprintf("%d requests, %d of them lists", d.all, d.lists)
					t.Rows = append(t.Rows, r)
					fmt.Printf("%-26s %6d %6d %10.1f %9.1f\n", r.Name, d.lists, d.all, r.Median, float64(r.RSS)/(1<<20))
				}
			}
		}
		keep(b, t)
	}
}

// distant counts requests, and makes each take a while.
type distant struct {
	latency    time.Duration
	mu         sync.Mutex
	all, lists int
	peak       uint64 // bytes of live heap and stacks
}

func (d *distant) hook(_ context.Context, c membucket.Call) membucket.Fault {
	d.mu.Lock()
	list := c.Op == "list" || c.Op == "versions" || c.Op == "dirs"
	if list {
		d.lists++
	}
	if d.all++; d.all%500 == 0 || list || c.Op == "create" {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		d.peak = max(d.peak, m.HeapInuse+m.StackInuse)
	}
	d.mu.Unlock()
	time.Sleep(d.latency)
	return membucket.Fault{}
}

// sealFrom makes a set and seals it at that distance.
func sealFrom(b *testing.B, p membucket.Personality, objects int, latency time.Duration) (*distant, time.Duration) {
	b.Helper()
	config, err := finalizer.ConfigFromEnv(func(string) string { return "" })
	if err != nil {
		b.Fatal(err)
	}
	page := 1000
	if p == membucket.Azure {
		page = 5000
	}
	vault := membucket.New(membucket.Options{Personality: p, URL: "mem://vault", Now: time.Now, Locked: true, Default: 30 * 24 * time.Hour, Page: page})
	staging := membucket.New(membucket.Options{Personality: p, URL: "mem://staging", Now: time.Now})
	s := settest.New("main", time.Now())
	s.UploadArchives(b, vault.Bucket())
	s.AddArchives(b, vault.Bucket(), objects-len(s.Archives))
	s.UploadWAL(b, vault.Bucket())
	s.UploadManifest(b, vault.Bucket())
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	d := &distant{latency: latency}
	f := &finalizer.Finalizer{
		Vault: vault.Hooked(d.hook, false), Staging: staging.Hooked(d.hook, false), Config: config,
		Now: time.Now, Build: "bench", Log: slog.New(slog.DiscardHandler), Decompress: codec.Decompress,
	}
	began := time.Now()
	v, err := f.Finalize(b.Context(), "main", s.ID())
	took := time.Since(began)
	if err != nil || v.State != finalizer.Sealed {
		b.Fatal(v, err)
	}
	d.peak -= min(d.peak, before.HeapInuse+before.StackInuse)
	return d, took
}
