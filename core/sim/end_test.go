package sim_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pgseal/pgseal/core/bucket/membucket"
)

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
	case c.once[at]:
		// Its seal was destroyed. It may have died before its verdict, and then
		// nobody knows that it was there.
		if v.State == "sealed" && len(v.Findings)+len(record.Findings) == 0 {
			c.fail("Audit: the seal of %s is gone, and there is no finding", at)
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
