package sim_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/pgseal/pgseal/core/bucket/membucket"
)

// attack is something that somebody does to the stores between two requests.
type attack struct {
	name string
	// intruder: only somebody with more rights than a host's can do it.
	intruder bool
	do       func(w *world, b *backup)
}

// plant creates an object as the host may: where nothing is.
func (w *world) plant(key, body string) {
	for _, v := range w.vault.Everything(key) {
		if v.Key == key && v.Latest && !v.DeleteMarker {
			return
		}
	}
	w.overwrite(key, body, "host")
}

// overwrite is a PUT without a condition; the store may refuse it.
func (w *world) overwrite(key, body, by string) {
	if w.vault.Overwrite(key, []byte(body)) == nil {
		w.checker.observe(by)
	}
}

// hide is a DELETE without a version; the store may refuse it.
func (w *world) hide(key string) {
	if len(w.checker.versions(key)) > 0 && w.p == membucket.S3 && w.vault.Delete(key, "") == nil {
		w.checker.observe("intruder")
	}
}

// destroy takes away what a lock should have kept.
func (w *world) destroy(key string) {
	if len(w.checker.versions(key)) > 0 {
		w.vault.Destroy(key)
		w.checker.destroyed[key] = w.steps
	}
}

func segmentOf(b *backup, n uint64) string {
	m := b.set.Manifest
	var d document
	d.Cluster.Size = m.Cluster.SegmentSize
	return segmentKey(b.server, d, 1, m.FirstSegment().Number+n)
}

var attacks = []attack{
	{name: "adds an archive", do: func(w *world, b *backup) { w.plant(b.set.Key("data_9999.tar"), "x") }},
	{name: "adds a second compression", do: func(w *world, b *backup) { w.plant(b.set.Key("data.tar.gz"), "x") }},
	{name: "is there before an archive", do: func(w *world, b *backup) { w.plant(b.set.Key("data.tar"), "x") }},
	{name: "writes a manifest before the uploader", do: func(w *world, b *backup) { w.plant(b.set.Key("manifest.json"), "{}") }},
	{name: "is there before a segment", do: func(w *world, b *backup) { w.plant(segmentOf(b, 0)+".gz", "x") }},
	{name: "adds a .partial", do: func(w *world, b *backup) { w.plant(segmentOf(b, 0)+".partial", "x") }},
	{name: "adds a segment in another form", do: func(w *world, b *backup) { w.plant(segmentOf(b, 0)+".lz4", "x") }},
	{name: "makes a future segment", do: func(w *world, b *backup) { w.plant(segmentOf(b, 5000)+".gz", "x") }},
	{name: "forges a history file", do: func(w *world, b *backup) { w.plant(b.server+"/wals/00000002.history", "1\t0/100000\tx\n") }},
	{name: "edits the marker", do: func(w *world, b *backup) {
		w.mark(b, `{"server":"../other","backup_id":"x","manifest_sha256":"`+fmt.Sprintf("%064d", 1)+`"}`)
	}},
	{name: "writes a marker for nothing", do: func(w *world, b *backup) {
		w.events = append(w.events, event{server: b.server, id: "20200101T000000"})
	}},
	{name: "forges a seal", intruder: true, do: func(w *world, b *backup) {
		if key := b.set.Key("backup.info"); len(w.checker.versions(key)) == 0 {
			w.overwrite(key, "status=DONE\n", "intruder")
		}
	}},
	{name: "leaves a delete marker where the seal will stand", intruder: true, do: func(w *world, b *backup) {
		if w.p == membucket.S3 && w.vault.Delete(b.set.Key("backup.info"), "") == nil {
			w.checker.observe("intruder")
		}
	}},
	{name: "writes over the seal", intruder: true, do: func(w *world, b *backup) { w.shadow(b, "backup.info", "status=DONE\n") }},
	{name: "writes over the manifest", intruder: true, do: func(w *world, b *backup) { w.shadow(b, "manifest.json", "{}") }},
	{name: "writes over an archive", intruder: true, do: func(w *world, b *backup) { w.shadow(b, "data.tar", "y") }},
	{name: "hides the seal", intruder: true, do: func(w *world, b *backup) { w.hide(b.set.Key("backup.info")) }},
	{name: "hides an archive", intruder: true, do: func(w *world, b *backup) { w.hide(b.set.Key("data.tar")) }},
	{name: "destroys the seal", intruder: true, do: func(w *world, b *backup) { w.destroy(b.set.Key("backup.info")) }},
	{name: "destroys an archive", intruder: true, do: func(w *world, b *backup) { w.destroy(b.set.Key("data.tar")) }},
	{name: "hides the manifest", intruder: true, do: func(w *world, b *backup) { w.hide(b.set.Key("manifest.json")) }},
	{name: "hides a segment", intruder: true, do: func(w *world, b *backup) { w.hide(segmentOf(b, 0) + ".gz") }},
	{name: "writes over a segment", intruder: true, do: func(w *world, b *backup) {
		if key := segmentOf(b, 0) + ".gz"; len(w.checker.versions(key)) > 0 {
			w.overwrite(key, "y", "intruder")
		}
	}},
}

// shadow writes over what is there.
func (w *world) shadow(b *backup, name, body string) {
	if key := b.set.Key(name); len(w.checker.versions(key)) > 0 {
		w.overwrite(key, body, "intruder")
	}
}

// mark writes the marker anew, which wakes the finalizer again.
func (w *world) mark(b *backup, body string) {
	if w.staging.Overwrite("_pgseal/complete/"+b.server+"/"+b.set.ID()+".json", []byte(body)) == nil {
		w.events = append(w.events, event{server: b.server, id: b.set.ID()})
	}
}

func (w *world) strike(rng *rand.Rand, intruders bool) {
	a, b := attacks[rng.IntN(len(attacks))], w.backups[rng.IntN(len(w.backups))]
	if a.intruder && !intruders {
		return
	}
	w.note("somebody %s of %s/%s", a.name, b.server, b.set.ID())
	a.do(w, b)
}

// faults are what may happen to a request besides its success.
func faults(changes bool) (all []membucket.Fault) {
	for _, err := range []error{membucket.ErrServer, membucket.ErrTimeout, membucket.ErrThrottle} {
		all = append(all, membucket.Fault{Skip: true, Err: err})
		if changes {
			all = append(all, membucket.Fault{Err: err})
		}
	}
	return all
}
