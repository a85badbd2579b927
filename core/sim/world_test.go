package sim_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
)

const lock = 30 * 24 * time.Hour

// world is two stores and everybody who uses them. All runs inside a bubble of
// synctest: each program stops at each of its requests until the scheduler lets
// that one pass, so that there is one thing at a time, in an order that the
// scheduler alone decides.
type world struct {
	p              membucket.Personality
	now            time.Time
	vault, staging *membucket.Store
	minRetention   time.Duration
	sealRetention  time.Duration

	mu      sync.Mutex
	waiting []*request
	actors  []*actor
	born    int

	events  []event
	backups []*backup
	steps   int
	checker checker
	trace   []string
}

// request is one that waits to be let through.
type request struct {
	by    *actor
	place string // vault or staging
	call  membucket.Call
	reply chan membucket.Fault
}

func (r *request) String() string {
	return fmt.Sprintf("%s: %s %s/%s", r.by.name, r.call.Op, r.place, r.call.Key)
}

// actor is one run of a program.
type actor struct {
	w        *world
	name     string
	kind     string // host, finalizer
	n        int
	ctx      context.Context
	kill     context.CancelFunc
	dead     bool // it was killed: none of its requests does anything any more
	done     bool
	err      error
	began    int // the store's steps when it began
	event    *event
	requests int
}

// event is the news of a marker, on its way to the function.
type event struct {
	server, id string
	tries      int
}

var errKilled = errors.New("the process was killed")

func newWorld(p membucket.Personality) *world {
	w := &world{p: p, now: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	w.vault = membucket.New(membucket.Options{Personality: p, URL: "mem://vault", Now: clock, Locked: true, Default: lock, Page: 3})
	w.staging = membucket.New(membucket.Options{Personality: p, URL: "mem://staging", Now: clock, Page: 3})
	w.checker = checker{w: w, seals: map[string]*sealing{}, told: map[string]bool{}, destroyed: map[string]int{}}
	return w
}

// start begins a program; it runs until its first request.
func (w *world) start(kind, name string, e *event, run func(a *actor) error) *actor {
	w.born++
	a := &actor{w: w, kind: kind, n: w.born, name: fmt.Sprintf("%s %d", name, w.born), began: w.steps, event: e}
	a.ctx, a.kill = context.WithCancel(context.Background())
	w.actors = append(w.actors, a)
	go func() {
		err := run(a)
		w.mu.Lock()
		a.done, a.err = true, err
		w.mu.Unlock()
	}()
	synctest.Wait()
	w.reap()
	return a
}

// open gives an actor its view of a store.
func (a *actor) open(place string, stale bool) bucket.Bucket {
	store := a.w.vault
	if place == "staging" {
		store = a.w.staging
	}
	return store.Hooked(func(ctx context.Context, c membucket.Call) membucket.Fault {
		r := &request{by: a, place: place, call: c, reply: make(chan membucket.Fault)}
		a.w.mu.Lock()
		dead := a.dead
		if !dead {
			a.w.waiting = append(a.w.waiting, r)
			a.requests++
		}
		a.w.mu.Unlock()
		if dead {
			return membucket.Fault{Skip: true, Err: errKilled}
		}
		return <-r.reply
	}, stale)
}

// ready are the requests that wait, in an order that depends on nothing but who
// made them.
func (w *world) ready() []*request {
	slices.SortFunc(w.waiting, func(a, b *request) int {
		return cmp.Or(cmp.Compare(a.by.n, b.by.n), strings.Compare(a.place, b.place), strings.Compare(a.call.Key, b.call.Key), strings.Compare(a.call.Op, b.call.Op))
	})
	return w.waiting
}

// pass lets one request through and waits until everything stands again.
func (w *world) pass(r *request, f membucket.Fault) {
	at := slices.Index(w.waiting, r)
	w.waiting = slices.Delete(w.waiting, at, at+1)
	w.note("%s%s", r, faultText(f))
	w.checker.before(r, f)
	w.steps++
	r.reply <- f
	synctest.Wait()
	if !f.Skip && r.place == "staging" && r.call.Changes() {
		if server, id, ok := marker(r.call.Key); ok {
			w.events = append(w.events, event{server: server, id: id})
		}
	}
	w.checker.after(r, f)
	w.reap()
}

// die kills an actor at a request, before or after it took effect.
func (w *world) die(r *request, applied bool) {
	a := r.by
	w.mu.Lock()
	a.dead = true
	others := slices.DeleteFunc(slices.Clone(w.waiting), func(o *request) bool { return o.by != a || o == r })
	w.waiting = slices.DeleteFunc(w.waiting, func(o *request) bool { return o.by == a && o != r })
	w.mu.Unlock()
	w.note("%s is killed", a.name)
	w.pass(r, membucket.Fault{Skip: !applied, Err: errKilled})
	for _, o := range others {
		o.reply <- membucket.Fault{Skip: true, Err: errKilled}
		synctest.Wait()
	}
	a.kill()
	synctest.Wait()
	w.reap()
}

// reap looks after programs that have ended: a function that failed or died is
// called again by its platform.
func (w *world) reap() {
	w.mu.Lock()
	ended := []*actor{}
	w.actors = slices.DeleteFunc(w.actors, func(a *actor) bool {
		if a.done {
			ended = append(ended, a)
		}
		return a.done
	})
	w.mu.Unlock()
	for _, a := range ended {
		a.kill()
		w.note("%s ends: %v", a.name, a.err)
		if e := a.event; e != nil && (a.err != nil || a.dead) && e.tries < 3 {
			w.events = append(w.events, event{e.server, e.id, e.tries + 1})
		}
	}
}

// drain lets everything run to its end without faults, in order.
func (w *world) drain() {
	for {
		switch ready := w.ready(); {
		case len(ready) > 0:
			w.now = w.now.Add(10 * time.Millisecond)
			w.pass(ready[0], membucket.Fault{})
		case len(w.events) > 0:
			w.deliver(0)
		default:
			return
		}
	}
}

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%s  %s", w.now.Format("02 15:04:05.000"), fmt.Sprintf(format, args...)))
}

func faultText(f membucket.Fault) string {
	if f.Err == nil {
		return ""
	}
	if f.Skip {
		return fmt.Sprintf("  <- %v, and nothing happened", code(f.Err))
	}
	return fmt.Sprintf("  <- %v, and it happened", code(f.Err))
}

func code(err error) string {
	var e *bucket.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return err.Error()
}

func marker(key string) (server, id string, ok bool) {
	rest, ok := strings.CutPrefix(key, "_pgseal/complete/")
	server, id, _ = strings.Cut(rest, "/")
	id, json := strings.CutSuffix(id, ".json")
	return server, id, ok && json
}

// inBubble runs one history and gives what was wrong with it.
func inBubble(t *testing.T, history func() *world) (w *world) {
	synctest.Test(t, func(t *testing.T) {
		w = history()
		for _, a := range w.actors { // none may outlive the bubble
			a.dead = true
		}
		for len(w.waiting) > 0 {
			r := w.waiting[0]
			w.waiting = w.waiting[1:]
			r.reply <- membucket.Fault{Skip: true, Err: errKilled}
			synctest.Wait()
		}
	})
	return w
}
