package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/option"
)

// finalize is "pgseal finalize": the finalizer, run by hand with the credentials at hand. It needs no marker. Its exit
// code is that of the verdict; with --all that of the worst one, and 1 when one backup could not be judged at all.
func finalize(ctx context.Context, v *option.Values, env *Env) error {
	server, id, all := v.Arg("SERVER"), v.Arg("ID"), v.Bool("all")
	f, err := handFinalizer(ctx, v, env)
	if err != nil {
		return err
	}
	if !all {
		verdict, err := f.Finalize(ctx, server, id)
		if err != nil {
			return err
		}
		if verdict.State == finalizer.Nothing {
			return nothingToFinalize(f, server, id, verdict)
		}
		return answerVerdicts(v, env, verdict, []finalizer.Verdict{verdict}, nil)
	}
	ids, err := catalog.Pending(ctx, f.Vault, f.Staging, server)
	if err != nil {
		return err
	}
	verdicts := []finalizer.Verdict{} // in JSON an empty list is not null
	var failed []error
	for _, id := range ids {
		verdict, err := f.Finalize(ctx, server, id)
		switch {
		case ctx.Err() != nil:
			return err
		case err != nil:
			failed = append(failed, err)
		case verdict.State == finalizer.Nothing:
			failed = append(failed, nothingToFinalize(f, server, id, verdict))
		default:
			verdicts = append(verdicts, verdict)
		}
	}
	if len(ids) == 0 && v.String("format") != "json" {
		fmt.Fprintf(env.Stdout, "nothing to finalize: every complete backup of %s has its seal\n", server)
	}
	return answerVerdicts(v, env, verdicts, verdicts, errors.Join(failed...))
}

// handFinalizer is the finalizer with the settings that a function takes from its environment.
func handFinalizer(ctx context.Context, v *option.Values, env *Env) (*finalizer.Finalizer, error) {
	server, id, all := v.Arg("SERVER"), v.Arg("ID"), v.Bool("all")
	if err := layout.CheckServer(server); err != nil {
		return nil, option.Errorf("%v", err)
	}
	switch _, err := layout.ParseBackupID(id); {
	case all == (id != ""):
		return nil, option.Errorf("give either the backup's ID or --all")
	case !all && err != nil:
		return nil, option.Errorf("%v", err)
	case v.String("staging-url") == "":
		return nil, option.Errorf("--staging-url (or PGSEAL_STAGING_URL) is missing: the verdict is kept there")
	}
	config, err := finalizer.ConfigFromEnv(func(name string) string { value, _ := env.Lookup(name); return value })
	if err != nil {
		return nil, option.Errorf("%v", err)
	}
	vault, staging, err := openForReading(ctx, v)
	if err != nil {
		return nil, err
	}
	return newFinalizer(env, vault, staging, config), nil
}

// nothingToFinalize says what is missing.
func nothingToFinalize(f *finalizer.Finalizer, server, id string, v finalizer.Verdict) error {
	why := ""
	for _, r := range v.Reasons {
		why = ": " + r.Text
		break
	}
	return fmt.Errorf("there is nothing to finalize for %s of %s: the vault has no %s%s; the upload still runs, failed, or went elsewhere: "+
		"pgseal status --staging-url %s %s %s shows which", id, server, layout.Manifest(server, id), why, f.Staging.URL(), f.Vault.URL(), server)
}

// answerVerdicts prints the verdicts, as JSON whole, and turns them into an exit code.
func answerVerdicts(v *option.Values, env *Env, whole any, verdicts []finalizer.Verdict, failed error) error {
	if v.String("format") == "json" {
		if err := writeJSON(env.Stdout, whole); err != nil {
			return err
		}
	} else {
		for _, verdict := range verdicts {
			if err := catalog.WriteVerdict(env.Stdout, verdict); err != nil {
				return err
			}
		}
	}
	if failed != nil {
		return failed
	}
	code := exitOK
	for _, verdict := range verdicts {
		code = max(code, verdictCode(verdict.State))
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// verdictCode: the worse the verdict, the higher the code.
func verdictCode(s finalizer.State) int {
	switch s {
	case finalizer.Sealed:
		return exitOK
	case finalizer.Waiting:
		return exitWaiting
	case finalizer.Rejected:
		return exitRejected
	case finalizer.Conflict:
		return exitConflict
	}
	return exitFailed
}
