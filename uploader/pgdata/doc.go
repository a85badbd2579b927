// Package pgdata reads the files of a running PostgreSQL cluster: which of
// them belong in a base backup, in which order, and how a file is read that
// the server changes, truncates or removes at the same moment.
//
// A backup goes like this:
//
//	plan, err := pgdata.NewPlan(options)   // after pg_backup_start
//	totals, err := plan.Survey(ctx)        // refuses what cannot be copied, before the first byte
//	for _, archive := range plan.Archives {
//		err := plan.Walk(ctx, archive, func(e pgdata.Entry) error {
//			// Dir: one tar header. Regular: f, err := pgdata.Open(e), a header of
//			// f.Size bytes, io.Copy(tar, f), f.Done()
//		})
//	}
//	raw, control, err := pgdata.ReadControl(plan.Root)   // after every file is closed, before pg_backup_stop
//
// The set of files is what pg_basebackup takes (PostgreSQL 13 to 18,
// basebackup.c), minus the deviations declared in exclude.go, in the layout of
// barman-cloud: tar names relative to PGDATA or to the tablespace, no links,
// no special files, no tablespace_map.
package pgdata
