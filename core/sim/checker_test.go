package sim_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket/membucket"
)

// checker holds what the stores contain against the promises of the design. It
// sees everything and asks nobody: it has its own reader of each format, and
// nothing of the finalizer's.
type checker struct {
	w     *world
	wrong []string
	told  map[string]bool
	// first tells in which step a version appeared, and who wrote it.
	first map[string]birth
	seals map[string]*sealing // by key
	// sealing: a seal is about to be written.
	sealing bool
}

type birth struct {
	step int
	by   string // host, finalizer, intruder
}

// sealing is a seal that is just being written.
type sealing struct {
	began int // when its finalizer began
	wrong []flaw
}

// flaw is one thing that is wrong with a backup, since a step.
type flaw struct {
	text string
	step int
}

func (c *checker) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !c.told[text] {
		c.told[text] = true
		c.wrong = append(c.wrong, fmt.Sprintf("step %d: %s", c.w.steps, text))
	}
}

func name(v membucket.Version) string { return v.Key + "@" + v.Version + "@" + v.ETag }

// before is called before a request passes, after when everything stands again.
func (c *checker) before(r *request, f membucket.Fault) {
	if !r.call.Changes() || f.Skip {
		return
	}
	key, seal := r.call.Key, strings.HasSuffix(r.call.Key, "/backup.info")
	own := strings.HasPrefix(key, "_pgseal/verdict/") || strings.HasPrefix(key, "_pgseal/sweep/")
	switch { // Apart
	case r.by.kind == "finalizer" && r.place == "vault" && r.call.Op == "retain" && c.w.sealRetention > 0:
	case r.by.kind == "finalizer" && r.place == "vault" && (!seal || r.call.Op != "create"),
		r.by.kind == "finalizer" && r.place == "staging" && !own,
		r.by.kind == "host" && r.place == "vault" && (seal || r.call.Op != "create"),
		r.by.kind == "host" && r.place == "staging" && own:
		c.fail("Apart: %s", r)
	}
	if r.place == "vault" && seal {
		server, id := split(key)
		s := &sealing{began: r.by.began}
		c.sealing = true
		s.wrong, _ = c.flaws(server, id, "")
		c.sealing = false
		c.seals[key] = s
	}
	if most := map[string]int{"finalizer": 1500, "host": 200}[r.by.kind]; r.by.requests > most {
		c.fail("Bounded: %s has sent more than %d requests", r.by.name, most)
	}
}

func (c *checker) after(r *request, f membucket.Fault) {
	if !r.call.Changes() || f.Skip {
		return
	}
	if r.place == "vault" {
		c.observe(r.by.kind)
		return
	}
	if strings.HasPrefix(r.call.Key, "_pgseal/verdict/") {
		v := c.verdict(r.call.Key)
		if v.State == "sealed" {
			found := false
			for _, s := range c.w.vault.Everything(v.Receipt.Key) {
				sum := sha256.Sum256(s.Body)
				found = found || s.Key == v.Receipt.Key && hex.EncodeToString(sum[:]) == v.Receipt.SHA256
			}
			if !found {
				c.fail("True: %s says sealed, and its receipt is of nothing that is there", r.call.Key)
			}
		} else if len(v.Reasons) == 0 {
			c.fail("Live: %s says %q without a reason", r.call.Key, v.State)
		}
	}
}

// observe looks at what is new in the vault.
func (c *checker) observe(by string) {
	if c.first == nil {
		c.first = map[string]birth{}
	}
	below := map[string]membucket.Version{}
	for _, v := range c.w.vault.Everything("") {
		if _, known := c.first[name(v)]; !known {
			c.first[name(v)] = birth{c.w.steps, by}
			if under, taken := below[v.Key]; taken && by != "intruder" && !under.DeleteMarker {
				c.fail("Once: %s was written again by the %s", v.Key, by)
			}
			if by == "finalizer" {
				c.sealed(v)
			}
		}
		below[v.Key] = v
	}
}

// sealed is called for a backup.info that a finalizer has just written.
func (c *checker) sealed(v membucket.Version) {
	s := c.seals[v.Key]
	server, id := split(v.Key)
	for _, f := range s.wrong {
		if f.step <= s.began { // what came later slipped in, and must become a finding
			c.fail("True: %s was sealed, and %s", v.Key, f.text)
		}
	}
	// Single, also when a delete marker let a second one through: the same bytes.
	n := 0
	for _, o := range c.versions(v.Key) {
		if b := c.first[name(o)]; b.by == "finalizer" && !o.DeleteMarker {
			if n++; string(o.Body) != string(v.Body) {
				c.fail("Same: %s has two versions by the finalizer that differ", v.Key)
			}
		}
	}
	if n > 1 && !c.marked(v.Key) {
		c.fail("Single: %s has %d versions by the finalizer", v.Key, n)
	}
	c.same(server, id, v)
}

// same holds a seal against the manifest that it names.
func (c *checker) same(server, id string, v membucket.Version) {
	digest := ""
	if m := regexp.MustCompile(`(?m)^# pgseal manifest_sha256=([0-9a-f]{64})$`).FindSubmatch(v.Body); m != nil {
		digest = string(m[1])
	}
	m, _, ok := c.manifest(server, id, digest)
	if !ok || digest == "" {
		c.fail("Same: %s names no manifest that is there", v.Key)
		return
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(v.Body)) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok && line[0] != '#' {
			fields[name] = value
		}
	}
	segment := func(lsn uint64) string {
		perLog := (1 << 32) / uint64(m.Cluster.Size)
		n := lsn / uint64(m.Cluster.Size)
		return fmt.Sprintf("%08X%08X%08X", m.Cluster.Timeline, n/perLog, n%perLog)
	}
	for field, want := range map[string]string{
		"status": "DONE", "server_name": "cloud", "begin_xlog": m.Begin.LSN, "end_xlog": m.End.LSN, "systemid": m.Cluster.System, "timeline": fmt.Sprint(m.Cluster.Timeline),
		"xlog_segment_size": fmt.Sprint(m.Cluster.Size), "version": fmt.Sprint(m.Cluster.Version), "begin_wal": segment(lsn(m.Begin.LSN)), "end_wal": segment(lsn(m.End.LSN)),
	} {
		if fields[field] != want {
			c.fail("Same: %s has %s=%s, and its manifest asks for %s", v.Key, field, fields[field], want)
		}
	}
	if len(fields) != 27 && len(fields) != 28 {
		c.fail("Same: %s has %d fields", v.Key, len(fields))
	}
}

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
			add(0, "%s is not there", key)
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
			add(0, "%s is newer than its manifest", dir+o.Name)
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
		add(0, "%s is not there", key)
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

// judged is the part of a verdict, or of the sweep's record, that counts here.
type judged struct {
	State    string `json:"verdict"`
	Sweep    string `json:"state"`
	Class    string `json:"class"`
	Reasons  []any  `json:"reasons"`
	Findings []any  `json:"findings"`
	Receipt  struct {
		Key    string `json:"key"`
		SHA256 string `json:"sha256"`
	} `json:"receipt"`
}

func (c *checker) verdict(key string) (v judged) {
	for _, o := range c.w.staging.Everything(key) {
		if o.Key == key && o.Latest && !o.DeleteMarker {
			_ = json.Unmarshal(o.Body, &v)
		}
	}
	return v
}

// end is called when all faults are over and several sweeps had their time: now
// everything must be settled, and every harm on record.
func (c *checker) end() {
	if n := c.w.vault.OpenUploads() + c.w.staging.OpenUploads(); n > 0 {
		c.fail("No harm: %d uploads are open", n)
	}
	ids := map[string]bool{}
	for _, v := range c.w.vault.Everything("") {
		if parts := strings.Split(v.Key, "/"); parts[1] == "base" {
			ids[parts[0]+"/"+parts[2]] = true
		}
	}
	for _, v := range c.w.staging.Everything("") {
		if parts := strings.Split(v.Key, "/"); parts[0] != "_pgseal" && parts[1] == "base" {
			ids[parts[0]+"/"+parts[2]] = true
		}
	}
	for _, at := range slices.Sorted(maps.Keys(ids)) {
		server, id, _ := strings.Cut(at, "/")
		c.settled(server, id)
	}
}

// count adds how the backups ended, to show that the histories are worth their
// time.
func (c *checker) count(ends map[string]int) {
	for _, b := range c.w.backups {
		at := b.server + "/" + b.set.ID()
		v, record := c.verdict("_pgseal/verdict/"+at+".json"), c.verdict("_pgseal/sweep/"+at+".json")
		end := strings.TrimSpace(v.State + " " + v.Class)
		kinds := map[string]bool{}
		for _, f := range append(v.Findings, record.Findings...) {
			kind, _ := f.(map[string]any)["finding"].(string)
			kinds[kind] = true
		}
		for _, kind := range []string{"tampered", "damaged"} {
			if kinds[kind] {
				ends[end+", "+kind]++
			}
		}
		if end == "" {
			end = cmp.Or(record.Sweep, "none")
		}
		ends[end]++
	}
}

func (c *checker) settled(server, id string) {
	at := server + "/" + id
	v, record := c.verdict("_pgseal/verdict/"+at+".json"), c.verdict("_pgseal/sweep/"+at+".json")
	var seal *membucket.Version
	for _, s := range c.versions(server + "/base/" + id + "/backup.info") {
		if c.first[name(s)].by == "finalizer" && !s.DeleteMarker {
			seal = &s
		}
	}
	manifests := slices.DeleteFunc(c.versions(server+"/base/"+id+"/manifest.json"), func(v membucket.Version) bool { return v.DeleteMarker })
	switch {
	case seal != nil:
		digest := string(regexp.MustCompile(`manifest_sha256=([0-9a-f]{64})`).FindSubmatch(seal.Body)[1])
		harm := c.harmed(server, id, digest)
		found := len(v.Findings) + len(record.Findings)
		switch {
		case v.State != "sealed":
			c.fail("Sticky: %s is sealed, and its verdict is %q (%v)", at, v.State, v.Reasons)
		case len(harm) > 0 && found == 0:
			c.fail("Audit: %s: %s, and there is no finding", at, harm[0].text)
		case len(harm) == 0 && len(record.Findings) > 0:
			c.fail("Audit: %s has the finding %v, and nothing is wrong", at, record.Findings)
		}
	case len(manifests) > 0 && !c.marked(manifests[0].Key):
		flaws, _ := c.flaws(server, id, "")
		forged := len(c.versions(server+"/base/"+id+"/backup.info")) > 0
		switch {
		case len(flaws) == 0 && !forged:
			c.fail("Live: nothing is wrong with %s, and it is not sealed: %q %v", at, v.State, v.Reasons)
		case v.State != "rejected" && v.State != "conflict":
			c.fail("Live: %s ends %q (%v), though %v", at, v.State, v.Reasons, flaws)
		case len(v.Reasons) == 0:
			c.fail("Live: %s is %s without a reason", at, v.State)
		}
	case len(manifests) == 0:
		if v.State != "" {
			c.fail("Live: %s has the verdict %q without a manifest", at, v.State)
		}
		c.silent(server, id, record)
	}
}

// silent: an upload that never said how it ended is abandoned by now.
func (c *checker) silent(server, id string, record judged) {
	status := ""
	for _, o := range c.w.staging.Everything(server + "/base/" + id + "/backup.info") {
		if o.Latest {
			m := regexp.MustCompile(`(?m)^status=(\w+)$`).FindSubmatch(o.Body)
			status = string(m[1])
		}
	}
	if status == "STARTED" != (record.Sweep == "abandoned") {
		c.fail("Live: the upload of %s/%s says %q, and the sweep's record %q", server, id, status, record.Sweep)
	}
}
