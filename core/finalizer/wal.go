package finalizer

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/walfile"
)

// walReport is what the WAL gate saw.
type walReport struct {
	WAL
	missing, wrong, retention []Reason
	until                     []time.Time // the ends of retention; zero where the store shows none
	objects                   []bucket.Object
}

// maxNamed is how many missing segments a verdict names.
const maxNamed = 20

// checkWAL is the gate, or the note that this server's WAL is not looked for.
func (c *call) checkWAL(ctx context.Context) (walReport, error) {
	if !c.Config.CheckWAL(c.server) {
		return walReport{}, nil
	}
	return c.lookForWAL(ctx)
}

// lookForWAL looks for every segment from the one that holds the beginning to
// the one that holds the byte before the end, in exactly one form, and reads
// the first page of each.
func (c *call) lookForWAL(ctx context.Context) (walReport, error) {
	m := c.manifest
	size := m.Cluster.SegmentSize
	first, last := m.FirstSegment(), m.LastSegment()
	r := walReport{WAL: WAL{Checked: true, First: first.Name(size), Last: last.Name(size), Segments: int(last.Number - first.Number + 1)}}
	cluster := walfile.Cluster{SystemID: m.Cluster.SystemID, SegmentSize: size, Major: m.Cluster.Version / 10000}
	if first.Timeline > 1 {
		history, err := c.readHistory(ctx, &r, first.Timeline)
		if err != nil || len(r.missing)+len(r.wrong) > 0 {
			return r, err
		}
		cluster.History = history
	}
	found, flooded, err := c.listSegments(ctx, first, last)
	if err != nil {
		return r, err
	}
	if flooded != "" {
		r.wrong = append(r.wrong, reason("flood", flooded, "it holds more objects than any WAL archive does"))
		return r, nil
	}
	for i, s := range found {
		key := layout.WAL(c.server, segmentName(first, i, size), "")
		switch {
		case s.copies == 0:
			if r.Missing++; r.Missing <= maxNamed {
				r.missing = append(r.missing, reason("wal-missing", key, "WAL segment %s is not archived yet: check archive_command and pg_stat_archiver on the server", path.Base(key)))
			}
		case s.copies > 1:
			r.wrong = append(r.wrong, reason("wal-double", key, "it is there in %d compressions, and a restore may take either", s.copies))
		case s.size == 0 || s.suffix == "" && s.size != size:
			r.wrong = append(r.wrong, reason("wal-size", key+s.suffix, "it has %d bytes, and a segment has %d", s.size, size))
		}
	}
	if len(r.missing)+len(r.wrong) > 0 {
		return r, nil
	}
	return r, c.readPages(ctx, &r, cluster, first, found)
}

// segment is what the listing says of one WAL segment.
type segment struct {
	size    int64
	version string
	suffix  string
	copies  int
}

func segmentName(first layout.Segment, i int, size int64) string {
	return layout.Segment{Timeline: first.Timeline, Number: first.Number + uint64(i)}.Name(size)
}

// listSegments lists the directories of the range; found[i] is segment
// first+i. flooded names a directory with too many objects to be listed.
func (c *call) listSegments(ctx context.Context, first, last layout.Segment) (found []segment, flooded string, err error) {
	size := c.manifest.Cluster.SegmentSize
	found = make([]segment, last.Number-first.Number+1)
	perDir := uint64(1<<32) / uint64(size)
	for number := first.Number; number <= last.Number; number = (number/perDir + 1) * perDir {
		dir := layout.SegmentDir(c.server, layout.Segment{Timeline: first.Timeline, Number: number}.Name(size))
		listed := uint64(0)
		for obj, err := range c.Vault.List(ctx, dir) {
			if err != nil {
				return nil, "", err
			}
			if listed++; listed > 8*perDir+1000 {
				return nil, dir, nil
			}
			name, suffix := layout.SplitWAL(strings.TrimPrefix(obj.Key, dir))
			s, err := layout.ParseSegment(name, size)
			if err != nil || s.Timeline != first.Timeline || s.Number < first.Number || s.Number > last.Number {
				continue // .partial, .backup, in a directory below, or outside the range
			}
			at := &found[s.Number-first.Number]
			*at = segment{obj.Size, obj.Version, suffix, at.copies + 1}
		}
	}
	return found, "", nil
}

// readPages reads the beginning of every segment, which also shows its
// retention.
func (c *call) readPages(ctx context.Context, r *walReport, cluster walfile.Cluster, first layout.Segment, found []segment) error {
	type seen struct {
		wrong, retention Reason
		obj              bucket.Object
	}
	all := make([]seen, len(found))
	err := each(ctx, len(found), func(ctx context.Context, i int) error {
		s := layout.Segment{Timeline: first.Timeline, Number: first.Number + uint64(i)}
		key := layout.WAL(c.server, s.Name(cluster.SegmentSize), found[i].suffix)
		head, obj, err := c.readHead(ctx, key, found[i], walfile.HeaderSize)
		if errors.Is(err, bucket.ErrInvalid) { // archived to a slow class, or encrypted with a key of its writer's
			all[i].wrong = reason("unreadable", key, "the store does not let it be read: %v", err)
			return nil
		}
		if err != nil {
			return err
		}
		header, err := walfile.ParseHeader(head)
		if err == nil {
			err = header.Check(cluster, s)
		}
		if err != nil {
			all[i].wrong = reason("wal-content", key, "%v", err)
			return nil
		}
		if !obj.RetentionSeen { // Amazon S3 shows it with the content, versitygw does not
			if obj, err = c.Vault.Stat(ctx, key, obj.Version); err != nil {
				return err
			}
		}
		all[i].obj = obj
		if all[i].wrong = Encrypted(c.Config.Encryption, obj); all[i].wrong.Code != "" {
			return nil
		}
		all[i].retention, err = c.checkRetention(obj)
		return err
	})
	for _, s := range all {
		if s.wrong.Code != "" {
			r.wrong = append(r.wrong, s.wrong)
		}
		if s.retention.Code != "" {
			r.retention = append(r.retention, s.retention)
		}
		r.until, r.objects = append(r.until, s.obj.RetainUntil), append(r.objects, s.obj)
	}
	return err
}

func (c *call) asksRetention() bool {
	return c.manifest.RetainUntil != nil || c.Config.MinRetention > 0
}
