package bucket

import "bytes"

// Bytes is a body for Create that stands in memory. A driver that can send it
// in one request sends it from there, without a copy: nobody may change it
// before Create has returned.
type Bytes struct {
	bytes.Reader
	all []byte
}

// NewBytes returns b as a body.
func NewBytes(b []byte) *Bytes {
	r := &Bytes{all: b}
	r.Reset(b)
	return r
}

// Rest is what was not read yet.
func (b *Bytes) Rest() []byte { return b.all[len(b.all)-b.Len():] }
