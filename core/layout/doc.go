// Package layout knows the keys: where barman-cloud's layout puts archives, WAL
// and backup.info, where staging keeps what is pgseal's own, and which names
// are allowed there. All keys are relative to the URL of vault or staging.
package layout
