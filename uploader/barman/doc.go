// Package barman reads a vault as barman-cloud's commands do, and says what they say: barman-cloud-backup-list, -show and
// -check-wal-archive, byte for byte on the console and field for field in JSON (barman 3.4, Debian 12, and what newer
// ones up to 3.17 add to JSON). What pgseal adds of its own stands in package catalog.
package barman
