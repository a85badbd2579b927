//go:build !linux

package filebucket_test

import (
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

func denied(t *testing.T) bucket.Bucket {
	t.Skip("only Linux lets one thread be somebody else")
	return nil
}
