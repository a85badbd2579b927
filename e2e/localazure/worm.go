package localazure

import (
	"sync"
	"time"
)

// Clock is the clock by which policies end. It is ahead of the true time by what Advance was told.
type Clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// lock is what keeps a container's blobs.
type lock struct {
	period time.Duration // of the retention policy; 0 is none
	hold   bool
}

// locks are the locks of all containers, and which blobs stand there: everything that makes or removes a blob passes
// here.
type locks struct {
	mu      sync.Mutex
	of      map[string]lock
	created map[blobName]time.Time // of the blobs that stand
	busy    map[blobName]chan struct{}
}

type blobName struct{ container, blob string }

func (l *locks) put(container string, k lock) { l.change(container, func(have *lock) { *have = k }) }

func (l *locks) change(container string, f func(*lock)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of, l.created, l.busy = map[string]lock{}, map[blobName]time.Time{}, map[blobName]chan struct{}{}
	}
	k := l.of[container]
	f(&k)
	l.of[container] = k
}

func (l *locks) get(container string) lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of[container]
}

// stands tells whether a blob is there.
func (l *locks) stands(container, blob string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.created[blobName{container, blob}]
	return ok
}

// made notes that a blob was created then; over an older one, it is that one still.
func (l *locks) made(container, blob string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.created[blobName{container, blob}]; !ok {
		l.created[blobName{container, blob}] = at
	}
}

// gone notes that a blob was deleted.
func (l *locks) gone(container, blob string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.created, blobName{container, blob})
}

// alone waits until nobody else changes the blob, so that what is decided about it holds until it is done: Azurite would
// let the second of two writers overwrite what the first made a moment ago, and a policy does not.
func (l *locks) alone(container, blob string) (done func()) {
	name := blobName{container, blob}
	for {
		l.mu.Lock()
		wait, taken := l.busy[name]
		if !taken {
			mine := make(chan struct{})
			l.busy[name] = mine
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				delete(l.busy, name)
				l.mu.Unlock()
				close(mine)
			}
		}
		l.mu.Unlock()
		<-wait
	}
}

// refusal tells why an operation may not change the blob: "Immutable storage for blobs: overview" lists what a policy
// refuses, and that after its end a blob may be deleted and still not be overwritten (2026-11).
func (a *Azure) refusal(o operation) *storageError {
	if !o.writes {
		return nil
	}
	l := &a.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.of[o.container]
	created, there := l.created[blobName{o.container, o.blob}]
	switch {
	case !there:
		return nil
	case k.hold:
		return &heldError
	case k.period == 0, o.name == "DeleteBlob" && !a.Clock.Now().Before(created.Add(k.period)):
		return nil
	}
	return &immutableError
}
