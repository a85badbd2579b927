package main

// drilling are the safeguards of drills and of their proofs.
var drilling = []mutation{
	{
		name: "drill: archiving is off",
		file: "uploader/drill/settings.go",
		old:  `{"archive_mode", "off"}`,
		new:  `{"archive_mode", "on"}`,
		pkg:  "uploader/drill", test: "^TestTheConfigurationHoldsWhatIsSet$",
	},
	{
		name: "drill: no subscription connects",
		file: "uploader/drill/settings.go",
		old:  `{"max_logical_replication_workers", "0"}`,
		new:  `{"max_logical_replication_workers", "4"}`,
		pkg:  "uploader/drill", test: "^TestTheConfigurationHoldsWhatIsSet$",
	},
	{
		name: "drill: another drill's directory stays",
		file: "uploader/drill/scratch.go",
		old:  "if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {\n\t\t\tlog.Warn",
		new:  "if true {\n\t\t\tlog.Warn",
		pkg:  "uploader/drill", test: "^TestAScratchDirectoryIsOneDrillsAlone$",
	},
	{
		name: "drill: a directory that was kept stays",
		file: "uploader/drill/scratch.go",
		old:  "remove, path = os.Remove, filepath.Join(s.dir, lockName)",
		new:  "remove, path = func(string) error { return nil }, s.dir",
		pkg:  "uploader/drill", test: "^TestAScratchDirectoryIsOneDrillsAlone$",
	},
	{
		name: "drill: what is wrong with the machine is not the backup's fault",
		file: "uploader/drill/run.go",
		old:  "restore.ErrRefused, restore.ErrTarget}",
		new:  "restore.ErrRefused, restore.ErrTarget, restore.ErrDirectory}",
		pkg:  "uploader/drill", test: "^TestWhichErrorsSaySomethingOfTheBackup$",
	},
	{
		name: "drill: room is looked for first",
		file: "uploader/drill/run.go",
		old:  "if known && free < need {",
		new:  "if known && free < 0 {",
		pkg:  "uploader/drill", test: "^TestRoomIsAskedForBeforeAnythingIsFetched$",
	},
	{
		name: "drill: the server is of the backup's major version",
		file: "uploader/drill/programs.go",
		old:  "head == strconv.Itoa(major) {",
		new:  "head != strconv.Itoa(0) {",
		pkg:  "uploader/drill", test: "^TestProgramsOfTheBackupsVersion$",
	},
	{
		name: "drill: a proof does not contradict its steps",
		file: "core/proof/proof.go",
		old:  "case (p.Outcome == Failed) != (failed != nil):",
		new:  "case false:",
		pkg:  "core/proof", test: "^TestWhatIsNoProof$",
	},
	{
		name: "drill: a proof is of this backup",
		file: "core/proof/proof.go",
		old:  "p.Server != server || p.BackupID != id",
		new:  "false",
		pkg:  "core/proof", test: "^TestWhatIsNoProof$",
	},
	{
		name: "drill: a proof of another seal proves nothing",
		file: "uploader/catalog/drill.go",
		old:  `|| f.seal.Comment("manifest_sha256") != p.ManifestSHA256 `,
		new:  "",
		pkg:  "uploader/catalog", test: "^TestWhatProvesNothing$",
	},
}
