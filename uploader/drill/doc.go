// Package drill proves that a backup comes back: it restores it into a scratch directory, starts PostgreSQL there, looks,
// and removes everything again.
//
// The server is alone. It has a configuration of its own and none of the backup's, listens on a socket in the scratch
// directory and nowhere else, archives nothing, streams from nobody, loads no library, and runs no background job that could
// reach another server: no subscription, no extension's worker, no autovacuum.
//
// A drill that finds the backup wanting ends in a proof that says so. One that cannot be held (no room, no programs,
// a store without an answer, a signal) ends in an error, says nothing of the backup, and leaves no proof.
package drill
