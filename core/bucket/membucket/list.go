package membucket

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/pgseal/pgseal/core/bucket"
)

// List as the interface says.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return b.pages(ctx, Call{"list", prefix}, func(s *Store, key string) []bucket.Object {
		if v := s.current(key); v != nil {
			return []bucket.Object{s.shown(v, false)}
		}
		return nil
	})
}

// ListVersions as the interface says.
func (b *Bucket) ListVersions(ctx context.Context, prefix string) iter.Seq2[bucket.Object, error] {
	return b.pages(ctx, Call{"versions", prefix}, func(s *Store, key string) []bucket.Object {
		var all []bucket.Object
		for _, v := range slices.Backward(s.objects[key]) {
			all = append(all, s.shown(v, true))
		}
		return all
	})
}

// Dirs as the interface says.
func (b *Bucket) Dirs(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		names, err := b.dirs(ctx, prefix)
		if err != nil {
			yield("", err)
			return
		}
		for _, name := range names {
			if !yield(name, nil) {
				return
			}
		}
	}
}

// dirs asks for all pages at once: a program sees no more of it.
func (b *Bucket) dirs(ctx context.Context, prefix string) (names []string, err error) {
	err = b.do(ctx, Call{"dirs", prefix}, func() error {
		at, _ := slices.BinarySearch(b.s.keys, prefix)
		for _, key := range b.s.keys[at:] {
			rest, ok := strings.CutPrefix(key, prefix)
			if !ok {
				break
			}
			name, _, dir := strings.Cut(rest, "/")
			if dir && b.s.current(key) != nil && (len(names) == 0 || names[len(names)-1] != name) {
				names = append(names, name)
			}
		}
		return nil
	})
	return names, err
}

// pages lists page by page, each a request.
func (b *Bucket) pages(ctx context.Context, c Call, of func(*Store, string) []bucket.Object) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		var rest []bucket.Object // of a stale listing: what was there when it began
		after, more, first := "", true, true
		for more {
			var page []bucket.Object
			err := b.do(ctx, c, func() error {
				if b.stale && !first {
					page, rest, more = cutPage(rest, b.s.o.Page)
					return nil
				}
				all, limit := b.after(c.Key, after, of)
				if b.stale {
					all, _ = b.after(c.Key, "", of)
					limit = b.s.o.Page
				}
				page, rest, more = cutPage(all, limit)
				return nil
			})
			if err != nil {
				yield(bucket.Object{}, err)
				return
			}
			first = false
			for _, obj := range page {
				after = obj.Key
				if !yield(obj, nil) {
					return
				}
			}
		}
	}
}

// after gives the entries of the keys behind one; versions of one key are never
// on two pages.
func (b *Bucket) after(prefix, key string, of func(*Store, string) []bucket.Object) (all []bucket.Object, limit int) {
	from := max(prefix, key)
	at, _ := slices.BinarySearch(b.s.keys, from)
	for _, k := range b.s.keys[at:] {
		if !strings.HasPrefix(k, prefix) {
			break
		}
		if key != "" && k <= key {
			continue
		}
		if len(all) > b.s.o.Page && !b.stale {
			break
		}
		all = append(all, of(b.s, k)...)
		if len(all) <= b.s.o.Page {
			limit = len(all)
		}
	}
	return all, max(limit, min(len(all), 1))
}

func cutPage(all []bucket.Object, limit int) (page, rest []bucket.Object, more bool) {
	if limit <= 0 || limit >= len(all) {
		return all, nil, false
	}
	for limit < len(all) && all[limit].Key == all[limit-1].Key {
		limit++
	}
	return all[:limit], all[limit:], limit < len(all)
}
