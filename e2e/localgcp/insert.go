package localgcp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// description is what a request says of the object that it makes.
type description struct {
	Name            string            `json:"name"`
	ContentType     string            `json:"contentType"`
	ContentEncoding string            `json:"contentEncoding"`
	StorageClass    string            `json:"storageClass"`
	CRC32C          string            `json:"crc32c"`
	MD5             string            `json:"md5Hash"`
	Metadata        map[string]string `json:"metadata"`
	Retention       *retention        `json:"retention"`
	TemporaryHold   bool              `json:"temporaryHold"`
	EventBasedHold  *bool             `json:"eventBasedHold"`

	customerKey string // from the request's headers
}

// insert is objects.insert by one request: with the content alone (uploadType=media), or after its description
// (multipart).
func (g *GCP) insert(w http.ResponseWriter, r *http.Request, x *exchange) *failure {
	var about description
	content := io.Reader(r.Body)
	switch r.URL.Query().Get("uploadType") {
	case "media":
		about.ContentType = r.Header.Get("Content-Type")
	case "multipart":
		var f *failure
		if about, content, f = parts(r); f != nil {
			return f
		}
	default:
		return invalid("Upload requests must include an uploadType URL parameter and a URL path beginning with /upload/")
	}
	f := g.mayInsert(x, &about)
	if f == nil {
		about.customerKey, f = customerKey(r)
	}
	if f != nil {
		return f
	}
	in, err := g.newIncoming(x.bucket)
	if err != nil {
		return internal(err)
	}
	defer in.drop()
	if _, err := in.add(content); err != nil {
		panic(http.ErrAbortHandler) // it broke off: nobody is there to be told
	}
	o, f := g.finalize(x, &about, in, x.query)
	if f != nil {
		return f
	}
	g.tellObject(w, x, o)
	return nil
}

// parts reads a multipart/related body up to its content. (gcloud's has boundary='===...==', which mime refuses.)
func parts(r *http.Request) (about description, content io.Reader, f *failure) {
	_, with, err := mime.ParseMediaType(strings.ReplaceAll(r.Header.Get("Content-Type"), "'", `"`))
	if err != nil {
		return about, nil, invalid("Content-Type: %v", err)
	}
	body := multipart.NewReader(r.Body, with["boundary"])
	first, err := body.NextPart()
	if err == nil {
		err = json.NewDecoder(io.LimitReader(first, 1<<20)).Decode(&about)
	}
	if err != nil {
		return about, nil, invalid("Parse error in the object's description: %v", err)
	}
	second, err := body.NextPart()
	if err != nil {
		return about, nil, invalid("Missing content: %v", err)
	}
	if about.ContentType == "" {
		about.ContentType = second.Header.Get("Content-Type")
	}
	return about, second, nil
}

// mayInsert is what is looked at before the content: name, rights, and what the bucket allows.
func (g *GCP) mayInsert(x *exchange, about *description) *failure {
	if name := x.query.Get("name"); name != "" {
		about.Name = name
	}
	x.key = about.Name
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[x.bucket]
	if b == nil {
		return noBucket()
	}
	if about.Name == "" || len(about.Name) > 1024 || !utf8.ValidString(about.Name) || strings.ContainsAny(about.Name, "\r\n") {
		return invalid("Invalid object name: %q", about.Name)
	}
	if f := g.need(x, "storage.objects.create", about.Name); f != nil {
		return f
	}
	if about.Retention == nil {
		return nil
	}
	if f := g.need(x, "storage.objects.setRetention", about.Name); f != nil {
		return f
	}
	return g.mayRetain(b, about.Retention)
}

func (g *GCP) mayRetain(b *bucketState, r *retention) *failure {
	switch {
	case !b.ObjectRetention:
		return invalid("Object retention is not enabled on the bucket %s.", b.Name)
	case r.Mode != "Locked" && r.Mode != "Unlocked":
		return invalid("Invalid object retention mode: %q", r.Mode)
	case !r.Until.After(g.now()):
		return invalid("Object retention must have a retainUntilTime in the future.")
	case r.Until.After(g.now().Add(100 * 365 * 24 * time.Hour)):
		return invalid("Object retention must end within 100 years.")
	}
	return nil
}

// sumsMatch checks what the client says of its content.
func sumsMatch(in *incoming, crc, md5 string) *failure {
	if have := sum(in.crc.Sum32()); crc != "" && crc != have {
		return invalid("Provided CRC32C \"%s\" doesn't match calculated CRC32C \"%s\".", crc, have)
	}
	if have := base64.StdEncoding.EncodeToString(in.md5.Sum(nil)); md5 != "" && md5 != have {
		return invalid("Provided MD5 hash \"%s\" doesn't match calculated MD5 hash \"%s\".", md5, have)
	}
	return nil
}

// finalize makes an object of what has come in, if nothing stands against it at this moment.
func (g *GCP) finalize(x *exchange, about *description, in *incoming, query url.Values) (*object, *failure) {
	if f := sumsMatch(in, about.CRC32C, about.MD5); f != nil {
		return nil, f
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[x.bucket]
	if f := g.mayReplace(b, x, about.Name, query); f != nil {
		return nil, f
	}
	o := &object{
		Bucket: b.Name, Name: about.Name, Generation: g.nextGeneration(), Metageneration: 1, Created: g.now(), Updated: g.now(),
		Size: in.size, CRC32C: in.crc.Sum32(), MD5: in.md5.Sum(nil), ContentType: about.ContentType, ContentEncoding: about.ContentEncoding,
		StorageClass: about.StorageClass, KMSKeyName: query.Get("kmsKeyName"), Metadata: about.Metadata, Retention: about.Retention,
		TemporaryHold: about.TemporaryHold, EventBasedHold: b.DefaultHold, CustomerKey: about.customerKey,
	}
	if about.EventBasedHold != nil {
		o.EventBasedHold = *about.EventBasedHold
	}
	if o.StorageClass == "" {
		o.StorageClass = "STANDARD"
	}
	if err := os.Rename(in.Name(), g.file(o, "bin")); err != nil {
		return nil, internal(err)
	}
	if err := g.keep(o); err != nil {
		return nil, internal(err)
	}
	before := b.live[o.Name]
	if before != nil {
		g.retire(b, before)
	}
	b.live[o.Name] = o
	g.events.publish(g.newEvent(b, o, before))
	return o, nil
}

// mayReplace tells whether a write may happen now, over what may stand there.
func (g *GCP) mayReplace(b *bucketState, x *exchange, name string, query url.Values) *failure {
	there := b.live[name]
	met := preconditions(query, there)
	if there == nil {
		return met
	}
	right := g.need(x, "storage.objects.delete", name) // what replacing takes besides creating
	var locked *failure
	if !b.Versioning { // else it only becomes noncurrent
		locked = g.kept(b, there)
	}
	order := []*failure{met, right, locked}
	switch g.config.Existing {
	case RetentionFirst:
		order = []*failure{locked, met, right}
	case RightFirst:
		order = []*failure{right, met, locked}
	}
	for _, f := range order {
		if f != nil {
			return f
		}
	}
	return nil
}

// retire makes the live generation noncurrent, or removes it where none are kept.
func (g *GCP) retire(b *bucketState, o *object) {
	delete(b.live, o.Name)
	if !b.Versioning {
		g.forget(o)
		return
	}
	o.Deleted = g.now()
	_ = g.keep(o)
	b.old[o.Name] = append(b.old[o.Name], o)
}

// nextGeneration is the time in microseconds, as GCS's look, and more than the last one.
func (g *GCP) nextGeneration() int64 {
	g.lastGeneration = max(g.lastGeneration+1, g.now().UnixMicro())
	return g.lastGeneration
}

func (g *GCP) tellObject(w http.ResponseWriter, x *exchange, o *object) {
	g.mu.Lock()
	r := g.resource(g.buckets[x.bucket], o)
	g.mu.Unlock()
	tell(w, http.StatusOK, parseFields(x.query.Get("fields")).of(r))
}

// need is a failure when somebody may not do something.
func (g *GCP) need(x *exchange, permission, name string) *failure {
	if g.Rules.allow(x.who, permission, x.bucket, name) {
		return nil
	}
	on := "the Google Cloud Storage object"
	if name == "" {
		on = "the Google Cloud Storage bucket"
	}
	return fail(403, "forbidden", "%s does not have %s access to %s. Permission '%s' denied on resource (or it may not exist).", email(x.who), permission, on, permission)
}

// peekName finds the name in a multipart body, and puts back what it read.
func peekName(r *http.Request) string {
	begin := make([]byte, 8<<10)
	n, _ := io.ReadFull(r.Body, begin)
	begin = begin[:n]
	rest := r.Body
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(begin), rest), rest}
	copied := r.Clone(r.Context())
	copied.Body = io.NopCloser(bytes.NewReader(begin))
	about, _, _ := parts(copied)
	return about.Name
}
