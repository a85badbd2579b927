package option

import "github.com/pgseal/pgseal/codec"

var postgres = []Option{
	{
		Name: "host", Short: "h", Metavar: "HOST", in: backup | doctor, Group: groupPostgres,
		Help: "PostgreSQL's host or the directory of its socket (default: as libpq, PGHOST)",
	}, {
		Name: "port", Short: "p", Metavar: "PORT", in: backup | doctor, Group: groupPostgres,
		Help: "PostgreSQL's port (default: as libpq, PGPORT)",
	}, {
		Name: "user", Short: "U", Metavar: "USER", in: backup | doctor, Group: groupPostgres,
		Help: "the user to connect as (default: as libpq, PGUSER)",
	}, {
		Name: "dbname", Short: "d", Metavar: "DBNAME", Default: "postgres", in: backup | doctor, Group: groupPostgres,
		Help: "the database to connect to, or a whole connection string, which then stands alone",
	}, {
		Name: "primary-conninfo", Metavar: "CONNINFO", in: backup, Group: groupPostgres, Own: true,
		Help: "with a standby: how to reach its primary, which then archives the last segment at once, even if it is idle",
	}, {
		Name: "immediate-checkpoint", Kind: Bool, in: backup, Group: groupPostgres,
		Help: "start with a fast checkpoint instead of waiting for a spread one",
	},
}

const maxArchive = 1 << 40 // barman lowers --max-archive-size to this

var archives = []Option{
	{
		Name: "gzip", Short: "z", Kind: Bool, Exclusive: "compression", in: uploads, Group: groupArchives,
		Help: "compress with gzip",
	}, {
		Name: "bzip2", Short: "j", Kind: Bool, Exclusive: "compression", in: uploads, Group: groupArchives,
		Help: "compress with bzip2",
	}, {
		Name: "xz", Kind: Bool, Exclusive: "compression", in: walArchive, Group: groupArchives,
		Help: "compress with xz",
	}, {
		Name: "snappy", Kind: Bool, Exclusive: "compression", in: uploads, Group: groupArchives,
		Help: "compress with snappy",
	}, {
		Name: "zstd", Kind: Bool, Exclusive: "compression", in: walArchive, Group: groupArchives,
		Help: "compress with zstd",
	}, {
		Name: "zstd", Kind: Bool, Exclusive: "compression", in: backup, Group: groupArchives, Own: true,
		Help: "compress with zstd, which pgseal restores, and stock barman-cloud-restore does not (seen up to 3.17)",
	}, {
		Name: "lz4", Kind: Bool, Exclusive: "compression", in: uploads, Group: groupArchives,
		Help: "compress with lz4; to restore a base backup so compressed takes barman 3.18 or newer",
	}, {
		Name: "compression-level", Metavar: "LEVEL", Check: checkLevel, in: backup, Group: groupArchives, Own: true,
		Help: "low, medium, high or a number on the format's own scale (default: medium)",
	}, {
		Name: "compression-level", Metavar: "LEVEL", Check: checkLevel, in: walArchive, Group: groupArchives,
		Help: "low, medium, high or a number on the format's own scale (default: medium)",
	}, {
		Name: "jobs", Short: "J", Kind: Int, Min: 1, Metavar: "JOBS", Default: "2", in: backup, Group: groupArchives,
		Help: "how many archives to read, compress and send at a time",
	}, {
		Name: "max-archive-size", Short: "S", Kind: Size, Max: maxArchive, Metavar: "SIZE", Default: "100GB", in: backup, Group: groupArchives,
		Help: "begin another archive after so many bytes, at most 1 TiB. " + sizeHelp,
	}, {
		Name: "min-chunk-size", Kind: Size, Metavar: "SIZE", in: backup, Group: groupArchives,
		Help: "the least size of the parts in which an archive is sent",
	}, {
		Name: "max-bandwidth", Kind: Size, Metavar: "SIZE", in: backup, Group: groupArchives,
		Help: "the most bytes to send per second, all archives together",
	}, {
		Name: "no-backup-manifest", Kind: Bool, in: backup, Group: groupArchives, Own: true,
		Help: "leave out PostgreSQL's backup_manifest, which pg_verifybackup reads and which costs 150 bytes of memory a file",
	}, {
		Name: "name", Short: "n", Metavar: "NAME", Check: checkBackupName, in: backup, Group: groupArchives,
		Help: "a name that barman-cloud-restore and others accept in place of the backup's id",
	}, {
		Name: "tags", Kind: Tags, Many: true, Metavar: "KEY,VALUE", in: uploads, Group: groupArchives,
		Help: "tags for every object, ten at most; takes all arguments that follow, so put it last or use --tag",
	}, {
		Name: "tag", Kind: Tags, Into: "tags", Metavar: "KEY,VALUE", in: uploads, Group: groupArchives,
		Help: "one tag for every object; may be repeated",
	}, {
		Name: "history-tags", Kind: Tags, Many: true, Metavar: "KEY,VALUE", in: walArchive, Group: groupArchives,
		Help: "tags for timeline history files, in place of --tags",
	}, {
		Name: "history-tag", Kind: Tags, Into: "history-tags", Metavar: "KEY,VALUE", in: walArchive, Group: groupArchives,
		Help: "one tag for timeline history files; may be repeated",
	},
}

func checkLevel(s string) error {
	_, err := codec.ParseLevel(s)
	return err
}
