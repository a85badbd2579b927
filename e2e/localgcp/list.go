package localgcp

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// list is objects.list: names in the order of their bytes, generations of one from the oldest to the newest.
func (g *GCP) list(w http.ResponseWriter, x *exchange) *failure {
	q := x.query
	most := 1000
	if n, err := strconv.Atoi(q.Get("maxResults")); err == nil && n > 0 {
		most = min(n, 1000)
	}
	after := place{}
	if token := q.Get("pageToken"); token != "" {
		var ok bool
		if after, ok = decodeToken(token); !ok {
			return invalid("Invalid page token: %q", token)
		}
	}
	for _, unknown := range []string{"matchGlob", "softDeleted", "filter"} {
		if v := q.Get(unknown); v != "" && v != "false" {
			return fail(501, "notImplemented", "localgcp has no %s", unknown)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[x.bucket]
	if b == nil {
		return noBucket()
	}
	if f := g.need(x, "storage.objects.list", ""); f != nil {
		return f
	}
	prefix, delimiter := q.Get("prefix"), q.Get("delimiter")
	var items, prefixes []any
	next := ""
	for _, o := range b.sorted(prefix, q.Get("startOffset"), q.Get("endOffset"), q.Get("versions") == "true") {
		at := place{o.Name, o.Generation}
		group := ""
		if delimiter != "" {
			if i := strings.Index(o.Name[len(prefix):], delimiter); i >= 0 {
				group = o.Name[:len(prefix)+i+len(delimiter)]
				at = place{group + "\xff\xff\xff\xff", 0} // behind everything that it stands for
			}
		}
		if !at.behind(after) {
			continue
		}
		if len(items)+len(prefixes) == most {
			next = after.token()
			break
		}
		if after = at; group != "" {
			prefixes = append(prefixes, group)
		} else {
			item := g.resource(b, o)
			o.hideSums(item, true, "")
			items = append(items, item)
		}
	}
	page := map[string]any{"kind": "storage#objects"}
	if next != "" {
		page["nextPageToken"] = next
	}
	if len(items) > 0 {
		page["items"] = items
	}
	if len(prefixes) > 0 {
		page["prefixes"] = prefixes
	}
	tell(w, http.StatusOK, parseFields(q.Get("fields")).of(page))
	return nil
}

// sorted are the generations to list.
func (b *bucketState) sorted(prefix, start, end string, versions bool) []*object {
	wanted := func(name string) bool {
		return strings.HasPrefix(name, prefix) && name >= start && (end == "" || name < end)
	}
	var all []*object
	for name, o := range b.live {
		if wanted(name) {
			all = append(all, o)
		}
	}
	if versions {
		for name, old := range b.old {
			if wanted(name) {
				all = append(all, old...)
			}
		}
	}
	slices.SortFunc(all, func(x, y *object) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return int(min(max(x.Generation-y.Generation, -1), 1))
	})
	return all
}

// place is where a page ends.
type place struct {
	name       string
	generation int64
}

func (p place) behind(other place) bool {
	return p.name > other.name || p.name == other.name && p.generation > other.generation
}

func (p place) token() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", p.generation, p.name))
}

func decodeToken(token string) (place, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	number, name, found := strings.Cut(string(raw), " ")
	n, wrong := strconv.ParseInt(number, 10, 64)
	return place{name, n}, err == nil && wrong == nil && found
}
