package body

import "fmt"

// Sizes says how long parts may be. They stay alike, and so does the memory for
// them, up to number GrowAfter; those that are left double with every GrowEvery,
// for a body that turned out longer than expected. Who knows the length begins
// with length/GrowAfter.
type Sizes struct {
	Parts     int   // at most
	Max       int64 // bytes of one part
	GrowAfter int
	GrowEvery int
	Word      string // the store's word for a part, in the plural
}

// Of is the length of part number n (from 1) of a body that began with parts of
// the given length. An error says what to do instead.
func (s Sizes) Of(first int64, n int) (int64, error) {
	if n > s.Parts {
		return 0, &tooLongError{s, first}
	}
	if n <= s.GrowAfter {
		return first, nil
	}
	return max(first, min(first<<((n-s.GrowAfter+s.GrowEvery-1)/s.GrowEvery), s.Max)), nil
}

// tooLongError: no part may follow the last one.
type tooLongError struct {
	Sizes
	first int64
}

func (e *tooLongError) Error() string {
	return fmt.Sprintf("longer than %d %s hold that begin with %d bytes: raise the part size or make smaller objects", e.Parts, e.Word, e.first)
}
