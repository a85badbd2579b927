// Command pgseal is the host side of pgseal: it takes base backups, archives WAL, shows what there is, and can seal by
// hand. Called as barman-cloud-backup or barman-cloud-wal-archive it is that command.
package main

import (
	"os"

	"github.com/pgseal/pgseal/uploader/cli"
)

func main() { os.Exit(cli.Main(os.Args)) }
