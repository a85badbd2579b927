package manifest

import (
	"bytes"
	"fmt"
)

// maxSpare is how much of anything a manifest may have besides its objects:
// more than a thousand tablespaces and included files, and what stands in the
// names of either.
const maxSpare = 20_000

// countable refuses a body that would decode to more values than any manifest
// has: "[{},{},...]" takes thirty times its length of memory, and the finalizer
// dies of it before Check can count the objects. Characters inside strings are
// counted with the others, which is why the bounds are wide.
func countable(encoded []byte) error {
	objects := bytes.Count(encoded, []byte("{"))
	for _, c := range []struct {
		what        string
		have, limit int
	}{
		{"objects", objects, MaxObjects + maxSpare},
		{"values", bytes.Count(encoded, []byte(",")), 8*objects + maxSpare}, // an Object has six, and the comma after it
		{"nulls", bytes.Count(encoded, []byte("null")), maxSpare},
	} {
		if c.have > c.limit {
			return fmt.Errorf("manifest: %w: %d %s, and at most %d are read", ErrFormat, c.have, c.what, c.limit)
		}
	}
	return nil
}
