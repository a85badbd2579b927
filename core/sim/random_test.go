package sim_test

import (
	"flag"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/membucket"
)

var (
	seeds = flag.Int("seeds", defaultSeeds, "how many random histories")
	seed  = flag.Uint64("seed", 0, "the first seed; with -seeds 1 -v the history is printed")
)

// random is one history: who acts next is decided by the seed, and so are the
// faults, the attacks and the clock.
func random(n uint64) *world {
	rng := rand.New(rand.NewPCG(n, 1))
	w := newWorld(membucket.Personalities[rng.IntN(3)])
	if rng.IntN(3) == 0 {
		w.minRetention = 24 * time.Hour
	}
	if rng.IntN(4) == 0 {
		w.sealRetention = 60 * 24 * time.Hour
	}
	hostile, intruders, faulty := rng.IntN(2) == 0, rng.IntN(4) == 0, rng.IntN(4) > 0
	kinds := []string{"in time", "in time", "late", "never"}
	for range 1 + rng.IntN(3) {
		server := []string{"a", "b"}[rng.IntN(2)]
		b := w.plan(server, kinds[rng.IntN(len(kinds))], rng.IntN(2) == 0)
		w.now = w.now.Add(2 * time.Second)
		w.upload(b)
		if b.wal == "in time" {
			w.archive(b)
		}
	}
	for steps := 40 + rng.IntN(160); steps > 0; steps-- {
		w.now = w.now.Add(time.Duration(rng.IntN(2000)) * time.Millisecond)
		skew := time.Duration(rng.IntN(3)-1) * 2 * time.Hour
		ready := w.ready()
		switch dice := rng.IntN(100); {
		case dice < 70 && len(ready) > 0:
			r := ready[rng.IntN(len(ready))]
			all := faults(r.call.Changes())
			switch {
			case faulty && rng.IntN(40) == 0:
				w.die(r, rng.IntN(2) == 0)
			case faulty && rng.IntN(8) == 0:
				w.pass(r, all[rng.IntN(len(all))])
			default:
				w.pass(r, membucket.Fault{})
			}
		case dice < 85 && len(w.events) > 0:
			at := rng.IntN(len(w.events))
			switch rng.IntN(6) {
			case 0: // lost
				w.events = append(w.events[:at:at], w.events[at+1:]...)
			case 1: // doubled
				w.events = append(w.events, w.events[at])
			default: // out of order, and now or later
				w.deliverWith(at, rng.IntN(2) == 0, skew)
			}
		case dice < 88:
			w.sweep(rng.IntN(2) == 0, skew)
		case dice < 92 && hostile:
			w.strike(rng, intruders)
		case dice < 94 && len(w.backups) > 0:
			w.mark(w.backups[rng.IntN(len(w.backups))], "{}")
		case dice < 95:
			w.now = w.now.Add([]time.Duration{time.Minute, time.Hour, 40 * time.Minute, 20 * time.Hour}[rng.IntN(4)])
		case dice < 97:
			b := w.backups[rng.IntN(len(w.backups))]
			if b.wal == "late" {
				w.archive(b)
			}
		}
	}
	w.heal(long)
	w.checker.end()
	return w
}

// found are seeds in which something was wrong once.
var found = []uint64{81977}

func TestSeedsThatFoundSomething(t *testing.T) {
	for _, n := range found {
		if w := inBubble(t, func() *world { return random(n) }); len(w.checker.wrong) > 0 {
			t.Errorf("seed %d, %s: %s", n, w.p, strings.Join(w.checker.wrong, "; "))
		}
	}
}

// shards is how many tests share the seeds, to use several processors.
const shards = 4

func TestRandomHistories(t *testing.T) {
	var mu sync.Mutex
	failed, ends := 0, map[string]int{}
	one := func(t *testing.T, n uint64) {
		w := inBubble(t, func() *world { return random(n) })
		mu.Lock()
		defer mu.Unlock()
		w.checker.count(ends)
		if *seeds == 1 {
			t.Log(strings.Join(w.trace, "\n"))
		}
		if len(w.checker.wrong) == 0 {
			return
		}
		if failed++; failed <= 5 {
			t.Errorf("seed %d, %s: %s\nrepeat it with: go test ./core/sim -run TestRandomHistories -v -seeds 1 -seed %d", n, w.p, strings.Join(w.checker.wrong, "; "), n)
		}
	}
	t.Run("", func(t *testing.T) {
		for shard := range min(shards, *seeds) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for n := shard; n < *seeds; n += shards {
					one(t, *seed+uint64(n))
				}
			})
		}
	})
	t.Logf("%d histories, %d violations; their backups ended %v", *seeds, failed, ends)
	for _, end := range []string{"sealed", "sealed, tampered", "sealed, damaged", "rejected manifest", "rejected set", "rejected wal", "rejected time", "conflict seal", "abandoned", "none"} {
		if ends[end] == 0 && *seeds >= 1000 {
			t.Errorf("no backup ended %q: the histories are too tame", end)
		}
	}
}

// A seed is worth nothing if it does not give the same history again.
func TestASeedGivesTheSameHistoryAgain(t *testing.T) {
	for n := range uint64(20) {
		first := inBubble(t, func() *world { return random(n) }).trace
		again := inBubble(t, func() *world { return random(n) }).trace
		for i := range first {
			if i >= len(again) || first[i] != again[i] {
				t.Fatalf("seed %d: step %d was %q, and is now %q", n, i, first[i], again[min(i, len(again)-1)])
			}
		}
	}
}
