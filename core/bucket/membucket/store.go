// Package membucket is a model of the three clouds' stores in memory, for
// simulations: time is the caller's, every call can be made to fail before or
// after it took effect, and what somebody else could do to the store is a
// method. It passes the suite of buckettest in each personality, which is what
// makes it worth simulating against.
package membucket

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// Personality is what a store does when somebody writes over an object, and
// what its listings show.
type Personality int

const (
	// S3 keeps versions: an overwrite lands on top, a delete hides under a marker,
	// over which a conditional create passes again. Listings show neither checksums
	// nor retention.
	S3 Personality = iota
	// GCS has generations and refuses to replace or delete what a retention policy
	// keeps. Listings show everything.
	GCS
	// Azure is a container with an immutability policy: no versions, every
	// overwrite refused while the policy keeps the blob. Listings show no checksums.
	Azure
)

// Personalities are all of them.
var Personalities = []Personality{S3, GCS, Azure}

func (p Personality) String() string { return [...]string{"S3", "GCS", "Azure"}[p] }

// Options describe a store.
type Options struct {
	Personality Personality
	URL         string
	Now         func() time.Time
	// Locked makes it a vault; Default is the retention that every new object gets.
	Locked  bool
	Default time.Duration
	// Page is how many entries a page of a listing has; 0 means 1,000.
	Page int
	// Missing: there is no such bucket. Denied: nothing may be created.
	Missing, Denied bool
}

// Store is one bucket. Its methods are what its owner, or an intruder, can do;
// programs see it through a Bucket.
type Store struct {
	o       Options
	mu      sync.Mutex
	keys    []string // sorted; only those with versions
	objects map[string][]*version
	made    int // versions so far
	open    int // creates that have begun and not ended
	lose    map[string]bool
}

// version is one version of a key, or a delete marker.
type version struct {
	obj  bucket.Object // all that the store knows; Latest is not kept here
	own  time.Time     // the lock that was asked for this version
	body []byte
}

// keep works out until when a version is kept: on S3 its own lock stands in
// place of the bucket's default, elsewhere the later of the two counts.
func (s *Store) keep(v *version) {
	v.obj.RetainUntil = v.own
	if s.o.Default == 0 || s.o.Personality == S3 && !v.own.IsZero() {
		return
	}
	if end := v.obj.Created.Add(s.o.Default); end.After(v.own) {
		v.obj.RetainUntil = end
	}
}

// New makes an empty store.
func New(o Options) *Store {
	if o.Page == 0 {
		o.Page = 1000
	}
	return &Store{o: o, objects: map[string][]*version{}, lose: map[string]bool{}}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// current is the newest version of a key, nil when there is none or it is
// hidden.
func (s *Store) current(key string) *version {
	all := s.objects[key]
	if len(all) == 0 || all[len(all)-1].obj.DeleteMarker {
		return nil
	}
	return all[len(all)-1]
}

func (s *Store) find(key, id string) *version {
	if id == "" {
		return s.current(key)
	}
	for _, v := range s.objects[key] {
		if v.obj.Version == id && !v.obj.DeleteMarker {
			return v
		}
	}
	return nil
}

func (s *Store) retained(v *version) bool {
	return s.o.Locked && v != nil && s.o.Now().Before(v.obj.RetainUntil)
}

// add makes a new version of key.
func (s *Store) add(key string, body []byte, o bucket.CreateOptions) *version {
	s.made++
	now := s.o.Now()
	sum := sha256.Sum256(body)
	v := &version{body: slices.Clone(body), obj: bucket.Object{
		Key: key, Size: int64(len(body)), ETag: fmt.Sprintf("%x", sum[:16]), CRC32C: fmt.Sprintf("%08x", crc32.Checksum(body, castagnoli)),
		Created: now, RetentionSeen: true, Metadata: o.Metadata,
	}}
	switch s.o.Personality {
	case S3:
		v.obj.Version = fmt.Sprintf("v%08d", s.made)
		v.obj.Created = now.Truncate(time.Second)
	case GCS:
		v.obj.Version = fmt.Sprint(1700000000000000 + s.made)
	case Azure:
		v.obj.ETag = fmt.Sprintf("0x%X", 0x8DC000000000000+s.made)
	}
	if s.o.Locked {
		v.own = o.RetainUntil
		s.keep(v)
	}
	if s.o.Personality != S3 {
		s.objects[key] = nil
	}
	s.push(key, v)
	return v
}

func (s *Store) push(key string, v *version) {
	if at, known := slices.BinarySearch(s.keys, key); !known {
		s.keys = slices.Insert(s.keys, at, key)
	}
	s.objects[key] = append(s.objects[key], v)
}

// Overwrite writes body over key without any condition.
func (s *Store) Overwrite(key string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.put(key, body)
	return err
}

func (s *Store) put(key string, body []byte) (*version, error) {
	if s.o.Personality != S3 && s.retained(s.current(key)) {
		return nil, s.fail("put", key, bucket.ErrRetained, s.refusal())
	}
	return s.add(key, body, bucket.CreateOptions{}), nil
}

func (s *Store) refusal() string {
	if s.o.Personality == GCS {
		return "403 retentionPolicyNotMet"
	}
	return "409 BlobImmutableDueToPolicy"
}

// Delete deletes one version of key; without a version it hides the key on S3,
// and deletes it elsewhere. What is retained is refused, but for the hiding.
func (s *Store) Delete(key, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Personality == S3 && id == "" {
		s.hide(key)
		return nil
	}
	v := s.find(key, id)
	if v == nil {
		return s.fail("delete", key, bucket.ErrNotFound, "404")
	}
	if s.retained(v) {
		return s.fail("delete", key, bucket.ErrRetained, s.refusal())
	}
	s.remove(key, v)
	return nil
}

// hide puts a delete marker over key.
func (s *Store) hide(key string) {
	s.made++
	s.push(key, &version{obj: bucket.Object{Key: key, Version: fmt.Sprintf("v%08d", s.made), Created: s.o.Now().Truncate(time.Second), DeleteMarker: true}})
}

// RemoveMarker takes a delete marker away, which no lock keeps.
func (s *Store) RemoveMarker(key, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.objects[key] {
		if v.obj.DeleteMarker && v.obj.Version == id {
			s.remove(key, v)
			return nil
		}
	}
	return s.fail("delete", key, bucket.ErrNotFound, "404 NoSuchVersion")
}

// Destroy takes a key out of the store with all its versions, whatever keeps
// it: a lock that was not one.
func (s *Store) Destroy(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.objects[key]) > 0 {
		s.remove(key, s.objects[key][0])
	}
}

func (s *Store) remove(key string, v *version) {
	s.objects[key] = slices.DeleteFunc(s.objects[key], func(o *version) bool { return o == v })
	if len(s.objects[key]) == 0 {
		delete(s.objects, key)
		if at, known := slices.BinarySearch(s.keys, key); known {
			s.keys = slices.Delete(s.keys, at, at+1)
		}
	}
}

// Change edits what the store says of the current version of key: its class,
// its encryption, its lock.
func (s *Store) Change(key string, edit func(*bucket.Object)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(&s.current(key).obj)
}

// Damage changes the bytes of the current version of key, and nothing of what the
// store says of it: what a disk or a connection may do.
func (s *Store) Damage(key string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current(key).body = body
}

// LoseAnswer makes the answer to the next create of key get lost after the
// object was stored.
func (s *Store) LoseAnswer(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose[key] = true
}

// OpenUploads counts the creates that have begun and not ended.
func (s *Store) OpenUploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// Version is one version of a key as an observer outside of every program sees
// it, with its bytes.
type Version struct {
	bucket.Object
	Body []byte
}

// Everything is all that the store holds below prefix, in the order of keys and
// oldest first.
func (s *Store) Everything(prefix string) []Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Version
	at, _ := slices.BinarySearch(s.keys, prefix)
	for _, key := range s.keys[at:] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		for n, v := range s.objects[key] {
			obj := v.obj
			obj.Latest = n == len(s.objects[key])-1
			all = append(all, Version{obj, v.body})
		}
	}
	return all
}

func (s *Store) fail(op, key string, kind error, code string) error {
	return &bucket.Error{Op: op, Key: s.o.URL + "/" + key, Kind: kind, Code: code}
}
