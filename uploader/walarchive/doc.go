// Package walarchive stores one file of PostgreSQL's WAL in a vault: the work of an archive_command.
//
// It says yes only when the store has the file, and it says yes again when asked again: PostgreSQL repeats its
// archive_command after a lost answer, a kill or a crash, and where nothing can be overwritten, the archive would
// otherwise be stuck until the retention ends ("Continuous Archiving and Point-in-Time Recovery", "Setting Up WAL
// Archiving"). It never replaces anything: other content under the same name is a Conflict.
package walarchive
