package seal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// What one seal costs: a HEAD for each object and a read for each WAL segment, and the rest does not grow but for the
// pages of the listing.
func TestTheRequestsOfOneSeal(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked, "PGSEAL_MIN_RETENTION=1h")
		var table strings.Builder
		fmt.Fprintf(&table, "\n%8s %8s %6s %6s %6s %6s %6s %8s\n", "objects", "segments", "LIST", "HEAD", "GET", "PUT", "all", "time")
		for objects, segments := range map[int]int{3: 2, 100: 20, 1000: 50} {
			b := s.backup(fmt.Sprint("of", objects))
			b.Manifest.End.LSN = b.Manifest.Begin.LSN + 0x1000
			for range segments - 1 {
				b.Manifest.End.LSN += settest.Size
			}
			b.UploadArchives(t, s.host)
			b.AddArchives(t, s.host, objects-3)
			b.UploadWAL(t, s.host)
			b.UploadManifest(t, s.host)
			r := b.mark(t)
			s.ForgetRequests()
			began := time.Now()
			if err := s.wake(t, s.direct(), r); err != nil {
				t.Fatal(err)
			}
			took := time.Since(began).Round(time.Millisecond)
			count := func(op cloud.Op) int { return len(s.Requests(cloud.By(cloud.Finalizer), cloud.Ops(op))) }
			list, head, get, put := count(cloud.List), count(cloud.Stat), count(cloud.Read), count(cloud.Create)
			other := count(cloud.Other)
			all := len(s.Requests(cloud.By(cloud.Finalizer)))
			fmt.Fprintf(&table, "%8d %8d %6d %6d %6d %6d %6d %8s\n", objects, segments, list, head, get, put, all, took)
			b.isSealed(t)
			if pages := objects/1000 + 1; list > 2*pages+1 || get > segments+4 || put != 2 || all != list+head+get+put+other {
				t.Errorf("%d objects: %d lists, %d reads, %d writes of %d requests", objects, list, get, put, all)
			}
			most := segments + 5 // neither a lock nor a checksum comes with content everywhere
			if k.Name == "AWS" { // whose listing shows neither checksums nor locks
				most += objects
			}
			if k.Name != clouds.Azure.Name && other > 0 || other > list+head+get { // Azure tells of a container's policy only apart
				t.Errorf("%d objects: %d other requests", objects, other)
			}
			if head > most {
				t.Errorf("%d objects: %d HEADs", objects, head)
			}
		}
		t.Log(table.String())
	})
}

// The largest list that a manifest can hold, none of it stored: rejected, in the memory that the function has.
func TestTheLargestManifest(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := begin(t, k, locked)
		b := s.backup("main")
		b.UploadArchives(t, s.host)
		b.UploadWAL(t, s.host)
		b.Manifest.Cluster.Tablespaces = nil
		for oid := range 10 {
			b.Manifest.Cluster.Tablespaces = append(b.Manifest.Cluster.Tablespaces, manifest.Tablespace{OID: 16385 + uint32(oid), Name: fmt.Sprint("t", oid), Location: "/srv/t"})
		}
		o := b.Manifest.Objects[0]
		for n := 0; len(b.Manifest.Objects) < manifest.MaxObjects; n++ {
			o.Name = fmt.Sprintf("%d_%04d.tar.gz", 16385+n/9999, n%9999+1)
			if n%9999 == 0 && n > 0 {
				main := o
				main.Name = fmt.Sprintf("%d.tar.gz", 16385+n/9999)
				b.Manifest.Objects = append(b.Manifest.Objects, main)
			}
			b.Manifest.Objects = append(b.Manifest.Objects, o)
		}
		b.Manifest.Objects = b.Manifest.Objects[:manifest.MaxObjects]
		b.UploadManifest(t, s.host)
		fn := s.measured(t)
		if err := fn.Deliver(t.Context(), s.direct(), b.mark(t)); err != nil {
			t.Fatal(err)
		}
		b.isNotSealed(t, want{"rejected", "set", "missing", "/16385_0001.tar.gz"})
		fn.checkPeak(t)
	})
}
