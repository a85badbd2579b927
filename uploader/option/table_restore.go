package option

// recovery holds the options of what brings backups and WAL back.
var recovery = []Option{
	{
		Name: "no-partial", Kind: Bool, in: walRestore, Group: groupRecovery,
		Help: "do not take a segment's .partial where the whole segment is not there",
	}, {
		Name: "retry-timeout", Kind: Duration, Metavar: "DURATION", Default: "5m", in: walRestore, Group: groupRecovery, Own: true,
		Help: "how long to try again what cannot be read; on a standby half a minute at most, as PostgreSQL asks again itself",
	},
}
