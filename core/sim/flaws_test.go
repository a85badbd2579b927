package sim_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket/membucket"
)

// document is the part of a manifest that can be held against the stores.
type document struct {
	Server  string `json:"server"`
	ID      string `json:"backup_id"`
	Cluster struct {
		Version     int    `json:"version"`
		System      string `json:"system_id"`
		Timeline    uint32 `json:"timeline"`
		Size        int64  `json:"wal_segment_size"`
		Tablespaces []struct {
			OID int `json:"oid"`
		} `json:"tablespaces"`
	} `json:"cluster"`
	Begin struct {
		LSN string `json:"lsn"`
	} `json:"begin"`
	End struct {
		LSN  string    `json:"lsn"`
		Time time.Time `json:"time"`
	} `json:"end"`
	Objects []struct {
		Name    string `json:"name"`
		Size    int64  `json:"size"`
		CRC     string `json:"crc32c"`
		Version string `json:"version"`
	} `json:"objects"`
}

func lsn(s string) uint64 {
	high, low, _ := strings.Cut(s, "/")
	h, _ := strconv.ParseUint(high, 16, 32)
	l, _ := strconv.ParseUint(low, 16, 32)
	return h<<32 | l
}

func split(key string) (server, id string) {
	parts := strings.Split(key, "/")
	return parts[0], parts[2]
}

func (c *checker) versions(key string) (all []membucket.Version) {
	for _, v := range c.w.vault.Everything(key) {
		if v.Key == key {
			all = append(all, v)
		}
	}
	return all
}

func (c *checker) marked(key string) bool {
	return slices.ContainsFunc(c.versions(key), func(v membucket.Version) bool { return v.DeleteMarker })
}

// manifest finds the manifest of this digest, or the current one.
func (c *checker) manifest(server, id, digest string) (d document, v membucket.Version, ok bool) {
	for _, v := range slices.Backward(c.versions(server + "/base/" + id + "/manifest.json")) {
		sum := sha256.Sum256(v.Body)
		if v.DeleteMarker || digest != "" && hex.EncodeToString(sum[:]) != digest {
			if digest == "" {
				return d, v, false // hidden
			}
			continue
		}
		err := json.Unmarshal(v.Body, &d)
		return d, v, err == nil && d.Server == server && d.ID == id && len(d.Objects) > 0 && lsn(d.Begin.LSN) < lsn(d.End.LSN)
	}
	return d, v, false
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// flaws are all reasons why this backup must not be sealed now. ok is false
// when there is no manifest to speak of.
func (c *checker) flaws(server, id, digest string) (flaws []flaw, ok bool) {
	d, mv, ok := c.manifest(server, id, digest)
	if !ok {
		return []flaw{{"its manifest is none", c.first[name(mv)].step}}, false
	}
	add := func(step int, format string, args ...any) {
		flaws = append(flaws, flaw{fmt.Sprintf(format, args...), step})
	}
	dir := server + "/base/" + id + "/"
	bases, listed := []string{"data"}, map[string]bool{"manifest.json": true, "backup.info": true}
	for _, t := range d.Cluster.Tablespaces {
		bases = append(bases, fmt.Sprint(t.OID))
	}
	single := func(key string) (membucket.Version, bool) {
		all := c.versions(key)
		switch {
		case len(all) == 0:
			add(c.destroyed[key], "%s is not there", key)
			return membucket.Version{}, false
		case len(all) > 1:
			add(c.first[name(all[1])].step, "%s was written or hidden again", key)
		}
		if c.short(all[0], mv) {
			add(0, "%s is locked too shortly", key)
		}
		return all[0], true
	}
	single(mv.Key)
	if far := d.End.Time.Sub(mv.Created).Abs(); far > 14*time.Hour {
		add(0, "its times are %s off", far)
	}
	for _, o := range d.Objects {
		listed[o.Name] = true
		v, there := single(dir + o.Name)
		if there && (v.Size != o.Size || v.Version != o.Version || fmt.Sprintf("%08x", crc32.Checksum(v.Body, castagnoli)) != o.CRC) {
			add(c.first[name(v)].step, "%s is another object", dir+o.Name)
		}
		if there && v.Created.After(mv.Created.Add(time.Minute)) {
			add(c.destroyed[v.Key], "%s is newer than its manifest", dir+o.Name)
		}
	}
	for _, v := range c.w.vault.Everything(dir) {
		rest := strings.TrimPrefix(v.Key, dir)
		for _, base := range bases {
			if !listed[rest] && v.Latest && !v.DeleteMarker && (strings.HasPrefix(rest, base+".") || strings.HasPrefix(rest, base+"_")) {
				add(c.first[name(v)].step, "%s would be read by a restore", v.Key)
			}
		}
	}
	for n := lsn(d.Begin.LSN) / uint64(d.Cluster.Size); n <= (lsn(d.End.LSN)-1)/uint64(d.Cluster.Size); n++ {
		c.segment(server, d, mv, n, add)
	}
	return flaws, true
}

// short tells whether a lock ends before it may. Before the seal nobody has made
// it longer yet, so a lack of that is no reason not to seal.
func (c *checker) short(v, manifest membucket.Version) bool {
	if c.w.minRetention > 0 && v.RetainUntil.Before(v.Created.Add(c.w.minRetention)) {
		return true
	}
	return c.sealing && c.w.sealRetention > 0 && v.RetainUntil.Before(manifest.Created.Add(c.w.sealRetention))
}

// segmentKey is the key of a segment without any compression.
func segmentKey(server string, d document, timeline uint32, n uint64) string {
	perLog := (1 << 32) / uint64(d.Cluster.Size)
	return fmt.Sprintf("%s/wals/%08X%08X/%08X%08X%08X", server, timeline, n/perLog, timeline, n/perLog, n%perLog)
}

// forms are the keys under which a segment is there.
func (c *checker) forms(key string) (all []membucket.Version) {
	for _, v := range c.w.vault.Everything(key) {
		switch strings.TrimPrefix(v.Key, key) {
		case "", ".gz", ".bz2", ".snappy", ".xz", ".zst", ".lz4":
			if v.Latest && !v.DeleteMarker {
				all = append(all, v)
			}
		}
	}
	return all
}

// segment holds one needed segment to its place in the WAL.
func (c *checker) segment(server string, d document, mv membucket.Version, n uint64, add func(int, string, ...any)) {
	key := segmentKey(server, d, d.Cluster.Timeline, n)
	all := c.forms(key)
	switch {
	case len(all) == 0:
		hidden := 0 // since when
		for _, v := range c.w.vault.Everything(key + ".") {
			if v.DeleteMarker {
				hidden = max(hidden, c.first[name(v)].step)
			}
		}
		add(hidden, "%s is not there", key)
		return
	case len(all) > 1:
		add(max(c.first[name(all[0])].step, c.first[name(all[1])].step), "%s is there twice", key)
	}
	b := all[0].Body
	if len(b) < 40 {
		add(c.first[name(all[0])].step, "%s is no WAL", key)
		return
	}
	le := binary.LittleEndian
	if le.Uint16(b) != 0xD110 || le.Uint32(b[4:]) != d.Cluster.Timeline || le.Uint64(b[8:]) != n*uint64(d.Cluster.Size) || fmt.Sprint(le.Uint64(b[24:])) != d.Cluster.System {
		add(c.first[name(all[0])].step, "%s is another segment", key)
	}
	if c.short(all[0], mv) {
		add(0, "%s is locked too shortly", key)
	}
}

// harmed adds to the flaws of a sealed backup what concerns only what is sealed:
// what an audit has to find.
func (c *checker) harmed(server, id, digest string) (flaws []flaw) {
	flaws, _ = c.flaws(server, id, digest)
	add := func(format string, args ...any) { flaws = append(flaws, flaw{text: fmt.Sprintf(format, args...)}) }
	if n := len(c.versions(server + "/base/" + id + "/backup.info")); n != 1 {
		add("backup.info has %d versions", n)
	}
	d, _, ok := c.manifest(server, id, digest)
	if !ok {
		return flaws
	}
	present := map[uint64]bool{}
	perLog := (1 << 32) / uint64(d.Cluster.Size)
	for _, v := range c.w.vault.Everything(server + "/wals/") {
		file := v.Key[strings.LastIndexByte(v.Key, '/')+1:]
		stem, _, _ := strings.Cut(file, ".")
		if strings.HasPrefix(file, fmt.Sprintf("%08X.history", d.Cluster.Timeline+1)) {
			add("a history file leads away")
		}
		if len(stem) != 24 || !strings.HasPrefix(stem, fmt.Sprintf("%08X", d.Cluster.Timeline)) {
			continue
		}
		log, _ := strconv.ParseUint(stem[8:16], 16, 32)
		seg, _ := strconv.ParseUint(stem[16:], 16, 32)
		n := log*perLog + seg
		if len(c.forms(segmentKey(server, d, d.Cluster.Timeline, n))) > 0 {
			present[n] = true
		}
	}
	first, last := lsn(d.Begin.LSN)/uint64(d.Cluster.Size), uint64(0)
	for n := range present {
		last = max(last, n)
	}
	for n := first; n <= last; n++ {
		key := segmentKey(server, d, d.Cluster.Timeline, n)
		all := c.forms(key)
		if len(all) == 0 {
			add("%s is a hole", key)
		}
		if len(all) > 1 {
			add("%s is there twice", key)
		}
		for _, v := range c.w.vault.Everything(key) {
			if strings.HasPrefix(v.Key, key+".partial") && len(all) > 0 && v.Latest && !v.DeleteMarker {
				add("%s stands beside it", v.Key)
			}
		}
		for _, form := range all {
			if len(c.versions(form.Key)) > 1 {
				add("%s was written again", form.Key)
			}
		}
	}
	return flaws
}
