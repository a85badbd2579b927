package cli

import (
	"context"
	"errors"

	"github.com/pgseal/pgseal/uploader/option"
)

// walArchive is "pgseal wal-archive".
func walArchive(context.Context, *option.Values, *Env) error {
	return errors.New("wal-archive is not built yet")
}
