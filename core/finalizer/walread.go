package finalizer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// A compressed segment is read in two steps: nearly always its first kilobytes
// suffice, and the largest block of any of the formats is below the second.
const (
	firstRead  = 128 << 10
	secondRead = 16 << 20
)

// readHead gives the first n bytes inside a WAL object, fewer when it has
// fewer or cannot be decompressed; only the store's own failures are errors.
func (c *call) readHead(ctx context.Context, key string, s segment, n int) ([]byte, bucket.Object, error) {
	if s.suffix == "" {
		return c.readPart(ctx, key, s, int64(n), n)
	}
	head, obj, err := c.readPart(ctx, key, s, firstRead, n)
	if err == nil && len(head) < n && obj.Size > firstRead {
		return c.readPart(ctx, key, s, secondRead, n)
	}
	return head, obj, err
}

// decoders is how many compressed parts are unpacked at the same time: a few
// bytes of xz may take a window of 64 MiB, and a function has 256.
const decoders = 2

// readPart gives the first n bytes inside the first length bytes of a WAL
// object. A short part is fetched whole before it waits for a decoder; a long
// one is unpacked as it comes.
func (c *call) readPart(ctx context.Context, key string, s segment, length int64, n int) ([]byte, bucket.Object, error) {
	long := s.suffix != "" && length > firstRead
	if long {
		c.decoding <- struct{}{}
		defer func() { <-c.decoding }()
	}
	body, obj, err := c.Vault.Open(ctx, key, s.version, 0, length)
	if err != nil {
		return nil, obj, err
	}
	defer body.Close()
	source := &sourceErrors{r: body}
	var head []byte
	switch {
	case s.suffix == "":
		head = readUpTo(source, n)
	case long:
		head = c.unpack(s.suffix, source, n)
	default:
		if part := readUpTo(source, int(min(length, obj.Size))); source.err == nil {
			c.decoding <- struct{}{}
			head = c.unpack(s.suffix, bytes.NewReader(part), n)
			<-c.decoding
		}
	}
	if source.err != nil {
		return nil, obj, &bucket.Error{Op: "read", Key: c.Vault.URL() + "/" + key, Kind: bucket.ErrUnavailable, Err: source.err}
	}
	return head, obj, nil
}

// unpack gives the first n bytes that come out of r, fewer when no more do.
func (c *call) unpack(suffix string, r io.Reader, n int) []byte {
	inside, err := c.Decompress(suffix, r)
	if err != nil {
		return nil
	}
	defer inside.Close()
	return readUpTo(inside, n)
}

func readUpTo(r io.Reader, n int) []byte {
	p := make([]byte, n)
	got, _ := io.ReadFull(r, p)
	return p[:got]
}

// sourceErrors keeps the store's failure apart from a decompressor's opinion.
type sourceErrors struct {
	r   io.Reader
	err error
}

func (s *sourceErrors) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// readHistory finds and reads the timeline's history file. What is wrong with
// it is noted in r. Its lock is not looked at: it was archived at the promotion,
// perhaps years ago, and a backup that began after the fork is restored without
// it.
func (c *call) readHistory(ctx context.Context, r *walReport, timeline uint32) (walfile.History, error) {
	name := layout.History(timeline)
	key := layout.WAL(c.server, name, "")
	var found []bucket.Object
	listed := 0
	for obj, err := range c.Vault.List(ctx, key) {
		if err != nil {
			return nil, err
		}
		if plain, _ := layout.SplitWAL(obj.Key); plain == key {
			found = append(found, obj)
		}
		if listed++; listed > strangers {
			r.wrong = append(r.wrong, reason("flood", key, "more than %d objects have a name that begins with it", strangers))
			return nil, nil
		}
	}
	switch len(found) {
	case 0:
		r.missing = append(r.missing, reason("wal-missing", key, "the history file of timeline %d is not archived yet", timeline))
		return nil, nil
	case 1:
	default:
		r.wrong = append(r.wrong, reason("wal-double", key, "it is there in %d compressions, and a restore may take either", len(found)))
		return nil, nil
	}
	_, suffix := layout.SplitWAL(path.Base(found[0].Key))
	text, _, err := c.readPart(ctx, found[0].Key, segment{version: found[0].Version, suffix: suffix}, walfile.MaxHistory+1, walfile.MaxHistory+1)
	if err != nil {
		return nil, err
	}
	history, err := walfile.ParseHistory(timeline, bytes.TrimRight(text, "\x00"))
	if err == nil && history.Begin() > c.manifest.Begin.LSN {
		err = fmt.Errorf("%w: timeline %d begins at %s, after the backup", walfile.ErrFormat, timeline, history.Begin())
	}
	if errors.Is(err, walfile.ErrFormat) {
		r.wrong = append(r.wrong, reason("wal-content", found[0].Key, "%v", err))
		return nil, nil
	}
	return history, err
}
