package finalizer_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/settest"
)

// BenchmarkLatency seals sets of more and more objects in the model of each
// store, every request of which takes a while: what a network adds to what
// the e2e benchmark measures. go test -bench Latency ./core/finalizer
func BenchmarkLatency(b *testing.B) {
	for _, p := range []membucket.Personality{membucket.S3, membucket.GCS, membucket.Azure} {
		for _, objects := range []int{10, 100, 1000, 10_000} {
			for _, latency := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond} {
				b.Run(fmt.Sprintf("%s/%d/%s", p, objects, latency), func(b *testing.B) { benchmarkSeal(b, p, objects, latency) })
			}
		}
	}
}

// distant counts requests by what they ask for, and makes each take a while.
type distant struct {
	latency time.Duration
	mu      sync.Mutex
	counts  map[string]int
	peak    uint64 // bytes of live heap
}

func (d *distant) hook(_ context.Context, c membucket.Call) membucket.Fault {
	d.mu.Lock()
	d.counts[c.Op]++
	if d.counts[c.Op]%500 == 1 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		d.peak = max(d.peak, m.HeapInuse+m.StackInuse)
	}
	d.mu.Unlock()
	time.Sleep(d.latency)
	return membucket.Fault{}
}

func benchmarkSeal(b *testing.B, p membucket.Personality, objects int, latency time.Duration) {
	config, err := finalizer.ConfigFromEnv(func(string) string { return "" })
	if err != nil {
		b.Fatal(err)
	}
	page := 1000
	if p == membucket.Azure {
		page = 5000
	}
	var d *distant
	for b.Loop() {
		b.StopTimer()
		vault := membucket.New(membucket.Options{Personality: p, URL: "mem://vault", Now: time.Now, Locked: true, Default: lock, Page: page})
		staging := membucket.New(membucket.Options{Personality: p, URL: "mem://staging", Now: time.Now})
		s := settest.New("main", time.Now())
		s.UploadArchives(b, vault.Bucket())
		s.AddArchives(b, vault.Bucket(), objects-len(s.Archives))
		s.UploadWAL(b, vault.Bucket())
		s.UploadManifest(b, vault.Bucket())
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		d = &distant{latency: latency, counts: map[string]int{}}
		f := &finalizer.Finalizer{Vault: vault.Hooked(d.hook, false), Staging: staging.Hooked(d.hook, false), Config: config,
			Now: time.Now, Build: "bench", Log: slog.New(slog.DiscardHandler), Decompress: unzip}
		b.StartTimer()
		v, err := f.Finalize(b.Context(), "main", s.ID())
		b.StopTimer()
		if err != nil || v.State != finalizer.Sealed {
			b.Fatal(v, err)
		}
		d.peak -= min(d.peak, before.HeapInuse+before.StackInuse)
		b.StartTimer()
	}
	b.ReportMetric(float64(d.counts["list"]+d.counts["versions"]+d.counts["dirs"]), "lists")
	b.ReportMetric(float64(d.counts["stat"]), "stats")
	b.ReportMetric(float64(d.counts["read"]), "reads")
	b.ReportMetric(float64(d.peak)/(1<<20), "MiB")
}
