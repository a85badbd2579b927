// Package walrestore brings one file of PostgreSQL's WAL back from a vault: the work of a restore_command.
//
// What it must never do is say "that file is not there" when it is not sure. PostgreSQL takes every exit code from 1 to
// 125 for the end of the WAL, stops recovery there and promotes, without the rest and without an error ("Archive
// Recovery", restore_command; tried with PostgreSQL 15). So ErrNotThere is the store's own word: its listing was read to
// the end and names no such file. Everything else is tried again, and in the end is another error.
package walrestore
