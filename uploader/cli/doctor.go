package cli

import (
	"context"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/doctor"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/store"
)

// examine is "pgseal doctor". Its exit codes are those of a Nagios plugin, as of "audit".
func examine(ctx context.Context, v *option.Values, env *Env) error {
	d, err := doctorOf(ctx, v, env)
	if err != nil {
		return err
	}
	report, err := d.Examine(ctx)
	if err != nil {
		return &exitError{int(catalog.Unknown), err}
	}
	if v.String("format") == "json" {
		err = writeJSON(env.Stdout, report)
	} else {
		err = report.Write(env.Stdout)
	}
	if err != nil {
		return &exitError{int(catalog.Unknown), err}
	}
	switch report.Worst() {
	case doctor.Critical:
		return &exitError{code: int(catalog.Critical)}
	case doctor.Warning:
		return &exitError{code: int(catalog.Warning)}
	}
	return nil
}

func doctorOf(ctx context.Context, v *option.Values, env *Env) (d doctor.Doctor, err error) {
	judge, err := finalizer.ConfigFromEnv(func(name string) string { value, _ := env.Lookup(name); return value })
	if err != nil {
		return d, option.Errorf("%v", err)
	}
	d = doctor.Doctor{
		Server:   v.Arg("SERVER"),
		Postgres: postgres.Options{Host: v.String("host"), Port: v.String("port"), User: v.String("user"), DBName: v.String("dbname")},
		MaxAge:   v.Duration("max-age"), Window: v.Duration("window"),
		MinRetention: judge.MinRetention, Encryption: judge.Encryption, AbandonAfter: judge.AbandonAfter,
		Decompress: codec.Decompress, Now: env.Now,
	}
	for _, name := range []string{"host", "port", "user", "dbname"} {
		d.PostgresNamed = d.PostgresNamed || v.Set(name)
	}
	for _, name := range []string{"PGHOST", "PGHOSTADDR", "PGSERVICE"} {
		_, set := env.Lookup(name)
		d.PostgresNamed = d.PostgresNamed || set
	}
	if err := layout.CheckServer(d.Server); err != nil {
		return d, option.Errorf("%v", err)
	}
	if v.String("staging-url") == "" {
		return d, option.Errorf("--staging-url (or PGSEAL_STAGING_URL) is missing: the place besides the vault where backups are announced")
	}
	if d.Vault, err = openInspector(ctx, v.Arg("URL"), v); err != nil {
		return d, err
	}
	if d.Staging, err = openInspector(ctx, v.String("staging-url"), v); err != nil {
		return d, err
	}
	d.Apart = store.Apart(d.Vault, d.Staging)
	return d, nil
}

func openInspector(ctx context.Context, url string, v *option.Values) (bucket.Inspector, error) {
	b, err := store.Open(ctx, url, v)
	if err != nil {
		return nil, err
	}
	i, ok := b.(bucket.Inspector)
	if !ok {
		return nil, option.Errorf("%s cannot be looked at", url)
	}
	return i, nil
}
