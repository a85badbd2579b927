package attack_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
)

// ways are the requests that only a cloud's own client can make.
type ways struct {
	replace, change func(t *testing.T, s *scene, set *settest.Set) []try // what is there
	keys, classes   func(t *testing.T, s *scene) []variant               // of new objects
}

// own are those of each cloud.
var own = map[string]ways{}

// variant is a create with something about it that pgseal would never ask for.
type variant struct {
	name string
	put  func(ctx context.Context, key string, body []byte) error
	code string // of the rejection where the store takes it, or several with | between; "": there is no harm in it
}

func foreignKeys(t *testing.T, s *scene) { varied(t, s, "key", own[s.Kind.Name].keys(t, s)) }

func foreignClass(t *testing.T, s *scene) { varied(t, s, "class", own[s.Kind.Name].classes(t, s)) }

// varied makes an archive so, and in another backup a WAL segment. Where the store does not refuse it, nothing is sealed
// that could not be read one day.
func varied(t *testing.T, s *scene, name string, variants []variant) {
	for n, v := range variants {
		archive := settest.New(fmt.Sprint(name, "-archive", n), time.Now())
		archive.UploadArchives(t, s.vault)
		body := []byte("one more part")
		err := v.put(t.Context(), archive.Key("data_0002.tar"), body)
		if errors.Is(err, errRefused) {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		sum := sha256.Sum256(body)
		archive.Manifest.Objects = append(archive.Manifest.Objects, manifest.Object{Name: "data_0002.tar", Size: int64(len(body)), SHA256: hex.EncodeToString(sum[:]),
			CRC32C: crc32c(body), Version: s.version(t, archive.Key("data_0002.tar"))})
		archive.UploadWAL(t, s.vault)
		archive.UploadManifest(t, s.vault)

		segment := settest.New(fmt.Sprint(name, "-segment", n), time.Now())
		segment.UploadArchives(t, s.vault)
		last := segment.Manifest.LastSegment()
		segment.UploadSegment(t, s.vault, segment.Manifest.FirstSegment().Number)
		if err := v.put(t.Context(), layout.WAL(segment.Manifest.Server, last.Name(settest.Size), ""), segment.Segment(last)); err != nil {
			t.Errorf("%s: %v", v.name, err)
		}
		segment.UploadManifest(t, s.vault)
		if v.code == "" {
			s.isSealed(t, archive.Manifest.Server, archive.ID())
			s.isSealed(t, segment.Manifest.Server, segment.ID())
			continue
		}
		s.isRejected(t, archive.Manifest.Server, archive.ID(), finalizer.ClassSet, v.code)
		s.isRejected(t, segment.Manifest.Server, segment.ID(), finalizer.ClassWAL, v.code+"|unreadable")
	}
}

// version is what the store lists of an object.
func (s *scene) version(t *testing.T, key string) (version string) {
	t.Helper()
	for o, err := range s.all.List(t.Context(), key) {
		if err != nil {
			t.Fatal(err)
		}
		version = o.Version
	}
	return version
}

func crc32c(body []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

func changedClass(t *testing.T, s *scene) {
	set := s.sealed(t, "changed-class")
	allRefused(t, own[s.Kind.Name].change(t, s, set))
	s.isUnchanged(t, set)
}

// isUnchanged: an audit and a sweep find nothing, and the seal is what it was.
func (s *scene) isUnchanged(t *testing.T, set *settest.Set) {
	t.Helper()
	if r := s.audit(t, set.Manifest.Server); len(r.Problems) > 0 || r.Sealed != 1 {
		t.Errorf("%+v", r)
	}
	s.sweep(t)
	if b := s.status(t, set.Manifest.Server, set.ID()); b.State != "sealed" || len(b.Findings)+len(b.Reasons) > 0 {
		t.Errorf("%+v", b)
	}
}
