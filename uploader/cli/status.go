package cli

import (
	"context"
	"errors"

	"github.com/pgseal/pgseal/uploader/option"
)

// status is "pgseal status".
func status(context.Context, *option.Values, *Env) error {
	return errors.New("status is not built yet")
}
