package sim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

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
	once    map[string]bool // the backups that a finalizer has sealed, by server/id
	// destroyed tells in which step a key was taken away, lock or not.
	destroyed map[string]int
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
			if _, gone := c.destroyed[v.Receipt.Key]; !found && !gone {
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
	if c.once == nil {
		c.once = map[string]bool{}
	}
	c.once[server+"/"+id] = true
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
