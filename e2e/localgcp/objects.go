package localgcp

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"
)

// find is the generation that a request means; the current one when it names none. The caller holds the mutex.
func (g *GCP) find(x *exchange) (*bucketState, *object, *failure) {
	b := g.buckets[x.bucket]
	if b == nil {
		return nil, nil, noBucket()
	}
	o := b.live[x.key]
	if x.query.Has("generation") {
		want, err := strconv.ParseInt(x.query.Get("generation"), 10, 64)
		if err != nil {
			return nil, nil, invalid("Invalid value for generation: %q", x.query.Get("generation"))
		}
		if o == nil || o.Generation != want {
			o = nil
			if i := slices.IndexFunc(b.old[x.key], func(v *object) bool { return v.Generation == want }); i >= 0 {
				o = b.old[x.key][i]
			}
		}
	}
	return b, o, nil
}

// get is objects.get: the description, or the content with alt=media.
func (g *GCP) get(w http.ResponseWriter, r *http.Request, x *exchange, media bool) *failure {
	g.mu.Lock()
	b, o, f := g.find(x)
	if f == nil {
		f = g.need(x, "storage.objects.get", x.key)
	}
	if f == nil && o == nil {
		f = noObject(x.bucket, x.key)
	}
	if f == nil {
		f = preconditions(x.query, o)
	}
	if f == nil && media {
		f = o.readable(r)
	}
	if f != nil || !media {
		defer g.mu.Unlock()
		if f == nil {
			var digest string
			if digest, f = customerKey(r); f == nil {
				described := g.resource(b, o)
				o.hideSums(described, false, digest)
				tell(w, http.StatusOK, parseFields(x.query.Get("fields")).of(described))
			}
		}
		return f
	}
	copied := *o
	content, err := os.Open(g.file(o, "bin"))
	g.mu.Unlock()
	if err != nil {
		return internal(err)
	}
	defer content.Close()
	return download(w, r, &copied, content)
}

// download sends the content, or the range of it that is asked for.
func download(w http.ResponseWriter, r *http.Request, o *object, content *os.File) *failure {
	from, to, part, ok := parseRange(r.Header.Get("Range"), o.Size)
	if !ok {
		return fail(http.StatusRequestedRangeNotSatisfiable, "requestedRangeNotSatisfiable", "Request range not satisfiable")
	}
	h := w.Header()
	h.Set("Content-Type", o.ContentType)
	h.Set("ETag", etag(o))
	h.Set("X-Goog-Generation", fmt.Sprint(o.Generation))
	h.Set("X-Goog-Metageneration", fmt.Sprint(o.Metageneration))
	h.Set("X-Goog-Storage-Class", o.StorageClass)
	h.Set("X-Goog-Stored-Content-Length", fmt.Sprint(o.Size))
	h.Set("X-Goog-Stored-Content-Encoding", "identity")
	h.Set("X-Goog-Hash", "crc32c="+sum(o.CRC32C)+",md5="+base64.StdEncoding.EncodeToString(o.MD5))
	h.Set("Last-Modified", o.Updated.UTC().Format(http.TimeFormat))
	h.Set("Content-Length", fmt.Sprint(to-from))
	if o.ContentEncoding != "" {
		h.Set("Content-Encoding", o.ContentEncoding)
		h.Set("X-Goog-Stored-Content-Encoding", o.ContentEncoding)
	}
	status := http.StatusOK
	if part {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, o.Size))
		status = http.StatusPartialContent
	}
	w.WriteHeader(status)
	_, _ = io.Copy(w, io.NewSectionReader(content, from, to-from)) // the client may have read enough
	return nil
}

// parseRange knows bytes=a-b, bytes=a- and bytes=-n.
func parseRange(header string, size int64) (from, to int64, part, ok bool) {
	if header == "" {
		return 0, size, false, true
	}
	var n int64
	switch {
	case scan(header, "bytes=%d-%d", &from, &to) == 2 && from <= to:
		to++
	case scan(header, "bytes=-%d", &n) == 1:
		from, to = max(size-n, 0), size
	case scan(header, "bytes=%d-", &from) == 1:
		to = size
	default:
		return 0, size, false, true
	}
	if from >= size {
		return 0, 0, false, false
	}
	return from, min(to, size), true, true
}

func scan(s, format string, into ...any) int {
	n, _ := fmt.Sscanf(s, format, into...)
	return n
}

// remove is objects.delete.
func (g *GCP) remove(w http.ResponseWriter, x *exchange) *failure {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, o, f := g.find(x)
	if f == nil {
		f = g.need(x, "storage.objects.delete", x.key)
	}
	if f == nil && o == nil {
		f = noObject(x.bucket, x.key)
	}
	if f == nil {
		f = preconditions(x.query, o)
	}
	if f != nil {
		return f
	}
	if b.Versioning && !x.query.Has("generation") {
		g.retire(b, o)
	} else {
		if f := g.kept(b, o); f != nil {
			return f
		}
		g.destroy(b, o)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// destroy removes a generation.
func (g *GCP) destroy(b *bucketState, o *object) {
	if b.live[o.Name] == o {
		delete(b.live, o.Name)
	}
	b.old[o.Name] = slices.DeleteFunc(b.old[o.Name], func(v *object) bool { return v == o })
	g.forget(o)
}

// patch is objects.patch: metadata, holds and retention.
func (g *GCP) patch(w http.ResponseWriter, r *http.Request, x *exchange) *failure {
	var change struct {
		Metadata       map[string]*string `json:"metadata"`
		TemporaryHold  *bool              `json:"temporaryHold"`
		EventBasedHold *bool              `json:"eventBasedHold"`
		Retention      json.RawMessage    `json:"retention"`
		ContentType    *string            `json:"contentType"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&change); err != nil {
		return invalid("Parse Error: %v", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	b, o, f := g.find(x)
	if f == nil {
		f = g.need(x, "storage.objects.update", x.key)
	}
	if f == nil && change.Retention != nil {
		f = g.need(x, "storage.objects.setRetention", x.key)
	}
	if f == nil && o == nil {
		f = noObject(x.bucket, x.key)
	}
	if f == nil {
		f = preconditions(x.query, o)
	}
	if f == nil && change.Retention != nil {
		f = g.changeRetention(b, o, x, change.Retention)
	}
	if f != nil {
		return f
	}
	for name, value := range change.Metadata {
		if value == nil {
			delete(o.Metadata, name)
			continue
		}
		if o.Metadata == nil {
			o.Metadata = map[string]string{}
		}
		o.Metadata[name] = *value
	}
	if change.ContentType != nil {
		o.ContentType = *change.ContentType
	}
	if change.TemporaryHold != nil {
		o.TemporaryHold = *change.TemporaryHold
	}
	if h := change.EventBasedHold; h != nil {
		if o.EventBasedHold && !*h {
			o.HoldReleased = g.now()
		}
		o.EventBasedHold = *h
	}
	o.Metageneration++
	o.Updated = g.now()
	if err := g.keep(o); err != nil {
		return internal(err)
	}
	tell(w, http.StatusOK, parseFields(x.query.Get("fields")).of(g.resource(b, o)))
	return nil
}

// changeRetention: a Locked retention that runs can only be extended; an Unlocked one can be shortened, locked or taken
// away, by those who may override it and say so.
func (g *GCP) changeRetention(b *bucketState, o *object, x *exchange, wanted json.RawMessage) *failure {
	var to *retention
	if err := json.Unmarshal(wanted, &to); err != nil {
		return invalid("Parse Error: %v", err)
	}
	if to != nil {
		if f := g.mayRetain(b, to); f != nil {
			return f
		}
	} else if !b.ObjectRetention {
		return invalid("Object retention is not enabled on the bucket %s.", b.Name)
	}
	if have := o.Retention; have != nil && have.Until.After(g.now()) {
		weaker := to == nil || to.Until.Before(have.Until.Truncate(time.Second)) || have.Mode == "Locked" && to.Mode != "Locked"
		switch {
		case weaker && have.Mode == "Locked":
			return fail(403, "retentionPolicyNotMet", "Object '%s/%s' has a locked object retention which cannot be shortened, unlocked or removed until %s", b.Name, o.Name, stamp(have.Until))
		case weaker && x.query.Get("overrideUnlockedRetention") != "true":
			return invalid("Reducing an unlocked object retention requires overrideUnlockedRetention=true.")
		case weaker:
			if f := g.need(x, "storage.objects.overrideUnlockedRetention", o.Name); f != nil {
				return f
			}
		}
	}
	o.Retention = to
	return nil
}
