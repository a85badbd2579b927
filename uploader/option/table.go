package option

import "slices"

// The headings of the help.
const (
	groupGeneral  = "general"
	groupSeal     = "vault, staging and seal"
	groupPostgres = "PostgreSQL"
	groupArchives = "archives"
	groupRecovery = "recovery"
	groupTarget   = "recovery target"
	groupDrill    = "drill"
	groupReport   = "report"
	groupKeep     = "keep"
	groupDelete   = "delete"
	groupS3       = "Amazon S3 and compatible stores"
	groupAzure    = "Azure Blob Storage"
	groupGCS      = "Google Cloud Storage"
	groupSnapshot = "disk snapshots" // never shown
)

// table holds every option of every command.
var table = slices.Concat(general, seal, postgres, archives, recovery, drilling, report, catalogueOptions, stores, snapshots)

var general = []Option{
	{
		Name: "version", Short: "V", Kind: version, in: every, Group: groupGeneral,
		Help: "show the version and exit",
	}, {
		Name: "help", Kind: help, in: backup | doctor, Group: groupGeneral, // -h is the host here
		Help: "show this help and exit",
	}, {
		Name: "help", Short: "h", Kind: help, in: every &^ (backup | doctor), Group: groupGeneral,
		Help: "show this help and exit",
	}, {
		Name: "verbose", Short: "v", Kind: Count, in: every, Group: groupGeneral, Exclusive: "verbosity",
		Help: "say more; -vv says even more",
	}, {
		Name: "quiet", Short: "q", Kind: Count, in: every, Group: groupGeneral, Exclusive: "verbosity",
		Help: "say less; -qq says errors only",
	}, {
		Name: "test", Short: "t", Kind: Bool, in: uploads | walRestore | restore | catalogue, Group: groupGeneral,
		Help: "check that the store answers and accepts the credentials, then exit",
	}, {
		Name: "read-timeout", Kind: Int, Min: 1, Metavar: "SECONDS", Default: "60", in: every, Group: groupGeneral,
		Help: "how long a connection to the store may be silent",
	}, {
		Name: "cloud-provider", Kind: Choice, in: every, Group: groupGeneral,
		Choices: []string{"aws-s3", "azure-blob-storage", "google-cloud-storage"},
		Help:    "the kind of store, when the URL does not tell it (default: what the URL says)",
	},
}

var report = []Option{
	{
		Name: "output", Short: "o", Metavar: "FILE", in: page, Group: groupReport, Own: true,
		Help: "where to write the page; it is there at once or not at all (default: the standard output, also -)",
	}, {
		Name: "format", Kind: Choice, Choices: []string{"console", "json"}, Default: "console",
		in: status | finalize | sweep | audit | doctor, Group: groupReport, Own: true,
		Help: "how to write the answer",
	}, {
		Name: "check", Kind: Bool, in: status, Group: groupReport, Own: true,
		Help: "one line and the exit codes of a Nagios plugin: 0 fine, 1 warning, 2 critical, 3 unknown",
	}, {
		Name: "max-age", Kind: Duration, Metavar: "DURATION", in: status, Group: groupReport, Own: true,
		Help: "with --check: critical when the newest sealed backup is older, such as 26h",
	}, {
		Name: "max-age", Kind: Duration, Metavar: "DURATION", Default: "26h", in: doctor | page, Group: groupReport, Own: true,
		Help: "how old the newest sealed backup may be",
	}, {
		Name: "window", Kind: Duration, Metavar: "DURATION", in: doctor, Group: groupReport, Own: true,
		Help: "how far back a restore has to reach, such as 14d: the lock must cover it (default: whatever the lock gives)",
	}, {
		Name: "max-wal-age", Kind: Duration, Metavar: "DURATION", in: status, Group: groupReport, Own: true,
		Help: "with --check: critical when the newest archived WAL segment is older, such as 15m",
	}, {
		Name: "prometheus", Metavar: "FILE", in: status, Group: groupReport, Own: true,
		Help: "write metrics for the textfile collector of Prometheus' node_exporter, and nothing else; the name ends in .prom",
	}, {
		Name: "max-drill-age", Kind: Duration, Metavar: "DURATION", in: status, Group: groupReport, Own: true,
		Help: "with --check: critical when the newest drill that passed is older, such as 50h (see drill)",
	},
}
