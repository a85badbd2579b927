package cli

import (
	"context"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/store"
)

// auditCatalogue is "pgseal audit". Its exit codes are those of a Nagios plugin, as of "status --check".
func auditCatalogue(ctx context.Context, v *option.Values, env *Env) error {
	config, err := finalizer.ConfigFromEnv(func(name string) string { value, _ := env.Lookup(name); return value })
	if err != nil {
		return option.Errorf("%v", err)
	}
	a := audit.Auditor{Server: v.Arg("SERVER"), Encryption: config.Encryption, Decompress: codec.Decompress, Now: env.Now}
	if err := layout.CheckServer(a.Server); err != nil {
		return option.Errorf("%v", err)
	}
	if a.Vault, err = store.Open(ctx, v.Arg("URL"), v); err != nil {
		return err
	}
	report, err := a.Audit(ctx)
	if err != nil {
		return &exitError{int(catalog.Unknown), err}
	}
	if v.String("format") == "json" {
		err = writeJSON(env.Stdout, report)
	} else {
		err = catalog.WriteAudit(env.Stdout, report)
	}
	if err != nil {
		return &exitError{int(catalog.Unknown), err}
	}
	switch report.Worst() {
	case audit.Critical:
		return &exitError{code: int(catalog.Critical)}
	case audit.Warning:
		return &exitError{code: int(catalog.Warning)}
	}
	return nil
}
