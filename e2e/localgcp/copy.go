package localgcp

import (
	"net/http"
	"slices"
)

// refuseCopy decides on a compose (bucket/o/KEY/compose) or a rewrite (bucket/o/KEY/rewriteTo/b/BUCKET/o/KEY) as GCS
// does: by the right to create what is to be, by preconditions, and by what stands there. pgseal makes no copies, and
// neither does this: who would be allowed to is told so.
func (g *GCP) refuseCopy(x *exchange, parts []string) *failure {
	bucket, key := parts[0], parts[2]
	if parts[3] == "rewriteTo" && len(parts) == 8 {
		bucket, key = parts[5], parts[7]
	}
	x.bucket, x.key = bucket, key
	if !slices.Contains([]string{"compose", "rewriteTo", "copyTo"}, parts[3]) {
		return fail(http.StatusNotImplemented, "notImplemented", "localgcp does not know %s", x.operation)
	}
	if f := g.need(x, "storage.objects.create", key); f != nil {
		return f
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[bucket]
	if b == nil {
		return noBucket()
	}
	if f := g.mayReplace(b, x, key, x.query); f != nil {
		return f
	}
	return fail(http.StatusNotImplemented, "notImplemented", "localgcp copies nothing")
}
