package cli

import (
	"context"
	"errors"

	"github.com/pgseal/pgseal/uploader/option"
)

// backup is "pgseal backup".
func backup(context.Context, *option.Values, *Env) error {
	return errors.New("backup is not built yet")
}
