package store

import (
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/azurebucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/bucket/gcsbucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/uploader/option"
)

// Remover is the deleting side of what Open has opened, for backup-keep and backup-delete alone: a test looks that nobody
// else calls it.
func Remover(b bucket.Bucket) (bucket.Remover, error) {
	switch b := b.(type) {
	case *filebucket.Bucket:
		return filebucket.Remover(b), nil
	case *s3bucket.Bucket:
		return s3bucket.Remover(b), nil
	case *gcsbucket.Bucket:
		return gcsbucket.Remover(b), nil
	case *azurebucket.Bucket:
		return azurebucket.Remover(b), nil
	}
	return nil, option.Errorf("%s: nothing can be deleted there", b.URL())
}
