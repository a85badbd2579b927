package localgcp

import (
	"net/url"
	"strconv"
)

// preconditions holds the four parameters of a request against an object, nil where none is live. GCS asks for a
// metageneration of something that is not there in vain.
func preconditions(query url.Values, o *object) *failure {
	var generation, metageneration int64
	if o != nil {
		generation, metageneration = o.Generation, o.Metageneration
	}
	for _, c := range []struct {
		name  string
		value int64
		not   bool
		needs bool // an object
	}{
		{"ifGenerationMatch", generation, false, false},
		{"ifGenerationNotMatch", generation, true, false},
		{"ifMetagenerationMatch", metageneration, false, true},
		{"ifMetagenerationNotMatch", metageneration, true, true},
	} {
		if !query.Has(c.name) {
			continue
		}
		want, err := strconv.ParseInt(query.Get(c.name), 10, 64)
		if err != nil || want < 0 {
			return invalid("Invalid value for %s: %q", c.name, query.Get(c.name))
		}
		if c.needs && o == nil || (want == c.value) == c.not {
			if c.not && o != nil {
				return fail(304, "notModified", "Not Modified")
			}
			return notMet()
		}
	}
	return nil
}
