package option

// seal holds what pgseal adds to barman's options.
var seal = []Option{
	{
		Name: "staging-url", Env: "PGSEAL_STAGING_URL", Metavar: "URL",
		in: backup | status | finalize | sweep | doctor | page | drill, Group: groupSeal, Own: true,
		Help: "the staging place: another bucket or path, without retention, for what is in progress and for verdicts",
	}, {
		Name: "retention", Env: "PGSEAL_RETENTION", Kind: Duration, Metavar: "DURATION", Exclusive: "retention",
		in: uploads, Group: groupSeal, Own: true,
		Help: "lock every new object for so long from now, such as 30d (default: as the bucket says)",
	}, {
		Name: "retain-until", Kind: Time, Metavar: "TIME", Exclusive: "retention",
		in: uploads, Group: groupSeal, Own: true,
		Help: "lock every new object until then: YYYY-MM-DD, which is midnight UTC, or RFC 3339",
	}, {
		Name: "lock-mode", Env: "PGSEAL_LOCK_MODE", Kind: Choice, Choices: []string{"compliance", "governance"}, Default: "compliance",
		in: uploads, Group: groupSeal, Own: true,
		Help: "the kind of lock that --retention and --retain-until set on S3 and Google Cloud (there called Locked and Unlocked)",
	}, {
		Name: "require-lock", Env: "PGSEAL_REQUIRE_LOCK", Kind: Bool,
		in: backup, Group: groupSeal, Own: true,
		Help: "refuse a vault that does not keep what it is given, instead of warning",
	}, {
		Name: "finalizer", Env: "PGSEAL_FINALIZER", Kind: Choice, Choices: []string{"embedded", "cloud"},
		in: backup, Group: groupSeal, Own: true,
		Help: "who seals the backup: this command, or the cloud function (default: embedded for a file:// vault, else cloud)",
	}, {
		Name: "wait", Kind: Bool, Negatable: true,
		in: backup, Group: groupSeal, Own: true,
		Help: "wait for the verdict; exit code 0 then means sealed (default: when called as barman-cloud-backup)",
	}, {
		Name: "wait-timeout", Env: "PGSEAL_WAIT_TIMEOUT", Kind: Duration, Metavar: "DURATION", Default: "1h",
		in: backup, Group: groupSeal, Own: true,
		Help: "how long to wait for the verdict; 0 for ever",
	}, {
		Name: "wal-timeout", Env: "PGSEAL_WAL_TIMEOUT", Kind: Duration, Metavar: "DURATION", Default: "10m",
		in: backup, Group: groupSeal, Own: true,
		Help: "how long to wait for the backup's last WAL segment to be archived; 0 for ever",
	}, {
		Name: "all", Kind: Bool,
		in: finalize, Group: groupSeal, Own: true,
		Help: "every backup of the server that has no seal yet",
	},
}
