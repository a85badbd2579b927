package cli

import (
	"context"
	"errors"

	"github.com/pgseal/pgseal/uploader/option"
)

// finalize is "pgseal finalize".
func finalize(context.Context, *option.Values, *Env) error {
	return errors.New("finalize is not built yet")
}
