package localgcp

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// unit is what a session keeps: chunks but the last are a multiple of it.
const unit = 256 << 10

// session is an upload in several requests. Its address is its key: whoever has it may send (and sends a token, as a
// rule, which is not looked at).
type session struct {
	id    string
	x     exchange // that opened it
	about description

	mu        sync.Mutex // one request at a time
	in        *incoming
	made      *object // once it is finished
	cancelled bool
}

// begin opens a session.
func (g *GCP) begin(w http.ResponseWriter, r *http.Request, x *exchange) *failure {
	about := description{}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&about); err != nil && !errors.Is(err, io.EOF) {
		return invalid("Parse error in the object's description: %v", err)
	}
	if about.ContentType == "" {
		about.ContentType = r.Header.Get("X-Upload-Content-Type")
	}
	f := g.mayInsert(x, &about)
	if f == nil {
		about.customerKey, f = customerKey(r)
	}
	if f != nil {
		return f
	}
	if g.config.EarlyRefusal {
		g.mu.Lock()
		f := g.mayReplace(g.buckets[x.bucket], x, about.Name, x.query)
		g.mu.Unlock()
		if f != nil {
			return f
		}
	}
	in, err := g.newIncoming(x.bucket)
	if err != nil {
		return internal(err)
	}
	s := &session{id: rand.Text(), x: *x, about: about, in: in}
	g.mu.Lock()
	g.sessions[s.id] = s
	g.mu.Unlock()
	w.Header().Set("X-GUploader-UploadID", s.id)
	w.Header().Set("Location", fmt.Sprintf("%s/upload/storage/v1/b/%s/o?uploadType=resumable&name=%s&upload_id=%s", g.Endpoint, x.bucket, escape(about.Name), s.id))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

// at is the session of a request.
func (g *GCP) at(id string) *session {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sessions[id]
}

var contentRange = regexp.MustCompile(`^bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)$`)

// send takes a chunk, or tells what has arrived.
func (g *GCP) send(w http.ResponseWriter, r *http.Request, s *session) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.cancelled:
		return fail(http.StatusGone, "uploadCancelled", "The upload session has ended.")
	case s.made != nil: // also when the last chunk comes once more, as its answer was lost
		g.tellObject(w, &s.x, s.made)
		return nil
	}
	m := contentRange.FindStringSubmatch(r.Header.Get("Content-Range"))
	if m == nil {
		return invalid("Failed to parse Content-Range header.")
	}
	last, total := m[3] != "*", int64(-1)
	if last {
		total, _ = strconv.ParseInt(m[3], 10, 64)
	}
	if m[1] != "" {
		from, _ := strconv.ParseInt(m[1], 10, 64)
		to, _ := strconv.ParseInt(m[2], 10, 64)
		if f := s.take(r.Body, from, to, last); f != nil {
			return f
		}
	}
	if !last || s.in.size < total {
		s.incomplete(w, r)
		return nil
	}
	if s.in.size > total {
		return invalid("The upload has more bytes (%d) than its total size (%d).", s.in.size, total)
	}
	var o *object
	f := sumsMatch(s.in, said(r, "crc32c"), said(r, "md5"))
	if f == nil {
		o, f = g.finalize(&s.x, &s.about, s.in, s.x.query)
	}
	if f != nil { // it cannot come to anything any more
		g.end(s)
		return f
	}
	s.made = o
	_ = s.in.Close()
	g.tellObject(w, &s.x, o)
	return nil
}

// take appends a chunk. What has been kept already is ignored; of a chunk that is not the last, or breaks off, whole
// units are kept.
func (s *session) take(body io.Reader, from, to int64, last bool) *failure {
	if from > s.in.size {
		return invalid("Invalid request. According to the Content-Range header, the upload offset is %d byte(s), which exceeds already uploaded size of %d byte(s).", from, s.in.size)
	}
	length := to - from + 1
	if _, err := io.CopyN(io.Discard, body, min(s.in.size-from, length)); err != nil {
		panic(http.ErrAbortHandler)
	}
	left := to + 1 - s.in.size
	for buf := make([]byte, unit); left > 0; {
		n, err := io.ReadFull(body, buf[:min(left, unit)])
		whole := n == unit || last && err == nil
		if whole {
			if _, err := s.in.add(bytes.NewReader(buf[:n])); err != nil {
				return internal(err)
			}
		}
		if err != nil {
			panic(http.ErrAbortHandler) // it broke off
		}
		left -= int64(n)
		if !whole {
			break
		}
	}
	return nil
}

// incomplete is 308, with what has arrived; clients that cannot take it ask for another status.
func (s *session) incomplete(w http.ResponseWriter, r *http.Request) {
	if s.in.size > 0 {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", s.in.size-1))
	}
	w.Header().Set("X-GUploader-UploadID", s.id)
	w.Header().Set("Content-Length", "0")
	if r.Header.Get("X-GUploader-No-308") == "yes" {
		w.Header().Set("X-Http-Status-Code-Override", "308")
		w.WriteHeader(http.StatusOK)
		return
	}
	w.WriteHeader(http.StatusPermanentRedirect)
}

// said is a sum in the header x-goog-hash: crc32c=...,md5=...
func said(r *http.Request, kind string) string {
	for _, line := range r.Header.Values("X-Goog-Hash") {
		for one := range strings.SplitSeq(line, ",") {
			if value, ok := strings.CutPrefix(strings.TrimSpace(one), kind+"="); ok {
				return value
			}
		}
	}
	return ""
}

// cancel ends a session: 499, as the documentation says.
func (g *GCP) cancel(w http.ResponseWriter, s *session) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		g.end(s)
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(499)
	return nil
}

// end throws away what has arrived.
func (g *GCP) end(s *session) {
	s.cancelled = true
	s.in.drop()
}

// open tells whether the session is neither finished nor ended.
func (s *session) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made == nil && !s.cancelled
}
