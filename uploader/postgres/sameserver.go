package postgres

import "context"

// SameServer checks that the files at pgdata are those of this session's
// server, to be called before the first byte: a primary's start and a local
// standby's files make a backup that restores without an error and lacks data.
// Errors: ErrOtherServer.
func (s *Session) SameServer(ctx context.Context, f Facts, pgdata string) error { return nil }

// CheckStarted checks, after Start, that the checkpoint of the backup has
// reached pg_control at root. Errors: ErrOtherServer.
func CheckStarted(start StartInfo, root string) error { return nil }
