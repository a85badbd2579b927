package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/option"
	"github.com/pgseal/pgseal/uploader/store"
)

// status is "pgseal status". Only --check has exit codes for what it finds; otherwise 0 means that it could be read.
func status(ctx context.Context, v *option.Values, env *Env) error {
	asJSON := v.String("format") == "json"
	switch {
	case v.Bool("check") && asJSON:
		return option.Errorf("--check writes one line: leave --format json out")
	case !v.Bool("check") && (v.Set("max-age") || v.Set("max-wal-age") || v.Set("max-drill-age")):
		return option.Errorf("--max-age, --max-wal-age and --max-drill-age go with --check")
	case v.Set("prometheus") && (v.Bool("check") || asJSON):
		return option.Errorf("--prometheus writes a file and nothing else: leave --check and --format json out")
	case v.Set("prometheus") && v.String("staging-url") == "":
		return option.Errorf("--prometheus needs --staging-url: without verdicts and findings, zeros would say that all is well")
	case v.Set("prometheus"):
		if err := checkTextfile(v.String("prometheus")); err != nil {
			return err
		}
	}
	r, err := statusReader(ctx, v, env)
	if err != nil {
		return err
	}
	c, err := r.Read(ctx)
	switch {
	case v.Bool("check"):
		return answerCheck(ctx, v, env, c, err)
	case err != nil:
		return err // an older file of --prometheus stays: its own time says how old it is
	case v.Set("prometheus"):
		return writeTextfile(v.String("prometheus"), c)
	case asJSON:
		return writeJSON(env.Stdout, c)
	}
	return c.Write(env.Stdout)
}

// answerCheck writes the one line of a Nagios plugin; its exit code says the rest.
func answerCheck(ctx context.Context, v *option.Values, env *Env, c *catalog.Catalog, err error) error {
	severity, line := catalog.Unknown, ""
	switch {
	case err == nil:
		severity, line = c.Check(v.Duration("max-age"), v.Duration("max-wal-age"), v.Duration("max-drill-age"))
	case ctx.Err() != nil:
		line = "PGSEAL UNKNOWN - " + context.Cause(ctx).Error()
	default:
		line = "PGSEAL UNKNOWN - " + strings.ReplaceAll(oneLine(err.Error()), "|", "/")
	}
	if _, err := fmt.Fprintln(env.Stdout, line); err != nil {
		return &exitError{int(catalog.Unknown), err}
	}
	if severity == catalog.OK {
		return nil
	}
	return &exitError{code: int(severity)}
}

func statusReader(ctx context.Context, v *option.Values, env *Env) (r catalog.Reader, err error) {
	r = catalog.Reader{
		Server: v.Arg("SERVER"), Now: env.Now, Flags: storeFlags(v, env), Decompress: codec.Decompress,
	}
	if err := layout.CheckServer(r.Server); err != nil {
		return r, option.Errorf("%v", err)
	}
	if r.AbandonAfter, err = abandonAfter(env); err != nil {
		return r, err
	}
	r.Vault, r.Staging, err = openForReading(ctx, v)
	return r, err
}

func abandonAfter(env *Env) (time.Duration, error) {
	text, _ := env.Lookup(finalizer.EnvAbandonAfter)
	if text == "" {
		return finalizer.DefaultAbandonAfter, nil
	}
	d, err := option.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, option.Errorf("%s: %q is no duration like 30m or 2h", finalizer.EnvAbandonAfter, text)
	}
	return d, nil
}

// openForReading opens the vault and, when it is named, staging, and makes neither.
func openForReading(ctx context.Context, v *option.Values) (vault, staging bucket.Bucket, err error) {
	if vault, err = store.Open(ctx, v.Arg("URL"), v); err != nil {
		return nil, nil, err
	}
	if v.String("staging-url") == "" {
		return vault, nil, nil
	}
	if staging, err = store.Open(ctx, v.String("staging-url"), v); err != nil {
		return nil, nil, err
	}
	return vault, staging, store.Apart(vault, staging)
}

// storeFlags are the options with which another command reaches the same stores, for pgseal and barman-cloud alike. The
// endpoint is named even if it comes from the environment: older SDKs do not look there (boto3 from 1.28 on does).
func storeFlags(v *option.Values, env *Env) (flags []string) {
	endpoint := v.String("endpoint-url")
	if endpoint == "" && strings.HasPrefix(v.Arg("URL"), "s3:") {
		endpoint, _ = env.Lookup("AWS_ENDPOINT_URL_S3")
	}
	for _, f := range [][2]string{{"--endpoint-url", endpoint}, {"-P", v.String("aws-profile")}, {"--azure-credential", v.String("azure-credential")}} {
		if f[1] != "" {
			flags = append(flags, f[0], f[1])
		}
	}
	return flags
}

func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
