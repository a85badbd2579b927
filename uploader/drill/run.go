package drill

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/manifest"
	"github.com/pgseal/pgseal/core/proof"
	"github.com/pgseal/pgseal/uploader/restore"
)

// Run holds a drill, and keeps its proof in staging. The proof says whether the backup came back. An error means that the
// drill could not be held, or its proof not be kept; the proof is then not to be believed.
//
// Errors: restore.ErrNoBackup, ErrPrograms, ErrRoom, ErrScratch, ErrConnect; else what the store (bucket's kinds) or the
// file system said.
func Run(ctx context.Context, c Config) (p proof.Proof, err error) {
	h := &held{Config: c, proof: proof.Proof{
		Format: 1, Server: c.Server, Outcome: proof.Passed, Host: c.Host, Build: c.Build, Begin: c.Now().UTC().Truncate(time.Second),
	}}
	err = h.hold(ctx)
	if ctx.Err() != nil { // whatever else it looks like
		return h.proof, fmt.Errorf("the drill was broken off: %w", context.Cause(ctx))
	}
	var bad *failure
	if err != nil && !errors.As(err, &bad) {
		return h.proof, err
	}
	h.proof.End = c.Now().UTC().Truncate(time.Second)
	if c.Staging == nil {
		c.Log.Warn("no proof of the drill is kept: no staging was named")
		return h.proof, nil
	}
	return h.proof, h.keep(ctx)
}

// keep puts the proof in the place of what the last drill of this backup left.
func (h *held) keep(ctx context.Context) error {
	body, err := h.proof.Encode()
	if err != nil {
		return err
	}
	if _, err := h.Staging.Put(ctx, layout.Drill(h.Server, h.proof.BackupID), body); err != nil {
		return fmt.Errorf("the drill has %s, and its proof cannot be kept in staging: %w", h.proof.Outcome, err)
	}
	return nil
}

// held is one drill that is held.
type held struct {
	Config
	proof    proof.Proof
	backup   restore.Result
	programs Programs
	scratch  *scratch
	server   *server
}

// hold goes through the steps and cleans up.
func (h *held) hold(ctx context.Context) error {
	var err error
	h.backup, err = restore.Inspect(ctx, h.restoring())
	if h.backup.ID == "" {
		return err
	}
	h.proof.BackupID, h.Backup = h.backup.ID, h.backup.ID
	if err := h.mayProve(ctx); err != nil {
		return err
	}
	if err != nil {
		return h.step(proof.Restore, func() (string, error) { return "", broken(err) })
	}
	h.proof.ManifestSHA256, h.proof.Archives, h.proof.Bytes = h.backup.Manifest, h.backup.Archives, h.backup.Bytes
	if h.programs, err = h.findPrograms(ctx); err != nil {
		return err
	}
	if h.scratch, err = makeScratch(h.Scratch, h.Server, h.Log); err != nil {
		return err
	}
	defer func() { h.scratch.end(h.Keep, h.Log) }()
	if err := h.roomy(ctx); err != nil {
		return err
	}
	if err := h.step(proof.Restore, func() (string, error) { return "", h.restore(ctx) }); err != nil {
		return err
	}
	if err := h.step(proof.Verify, func() (string, error) { return h.verify(ctx) }); err != nil {
		return err
	}
	defer func() {
		if h.server != nil {
			h.server.stop(ctx.Err() != nil)
		}
	}()
	for _, s := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{{proof.Recover, h.recover}, {proof.Check, h.amcheck}, {proof.Query, h.query}} {
		if err := h.step(s.name, func() (string, error) { return s.do(ctx) }); err != nil {
			return h.blame(ctx, err)
		}
	}
	return nil
}

// skip is the end of a step that was not done.
type skip struct{ why string }

func (s *skip) Error() string { return s.why }

// step does one step, and writes down how it ended, unless that says nothing of the backup.
func (h *held) step(name string, do func() (string, error)) error {
	h.Log.Info("drill", "server", h.Server, "backup_id", h.proof.BackupID, "step", name)
	began := h.Now()
	text, err := do()
	s := proof.Step{Name: name, Outcome: proof.Passed, Took: max(0, h.Now().Sub(began).Milliseconds()), Text: text}
	var bad *failure
	var skipped *skip
	switch {
	case errors.As(err, &skipped):
		s.Outcome, s.Took, s.Text, err = proof.Skipped, 0, skipped.why, nil
	case errors.As(err, &bad):
		s.Outcome, s.Text, h.proof.Outcome = proof.Failed, bad.text, proof.Failed
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	h.proof.Steps = append(h.proof.Steps, s)
	return err
}

// blame asks, of a failure after the server was started, whether the store still answers: a restore_command without an
// answer ends a recovery as a missing segment does.
func (h *held) blame(ctx context.Context, err error) error {
	var bad *failure
	if !errors.As(err, &bad) {
		return err
	}
	_, statErr := h.Vault.Stat(ctx, layout.BackupInfo(h.Server, h.proof.BackupID), "")
	if statErr != nil && (bucket.Retryable(statErr) || errors.Is(statErr, bucket.ErrDenied)) {
		return fmt.Errorf("the server failed (%s), and the vault does not answer: %w", bad.text, statErr)
	}
	return err
}

// mayProve asks staging whether it would take a proof, before anything is fetched.
func (h *held) mayProve(ctx context.Context) error {
	if h.Staging == nil {
		return nil
	}
	err := h.Staging.CheckCreate(ctx, layout.Drill(h.Server, h.proof.BackupID))
	if err != nil && !errors.Is(err, bucket.ErrExists) {
		return fmt.Errorf("staging takes no proof from these credentials, which need those that restore: %w", err)
	}
	return nil
}

// restoring is the restore of the drill.
func (h *held) restoring() restore.Config {
	c := restore.Config{
		Vault: h.Vault, Server: h.Server, Backup: h.Backup, Tablespaces: map[string]string{}, NoSync: true, Jobs: h.Jobs,
		Progress: h.Progress, Now: h.Now, Log: h.Log,
		Recovery: &restore.Recovery{Command: h.Command}, Target: restore.Target{Immediate: !h.EndOfWAL},
	}
	if h.scratch == nil {
		return c
	}
	c.Dir = h.scratch.data()
	for _, t := range h.backup.Info.Tablespaces {
		c.Tablespaces[t.Name] = filepath.Join(h.scratch.dir, "tablespaces", fmt.Sprint(t.OID))
	}
	return c
}

func (h *held) restore(ctx context.Context) error {
	r, err := restore.Run(ctx, h.restoring())
	h.proof.Notes = r.Notes
	if err != nil {
		return broken(err)
	}
	h.proof.Restored, err = sizeOf(h.scratch.dir)
	return err
}

// broken makes a failure of what says that the backup is broken.
func broken(err error) error {
	for _, kind := range []error{restore.ErrDamaged, restore.ErrRefused, restore.ErrTarget} {
		if errors.Is(err, kind) {
			return &failure{err.Error()}
		}
	}
	return err
}

// roomy compares what the files will take with what is free. The heartbeat of the backup knows how much was read, as long as
// staging remembers it; else it is estimated.
func (h *held) roomy(ctx context.Context) error {
	need := h.backup.Room
	if h.Staging != nil {
		if beat, err := manifest.ReadProgress(ctx, h.Staging, h.Server, h.proof.BackupID); err == nil {
			need = max(h.backup.Bytes/squeezable, beat.Total, beat.Bytes)
		}
	}
	need += forWAL
	free, known, err := freeIn(h.scratch.dir)
	if err != nil {
		return err
	}
	if known && free < need {
		return fmt.Errorf("%w: the restored files of backup %s need about %d MiB, and %s has %d MiB free; make room, or name another place with --scratch-directory",
			ErrRoom, h.proof.BackupID, need>>20, h.Scratch, free>>20)
	}
	return nil
}

const (
	// forWAL is what PostgreSQL may make of WAL by itself (settings).
	forWAL = 128 << 20
	// squeezable: archives are never that much larger than their files.
	squeezable = 2
)

// sizeOf is what all files below dir have.
func sizeOf(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}
