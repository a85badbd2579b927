package membucket

import (
	"context"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// Remover is the deleting side of b, for somebody who has the right to.
func Remover(b *Bucket) bucket.Remover { return remover{b} }

type remover struct{ b *Bucket }

// seen finds what o describes.
func (r remover) seen(o bucket.Object) (*version, error) {
	s := r.b.s
	if s.o.Denied {
		return nil, s.fail("remove", o.Key, bucket.ErrDenied, "403 AccessDenied")
	}
	for _, v := range s.objects[o.Key] {
		switch {
		case v.obj.Version != o.Version:
		case o.Version == "" && v.obj.ETag != o.ETag:
			return nil, s.fail("remove", o.Key, bucket.ErrDiffers, "412 ConditionNotMet")
		default:
			return v, nil
		}
	}
	return nil, s.fail("remove", o.Key, bucket.ErrNotFound, "404")
}

func (r remover) retained(v *version) error {
	if v.obj.DeleteMarker || !r.b.s.retained(v) {
		return nil
	}
	return r.b.s.fail("remove", v.obj.Key, bucket.ErrRetained, "until "+v.obj.RetainUntil.UTC().Format(time.RFC3339))
}

// Removable as the interface says.
func (r remover) Removable(ctx context.Context, o bucket.Object) error {
	return r.b.do(ctx, Call{"removable", o.Key}, func() error {
		v, err := r.seen(o)
		if err != nil {
			return err
		}
		return r.retained(v)
	})
}

// Remove as the interface says.
func (r remover) Remove(ctx context.Context, o bucket.Object) error {
	return r.b.do(ctx, Call{"remove", o.Key}, func() error {
		v, err := r.seen(o)
		if err == nil {
			err = r.retained(v)
		}
		if err == nil {
			r.b.s.remove(o.Key, v)
		}
		return err
	})
}

// Hide as the interface says.
func (r remover) Hide(ctx context.Context, key string) error {
	return r.b.do(ctx, Call{"hide", key}, func() error {
		s := r.b.s
		switch {
		case s.o.Personality != S3:
			return s.fail("hide", key, bucket.ErrInvalid, "there are no delete markers")
		case s.o.Denied:
			return s.fail("hide", key, bucket.ErrDenied, "403 AccessDenied")
		}
		s.hide(key)
		return nil
	})
}
