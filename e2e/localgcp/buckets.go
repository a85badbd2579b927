package localgcp

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// getBucket is buckets.get.
func (g *GCP) getBucket(w http.ResponseWriter, x *exchange) *failure {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[x.bucket]
	if b == nil {
		return noBucket()
	}
	if f := g.need(x, "storage.buckets.get", ""); f != nil {
		return f
	}
	tell(w, http.StatusOK, parseFields(x.query.Get("fields")).of(g.bucketResource(b)))
	return nil
}

// bucketSettings are what insert and patch may set.
type bucketSettings struct {
	Name            string          `json:"name"`
	RetentionPolicy json.RawMessage `json:"retentionPolicy"`
	Versioning      *struct {
		Enabled bool `json:"enabled"`
	} `json:"versioning"`
	DefaultEventBasedHold *bool           `json:"defaultEventBasedHold"`
	Lifecycle             json.RawMessage `json:"lifecycle"`
}

// period reads a retention policy: none when it is null.
func (s *bucketSettings) period() (time.Duration, *failure) {
	var p *struct {
		RetentionPeriod json.Number `json:"retentionPeriod"`
	}
	if s.RetentionPolicy == nil {
		return 0, nil
	}
	if err := json.Unmarshal(s.RetentionPolicy, &p); err != nil {
		return 0, invalid("Parse Error: %v", err)
	}
	if p == nil {
		return 0, nil
	}
	seconds, err := strconv.ParseInt(p.RetentionPeriod.String(), 10, 64)
	if err != nil || seconds <= 0 || seconds > 3155760000 {
		return 0, invalid("The retention period must be between 1 second and 100 years.")
	}
	return time.Duration(seconds) * time.Second, nil
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$`)

// insertBucket is buckets.insert.
func (g *GCP) insertBucket(w http.ResponseWriter, r *http.Request, x *exchange) *failure {
	s, f := readSettings(r)
	if f != nil {
		return f
	}
	x.bucket = s.Name
	period, f := s.period()
	if f != nil {
		return f
	}
	if !bucketName.MatchString(s.Name) {
		return invalid("Invalid bucket name: '%s'", s.Name)
	}
	if f := g.need(x, "storage.buckets.create", ""); f != nil {
		return f
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.buckets[s.Name] != nil {
		return fail(409, "conflict", "Your previous request to create the named bucket succeeded and you already own it.")
	}
	b := &bucketState{Name: s.Name, Metageneration: 1, Created: g.now(), ObjectRetention: x.query.Get("enableObjectRetention") == "true"}
	if period > 0 {
		b.Policy = &policy{Period: period, Effective: g.now()}
	}
	b.Versioning = s.Versioning != nil && s.Versioning.Enabled
	b.DefaultHold = s.DefaultEventBasedHold != nil && *s.DefaultEventBasedHold
	b.Lifecycle = s.Lifecycle
	if err := g.openBucket(b); err != nil {
		return internal(err)
	}
	tell(w, http.StatusOK, g.bucketResource(b))
	return nil
}

func readSettings(r *http.Request) (*bucketSettings, *failure) {
	s := &bucketSettings{}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(s); err != nil {
		return nil, invalid("Parse Error: %v", err)
	}
	return s, nil
}

// bucketPreconditions knows the metageneration only.
func bucketPreconditions(x *exchange, b *bucketState, needed bool) *failure {
	if !x.query.Has("ifMetagenerationMatch") {
		if needed {
			return fail(400, "required", "Required parameter: ifMetagenerationMatch")
		}
		return nil
	}
	if want, err := strconv.ParseInt(x.query.Get("ifMetagenerationMatch"), 10, 64); err != nil || want != b.Metageneration {
		return notMet()
	}
	return nil
}

// patchBucket is buckets.patch: retention policy, versioning, default hold.
func (g *GCP) patchBucket(w http.ResponseWriter, r *http.Request, x *exchange) *failure {
	s, f := readSettings(r)
	if f != nil {
		return f
	}
	period, f := s.period()
	if f != nil {
		return f
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[x.bucket]
	if b == nil {
		return noBucket()
	}
	if f := g.need(x, "storage.buckets.update", ""); f != nil {
		return f
	}
	if f := bucketPreconditions(x, b, false); f != nil {
		return f
	}
	if s.RetentionPolicy != nil {
		switch {
		case b.Policy != nil && b.Policy.Locked && period == 0:
			return fail(403, "retentionPolicyNotMet", "Bucket '%s' has a locked Retention Policy which cannot be removed.", b.Name)
		case b.Policy != nil && b.Policy.Locked && period < b.Policy.Period:
			return fail(403, "retentionPolicyNotMet", "Cannot reduce retention duration of a locked Retention Policy for bucket '%s'.", b.Name)
		case period == 0:
			b.Policy = nil
		default:
			locked := b.Policy != nil && b.Policy.Locked
			b.Policy = &policy{Period: period, Effective: g.now(), Locked: locked}
		}
	}
	if s.Versioning != nil {
		b.Versioning = s.Versioning.Enabled
	}
	if s.DefaultEventBasedHold != nil {
		b.DefaultHold = *s.DefaultEventBasedHold
	}
	if s.Lifecycle != nil {
		b.Lifecycle = s.Lifecycle
	}
	return g.changedBucket(w, b)
}

// lockPolicy is buckets.lockRetentionPolicy.
func (g *GCP) lockPolicy(w http.ResponseWriter, x *exchange) *failure {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[x.bucket]
	if b == nil {
		return noBucket()
	}
	if f := g.need(x, "storage.buckets.update", ""); f != nil {
		return f
	}
	if f := bucketPreconditions(x, b, true); f != nil {
		return f
	}
	if b.Policy == nil {
		return invalid("Bucket '%s' has no retention policy to lock.", b.Name)
	}
	b.Policy.Locked = true
	return g.changedBucket(w, b)
}

func (g *GCP) changedBucket(w http.ResponseWriter, b *bucketState) *failure {
	b.Metageneration++
	if err := g.keepBucket(b); err != nil {
		return internal(err)
	}
	tell(w, http.StatusOK, g.bucketResource(b))
	return nil
}

// testPermissions is buckets.testIamPermissions: of what is granted for some names only it knows nothing.
func (g *GCP) testPermissions(w http.ResponseWriter, x *exchange) *failure {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.buckets[x.bucket] == nil {
		return noBucket()
	}
	granted := []any{}
	for _, p := range x.query["permissions"] {
		if g.Rules.allow(x.who, p, x.bucket, "") {
			granted = append(granted, p)
		}
	}
	tell(w, http.StatusOK, map[string]any{"kind": "storage#testIamPermissionsResponse", "permissions": granted})
	return nil
}
