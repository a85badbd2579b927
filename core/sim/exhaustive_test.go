package sim_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/membucket"
)

var (
	every = flag.Int("every", defaultEvery, "of the pairs of faults, one in so many; 1 for all")
	plans = flag.String("plan", "", "one history alone, as a failure names it")
)

// trouble is a fault, or a death, at one request of a history.
type trouble struct {
	at    int // the request's number
	fault membucket.Fault
	die   bool // the process dies there; fault.Skip tells whether before
}

// troubles are all that can happen to a request.
func troubles(at int, changes bool) (all []trouble) {
	for _, f := range faults(changes) {
		all = append(all, trouble{at: at, fault: f})
	}
	all = append(all, trouble{at: at, die: true, fault: membucket.Fault{Skip: true}})
	if changes {
		all = append(all, trouble{at: at, die: true})
	}
	return all
}

// course is a history that is the same each time, but for its troubles.
type course struct {
	name  string
	wal   string
	twice bool // each event is delivered twice, and both calls run at once
}

var courses = []course{
	{name: "one after the other", wal: "in time"},
	{name: "two finalizers at once", wal: "in time", twice: true},
	{name: "WAL comes late", wal: "late"},
}

// run is the history; it gives the world, and for each request whether it could
// change anything.
func (c course) run(p membucket.Personality, plan []trouble) (w *world, requests []bool) {
	w = newWorld(p)
	b := w.plan("a", c.wal, true)
	w.now = w.now.Add(61 * time.Second)
	w.upload(b)
	if c.wal == "in time" {
		w.archive(b)
	}
	swept, late := false, c.wal == "in time"
	for {
		ready := w.ready()
		switch {
		case len(ready) > 0:
			w.now = w.now.Add(10 * time.Millisecond)
			r := ready[len(requests)%len(ready)]
			n := len(requests)
			requests = append(requests, r.call.Changes())
			at := slices.IndexFunc(plan, func(t trouble) bool { return t.at == n })
			switch {
			case at < 0:
				w.pass(r, membucket.Fault{})
			case plan[at].die:
				w.die(r, !plan[at].fault.Skip)
			default:
				w.pass(r, plan[at].fault)
			}
		case len(w.events) > 0:
			if c.twice && w.events[0].tries == 0 {
				w.events = append(w.events, w.events[0])
				w.events[len(w.events)-1].tries = 1
				w.deliver(0)
				w.deliver(len(w.events) - 1)
			} else {
				w.deliver(0)
			}
		case !swept:
			swept = true
			w.now = w.now.Add(time.Hour)
			w.sweep(false, 0)
		case !late:
			late, swept = true, false
			w.archive(b)
		default:
			w.heal(short)
			w.checker.end()
			return w, requests
		}
	}
}

// text names a plan, and parse reads it.
func text(p membucket.Personality, c int, plan []trouble) string {
	words := []string{fmt.Sprint(int(p)), fmt.Sprint(c)}
	for _, t := range plan {
		word := fmt.Sprintf("%d", t.at)
		if t.die {
			word += "x"
		}
		if t.fault.Skip {
			word += "s"
		}
		if t.fault.Err != nil {
			word += code(t.fault.Err)[:1]
		}
		words = append(words, word)
	}
	return strings.Join(words, ",")
}

func parse(plan string) (p membucket.Personality, c int, list []trouble) {
	for n, word := range strings.Split(plan, ",") {
		at := 0
		_, _ = fmt.Sscan(strings.TrimRight(word, "xs5n"), &at)
		switch n {
		case 0:
			p = membucket.Personality(at)
			continue
		case 1:
			c = at
			continue
		}
		t := trouble{at: at, die: strings.Contains(word, "x")}
		t.fault.Skip = strings.Contains(word, "s")
		for _, f := range faults(true) {
			if f.Err != nil && strings.HasSuffix(word, code(f.Err)[:1]) && t.fault.Err == nil {
				t.fault.Err = f.Err
			}
		}
		list = append(list, t)
	}
	return p, c, list
}

// tally counts histories and what was wrong in them.
type tally struct {
	mu                        sync.Mutex
	t                         *testing.T
	singles, pairs, left, bad int
}

func (a *tally) history(t *testing.T, p membucket.Personality, c int, plan []trouble) (requests []bool) {
	var w *world
	inBubble(t, func() *world {
		w, requests = courses[c].run(p, plan)
		return w
	})
	if len(w.checker.wrong) > 0 {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.bad++; a.bad <= 5 {
			t.Errorf("%s, %s: %s\nrepeat it with: go test ./core/sim -run TestEveryFault -v -plan %s", courses[c].name, p, strings.Join(w.checker.wrong, "; "), text(p, c, plan))
		}
	}
	if *plans != "" {
		t.Log(strings.Join(w.trace, "\n"))
	}
	return requests
}

// Every fault and every death at every request of three histories, alone and in
// pairs, in each kind of store.
func TestEveryFaultAndEveryPair(t *testing.T) {
	a := &tally{t: t}
	if *plans != "" {
		p, c, plan := parse(*plans)
		a.history(t, p, c, plan)
		return
	}
	t.Run("", func(t *testing.T) {
		for _, p := range membucket.Personalities {
			for c := range courses {
				t.Run(p.String()+" "+courses[c].name, func(t *testing.T) {
					t.Parallel()
					a.all(t, p, c)
				})
			}
		}
	})
	t.Logf("%d histories, %d violations: every fault and death at every request (%d), and %d of %d pairs",
		a.singles+a.pairs, a.bad, a.singles, a.pairs, a.pairs+a.left)
}

func (a *tally) all(t *testing.T, p membucket.Personality, c int) {
	n := 0
	for at, changes := range a.history(t, p, c, nil) {
		for _, first := range troubles(at, changes) {
			requests := a.history(t, p, c, []trouble{first})
			a.mu.Lock()
			a.singles++
			a.mu.Unlock()
			for then := at + 1; then < len(requests); then++ {
				for _, second := range troubles(then, requests[then]) {
					if n++; n%*every != 0 {
						a.mu.Lock()
						a.left++
						a.mu.Unlock()
						continue
					}
					a.history(t, p, c, []trouble{first, second})
					a.mu.Lock()
					a.pairs++
					a.mu.Unlock()
				}
			}
		}
	}
}
