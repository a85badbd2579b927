package gcppolicy

// Promise is one line of what the identities are promised to be able to do, or not: the rendered policies are held to it,
// and the local cloud that enforces them.
type Promise struct {
	Name       string
	Who        string // as in Rules.Members; "nobody" is somebody without any binding
	Permission string
	Bucket     string // "vault" or "staging"
	Object     string // "" is the bucket itself
	Allowed    bool
}

const (
	create = "storage.objects.create"
	read   = "storage.objects.get"
	list   = "storage.objects.list"
	remove = "storage.objects.delete"
	modify = "storage.objects.update"
	retain = "storage.objects.setRetention"
	lift   = "storage.objects.overrideUnlockedRetention"
	info   = "storage.buckets.get"
	change = "storage.buckets.update"
	policy = "storage.buckets.setIamPolicy"

	base    = "pg/main/base/20260101T000000/"
	wal     = "pg/main/wals/0000000100000000/000000010000000000000001"
	drill   = "pg/_pgseal/drill/main/20260101T000000.json"
	foreign = "pg/other/base/20260101T000000/"
)

// Promises are for the prefix pg, and for the host of the server main.
var Promises = []Promise{
	{"the host creates an archive", "host", create, "vault", base + "data.tar", true},
	{"the host creates more of an archive", "host", create, "vault", base + "16384_0001.tar.gz", true},
	{"the host creates the manifest", "host", create, "vault", base + "manifest.json", true},
	{"the host archives WAL", "host", create, "vault", wal, true},
	{"the host archives a history file", "host", create, "vault", "pg/main/wals/00000002.history", true},
	{"the host cannot seal", "host", create, "vault", base + "backup.info", false},
	{"the host cannot seal deeper", "host", create, "vault", base + "more/backup.info", false},
	{"the host cannot seal beside its backups", "host", create, "vault", "pg/main/backup.info", false},
	{"the host cannot seal for another server", "host", create, "vault", foreign + "backup.info", false},
	{"the host keeps no backup", "host", create, "vault", base + "annotations/keep", false},
	{"the host cannot replace or delete an archive", "host", remove, "vault", base + "data.tar", false},
	{"the host cannot replace or delete the seal", "host", remove, "vault", base + "backup.info", false},
	{"the host cannot replace or delete WAL", "host", remove, "vault", wal, false},
	{"the host cannot delete for another server", "host", remove, "vault", foreign + "data.tar", false},
	{"the host cannot change class or metadata", "host", modify, "vault", base + "data.tar", false},
	{"the host cannot set a retention", "host", retain, "vault", base + "data.tar", false},
	{"the host cannot lift a retention", "host", lift, "vault", base + "data.tar", false},
	{"the host cannot write for another server", "host", create, "vault", foreign + "data.tar", false},
	{"the host cannot write for a server whose name begins as its own", "host", create, "vault", "pg/main2/base/20260101T000000/data.tar", false},
	{"the host cannot write outside of the prefix", "host", create, "vault", "elsewhere", false},
	{"the host cannot write where the prefix is only a beginning", "host", create, "vault", "pgother/main/base/20260101T000000/data.tar", false},
	{"the host cannot write a verdict into the vault", "host", create, "vault", "pg/_pgseal/verdict/main/20260101T000000.json", false},
	{"the host lists the vault", "host", list, "vault", "", true},
	{"the host lists by a prefix, which the condition does not see", "host", list, "vault", "pg/other/", true},
	{"the host looks at the vault's retention", "host", info, "vault", "", true},
	{"the host looks for its own WAL", "host", read, "vault", wal, true},
	{"the host reads its own seal", "host", read, "vault", base + "backup.info", true},
	{"the host cannot read another server's WAL", "host", read, "vault", "pg/other/wals/0000000100000000/000000010000000000000001", false},
	{"the host cannot change the vault", "host", change, "vault", "", false},
	{"the host cannot change the vault's policy", "host", policy, "vault", "", false},
	{"the host cannot delete the vault", "host", "storage.buckets.delete", "vault", "", false},

	{"the host leaves a marker", "host", create, "staging", "pg/_pgseal/complete/main/20260101T000000.json", true},
	{"the host writes its progress", "host", create, "staging", "pg/_pgseal/progress/main/20260101T000000.json", true},
	{"the host replaces its progress", "host", remove, "staging", "pg/_pgseal/progress/main/20260101T000000.json", true},
	{"the host claims an id", "host", create, "staging", base + "backup.info", true},
	{"the host replaces its claim", "host", remove, "staging", base + "backup.info", true},
	{"the host reads its verdict", "host", read, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", true},
	{"the host reads what the sweep found", "host", read, "staging", "pg/_pgseal/sweep/main/20260101T000000.json", true},
	{"the host gives no verdict", "host", create, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", false},
	{"the host replaces no verdict", "host", remove, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", false},
	{"the host writes nothing of the sweep's", "host", create, "staging", "pg/_pgseal/sweep/main/20260101T000000.json", false},
	{"the host proves no drill", "host", create, "staging", drill, false},
	{"the host replaces no proof of a drill", "host", remove, "staging", drill, false},
	{"the host leaves no marker for another server", "host", create, "staging", "pg/_pgseal/complete/other/20260101T000000.json", false},
	{"the host reads no verdict of another server", "host", read, "staging", "pg/_pgseal/verdict/other/20260101T000000.json", false},
	{"the host deletes nothing of another server", "host", remove, "staging", foreign + "backup.info", false},
	{"the host lists staging", "host", list, "staging", "", true},

	{"the finalizer seals", "finalizer", create, "vault", base + "backup.info", true},
	{"the finalizer seals for every server", "finalizer", create, "vault", foreign + "backup.info", true},
	{"the finalizer creates nothing else", "finalizer", create, "vault", base + "data_0009.tar", false},
	{"the finalizer creates no manifest", "finalizer", create, "vault", base + "manifest.json", false},
	{"the finalizer creates no WAL", "finalizer", create, "vault", wal, false},
	{"the finalizer seals no base directory itself", "finalizer", create, "vault", "pg/main/backup.info", false},
	{"the finalizer seals nothing outside of the prefix", "finalizer", create, "vault", "elsewhere/base/20260101T000000/backup.info", false},
	{"the finalizer cannot replace or delete the seal", "finalizer", remove, "vault", base + "backup.info", false},
	{"the finalizer cannot replace or delete an archive", "finalizer", remove, "vault", base + "data.tar", false},
	{"the finalizer cannot lift a retention", "finalizer", lift, "vault", base + "data.tar", false},
	{"the finalizer cannot set a retention", "finalizer", retain, "vault", base + "data.tar", false},
	{"the finalizer reads archives", "finalizer", read, "vault", foreign + "data.tar", true},
	{"the finalizer lists the vault", "finalizer", list, "vault", "", true},
	{"the finalizer looks at the vault's retention", "finalizer", info, "vault", "", true},
	{"the finalizer cannot change the vault", "finalizer", change, "vault", "", false},
	{"the finalizer cannot change the vault's policy", "finalizer", policy, "vault", "", false},
	{"the finalizer reads the marker", "finalizer", read, "staging", "pg/_pgseal/complete/main/20260101T000000.json", true},
	{"the finalizer gives a verdict", "finalizer", create, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", true},
	{"the finalizer replaces a verdict", "finalizer", remove, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", true},
	{"the finalizer keeps the sweep's records", "finalizer", create, "staging", "pg/_pgseal/sweep/main/20260101T000000.json", true},
	{"the finalizer proves no drill", "finalizer", create, "staging", drill, false},
	{"the finalizer leaves no marker", "finalizer", create, "staging", "pg/_pgseal/complete/main/20260101T000000.json", false},
	{"the finalizer deletes no marker", "finalizer", remove, "staging", "pg/_pgseal/complete/main/20260101T000000.json", false},
	{"the finalizer touches no record of a host", "finalizer", remove, "staging", base + "backup.info", false},

	{"who restores reads the seal", "restore", read, "vault", base + "backup.info", true},
	{"who restores reads WAL", "restore", read, "vault", wal, true},
	{"who restores lists", "restore", list, "vault", "", true},
	{"who restores reads verdicts", "restore", read, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", true},
	{"who restores creates nothing", "restore", create, "vault", base + "annotations/keep", false},
	{"who restores deletes nothing", "restore", remove, "vault", base + "data.tar", false},
	{"who restores proves a drill", "restore", create, "staging", drill, true},
	{"who restores proves a drill again", "restore", remove, "staging", drill, true},
	{"who restores reads the proof", "restore", read, "staging", drill, true},
	{"who restores proves nothing in the vault", "restore", create, "vault", drill, false},
	{"who restores replaces no verdict", "restore", remove, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", false},
	{"who restores leaves no marker", "restore", create, "staging", "pg/_pgseal/complete/main/20260101T000000.json", false},
	{"who restores proves nothing outside of the prefix", "restore", create, "staging", "elsewhere/_pgseal/drill/main/20260101T000000.json", false},
	{"who restores writes no verdict", "restore", create, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", false},
	{"who restores writes nothing in staging", "restore", create, "staging", base + "backup.info", false},

	{"the operator reads", "operator", read, "vault", base + "backup.info", true},
	{"the operator keeps a backup", "operator", create, "vault", base + "annotations/keep", true},
	{"the operator releases a backup", "operator", remove, "vault", base + "annotations/keep", true},
	{"the operator cannot seal", "operator", create, "vault", base + "backup.info", false},
	{"the operator cannot delete the seal", "operator", remove, "vault", base + "backup.info", false},
	{"the operator keeps nothing outside of a backup", "operator", create, "vault", "pg/main/annotations/keep", false},
	{"the operator proves no drill", "operator", create, "staging", drill, false},
	{"the operator writes nothing in staging", "operator", create, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", false},

	{"expire deletes what the retention has released", "expire", remove, "vault", base + "data.tar", true},
	{"expire reads", "expire", read, "vault", base + "backup.info", true},
	{"expire creates nothing, and so replaces nothing", "expire", create, "vault", base + "backup.info", false},
	{"expire lifts no retention", "expire", lift, "vault", base + "data.tar", false},
	{"expire deletes nothing outside of the prefix", "expire", remove, "vault", "elsewhere", false},
	{"expire has no business in staging", "expire", remove, "staging", base + "backup.info", false},

	{"break-glass administers the vault", "breakglass", change, "vault", "", true},
	{"break-glass has no business in staging", "breakglass", create, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", false},

	{"nobody else lists", "nobody", list, "vault", "", false},
	{"nobody else reads", "nobody", read, "vault", base + "backup.info", false},
	{"nobody else creates", "nobody", create, "vault", base + "backup.info", false},
	{"nobody else proves a drill", "nobody", create, "staging", drill, false},
	{"nobody else gives a verdict", "nobody", create, "staging", "pg/_pgseal/verdict/main/20260101T000000.json", false},
}
