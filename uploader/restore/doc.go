// Package restore brings a base backup back from a vault into a directory that PostgreSQL can start from.
//
// Of a backup that pgseal sealed it reads exactly the object versions that the sealed manifest names, and holds every
// archive's size and SHA-256 against it: what was added or written over since is reported and never read. A backup of
// barman-cloud's or CloudNativePG's has no manifest; it is found by listing, as barman does.
//
// The order makes every interruption safe. Archives are unpacked by several workers at once; the files at the top of the
// data directory wait beside it, since a later archive's count (barman stores external configuration last) and since
// pg_control comes last of all: without it PostgreSQL refuses to start. Which archives are done is kept in the directory,
// so that the same call goes on where it was interrupted.
package restore
