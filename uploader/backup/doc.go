// Package backup takes one base backup: from the questions asked before the
// first byte, through the workers that read, compress and send, to the manifest
// in the vault and the marker in staging that wakes the finalizer.
//
// It never writes backup.info into the vault: that is the finalizer's. On any
// failure the backup in PostgreSQL is ended, no upload stays open, and
// backup.info in staging says FAILED and why. A process that was killed leaves
// STARTED there, and a heartbeat that grows old.
package backup
