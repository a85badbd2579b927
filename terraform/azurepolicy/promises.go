package azurepolicy

import "github.com/pgseal/pgseal/terraform/azureiam"

// Promise is one line of what the identities are promised to be able to do, or not: the rendered assignments are held to it, and
// the local cloud that enforces them.
type Promise struct {
	Name      string
	Who       string // as in Rules; "nobody" is somebody without any assignment
	Container string // "vault" or "staging"
	Request   azureiam.Request
	Allowed   bool
}

const (
	blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

	base    = "pg/main/base/20260101T000000/"
	wal     = "pg/main/wals/0000000100000000/000000010000000000000001"
	foreign = "pg/other/base/20260101T000000/"
	marker  = "pg/_pgseal/complete/main/20260101T000000.json"
	drill   = "pg/_pgseal/drill/main/20260101T000000.json"
	verdict = "pg/_pgseal/verdict/main/20260101T000000.json"
)

// What is asked: a Put Blob of something new takes add/action or write, everything else that writes takes write.
func add(path string) azureiam.Request {
	return azureiam.Request{Action: blobs + "/add/action", Path: path}
}
func write(path string) azureiam.Request {
	return azureiam.Request{Action: blobs + "/write", Path: path}
}
func tier(path string) azureiam.Request {
	return azureiam.Request{Action: blobs + "/write", SubOperation: "Blob.Write.Tier", Path: path}
}
func read(path string) azureiam.Request { return azureiam.Request{Action: blobs + "/read", Path: path} }
func list(prefix string) azureiam.Request {
	return azureiam.Request{Action: blobs + "/read", SubOperation: "Blob.List", Prefix: prefix}
}
func remove(path string) azureiam.Request {
	return azureiam.Request{Action: blobs + "/delete", Path: path}
}
func other(action, path string) azureiam.Request {
	return azureiam.Request{Action: blobs + "/" + action, Path: path}
}

// Promises are for the prefix pg, and for the host of the server main.
var Promises = []Promise{
	{"the host creates an archive", "host", "vault", add(base + "data.tar"), true},
	{"the host creates an archive in blocks", "host", "vault", write(base + "data.tar"), true},
	{"the host creates more of an archive", "host", "vault", write(base + "16384_0001.tar.gz"), true},
	{"the host creates the manifest", "host", "vault", add(base + "manifest.json"), true},
	{"the host archives WAL", "host", "vault", add(wal), true},
	{"the host archives WAL in blocks", "host", "vault", write(wal), true},
	{"the host cannot seal", "host", "vault", add(base + "backup.info"), false},
	{"the host cannot seal in blocks", "host", "vault", write(base + "backup.info"), false},
	{"the host cannot seal deeper", "host", "vault", add(base + "more/backup.info"), false},
	{"the host cannot seal for another server", "host", "vault", add(foreign + "backup.info"), false},
	{"the host keeps no backup", "host", "vault", add(base + "annotations/keep"), false},
	{"the host cannot change an archive's tier", "host", "vault", tier(base + "data.tar"), false},
	{"the host cannot change its WAL's tier", "host", "vault", tier(wal), false},
	{"the host cannot delete an archive", "host", "vault", remove(base + "data.tar"), false},
	{"the host cannot delete the seal", "host", "vault", remove(base + "backup.info"), false},
	{"the host cannot delete WAL", "host", "vault", remove(wal), false},
	{"the host cannot delete a version", "host", "vault", other("deleteBlobVersion/action", base+"data.tar"), false},
	{"the host cannot delete for good", "host", "vault", other("permanentDelete/action", base+"data.tar"), false},
	{"the host cannot move", "host", "vault", other("move/action", base+"data.tar"), false},
	{"the host cannot change policies and holds", "host", "vault", other("immutableStorage/runAsSuperUser/action", base+"data.tar"), false},
	{"the host cannot change owners", "host", "vault", other("manageOwnership/action", base+"data.tar"), false},
	{"the host cannot write tags", "host", "vault", other("tags/write", base+"data.tar"), false},
	{"the host cannot search by tags", "host", "vault", other("filter/action", ""), false},
	{"the host cannot write for another server", "host", "vault", write(foreign + "data.tar"), false},
	{"the host cannot write for a server whose name begins as its own", "host", "vault", write("pg/main2/base/20260101T000000/data.tar"), false},
	{"the host cannot write outside of the prefix", "host", "vault", write("elsewhere"), false},
	{"the host cannot write where the prefix is only a beginning", "host", "vault", write("pgother/main/data.tar"), false},
	{"the host looks for its own WAL", "host", "vault", read(wal), true},
	{"the host reads its own seal", "host", "vault", read(base + "backup.info"), true},
	{"the host cannot read another server's archive", "host", "vault", read(foreign + "data.tar"), false},
	{"the host lists its own backups", "host", "vault", list("pg/main/base/"), true},
	{"the host lists without a prefix, as stock barman-cloud does", "host", "vault", list(""), true},

	{"the host leaves a marker", "host", "staging", add(marker), true},
	{"the host writes its progress again", "host", "staging", write("pg/_pgseal/progress/main/20260101T000000.json"), true},
	{"the host claims an id", "host", "staging", add(base + "backup.info"), true},
	{"the host writes its record again", "host", "staging", write(base + "backup.info"), true},
	{"the host reads its verdict", "host", "staging", read(verdict), true},
	{"the host reads what the sweep found", "host", "staging", read("pg/_pgseal/sweep/main/20260101T000000.json"), true},
	{"the host lists its verdicts", "host", "staging", list("pg/_pgseal/verdict/main/"), true},
	{"the host gives no verdict", "host", "staging", add(verdict), false},
	{"the host changes no verdict", "host", "staging", write(verdict), false},
	{"the host writes nothing of the sweep's", "host", "staging", write("pg/_pgseal/sweep/main/20260101T000000.json"), false},
	{"the host proves no drill", "host", "staging", add(drill), false},
	{"the host changes no proof of a drill", "host", "staging", write(drill), false},
	{"the host leaves no marker for another server", "host", "staging", add("pg/_pgseal/complete/other/20260101T000000.json"), false},
	{"the host reads no verdict of another server", "host", "staging", read("pg/_pgseal/verdict/other/20260101T000000.json"), false},
	{"the host deletes nothing in staging", "host", "staging", remove(marker), false},

	{"the finalizer seals", "finalizer", "vault", add(base + "backup.info"), true},
	{"the finalizer seals for every server", "finalizer", "vault", add(foreign + "backup.info"), true},
	{"the finalizer cannot overwrite the seal", "finalizer", "vault", write(base + "backup.info"), false},
	{"the finalizer creates nothing else", "finalizer", "vault", add(base + "data_0009.tar"), false},
	{"the finalizer creates no manifest", "finalizer", "vault", add(base + "manifest.json"), false},
	{"the finalizer creates no WAL", "finalizer", "vault", add(wal), false},
	{"the finalizer seals nothing outside of a backup", "finalizer", "vault", add("pg/main/backup.info"), false},
	{"the finalizer seals nothing outside of the prefix", "finalizer", "vault", add("elsewhere/base/20260101T000000/backup.info"), false},
	{"the finalizer cannot delete the seal", "finalizer", "vault", remove(base + "backup.info"), false},
	{"the finalizer cannot delete an archive", "finalizer", "vault", remove(base + "data.tar"), false},
	{"the finalizer cannot change a tier", "finalizer", "vault", tier(base + "backup.info"), false},
	{"the finalizer cannot change policies and holds", "finalizer", "vault", other("immutableStorage/runAsSuperUser/action", base+"backup.info"), false},
	{"the finalizer reads archives", "finalizer", "vault", read(foreign + "data.tar"), true},
	{"the finalizer lists the vault", "finalizer", "vault", list("pg/"), true},
	{"the finalizer reads the marker", "finalizer", "staging", read(marker), true},
	{"the finalizer lists staging", "finalizer", "staging", list("pg/"), true},
	{"the finalizer gives a verdict", "finalizer", "staging", add(verdict), true},
	{"the finalizer replaces a verdict", "finalizer", "staging", write(verdict), true},
	{"the finalizer keeps the sweep's records", "finalizer", "staging", write("pg/_pgseal/sweep/main/20260101T000000.json"), true},
	{"the finalizer proves no drill", "finalizer", "staging", write(drill), false},
	{"the finalizer leaves no marker", "finalizer", "staging", add(marker), false},
	{"the finalizer touches no record of a host", "finalizer", "staging", write(base + "backup.info"), false},
	{"the finalizer deletes nothing in staging", "finalizer", "staging", remove(verdict), false},

	{"who restores reads the seal", "restore", "vault", read(base + "backup.info"), true},
	{"who restores reads WAL", "restore", "vault", read(wal), true},
	{"who restores lists", "restore", "vault", list("pg/main/base/"), true},
	{"who restores lists without a prefix", "restore", "vault", list(""), true},
	{"who restores reads verdicts", "restore", "staging", read(verdict), true},
	{"who restores creates nothing", "restore", "vault", add(base + "annotations/keep"), false},
	{"who restores writes nothing", "restore", "vault", write(base + "annotations/keep"), false},
	{"who restores deletes nothing", "restore", "vault", remove(base + "data.tar"), false},
	{"who restores proves a drill", "restore", "staging", add(drill), true},
	{"who restores proves a drill again", "restore", "staging", write(drill), true},
	{"who restores reads the proof", "restore", "staging", read(drill), true},
	{"who restores lists staging", "restore", "staging", list("pg/"), true},
	{"who restores deletes no proof", "restore", "staging", remove(drill), false},
	{"who restores proves nothing in the vault", "restore", "vault", write(drill), false},
	{"who restores leaves no marker", "restore", "staging", add(marker), false},
	{"who restores writes no record of a host", "restore", "staging", write(base + "backup.info"), false},
	{"who restores proves nothing outside of the prefix", "restore", "staging", write("elsewhere/_pgseal/drill/main/20260101T000000.json"), false},
	{"who restores writes no verdict", "restore", "staging", write(verdict), false},

	{"the operator reads", "operator", "vault", read(base + "backup.info"), true},
	{"the operator keeps a backup", "operator", "vault", write(base + "annotations/keep"), true},
	{"the operator releases a backup", "operator", "vault", remove(base + "annotations/keep"), true},
	{"the operator cannot seal", "operator", "vault", add(base + "backup.info"), false},
	{"the operator cannot delete the seal", "operator", "vault", remove(base + "backup.info"), false},
	{"the operator cannot change a tier", "operator", "vault", tier(base + "annotations/keep"), false},
	{"the operator proves no drill", "operator", "staging", write(drill), false},
	{"the operator writes nothing in staging", "operator", "staging", write(verdict), false},

	{"expire deletes what the policy has released", "expire", "vault", remove(base + "data.tar"), true},
	{"expire creates nothing", "expire", "vault", add(base + "backup.info"), false},
	{"expire writes nothing", "expire", "vault", write(base + "backup.info"), false},
	{"expire deletes nothing outside of the prefix", "expire", "vault", remove("elsewhere"), false},
	{"expire has no business in staging", "expire", "staging", remove(marker), false},

	{"break-glass may delete, once the policy is lifted", "breakglass", "vault", remove(base + "data.tar"), true},
	{"break-glass has no business in staging", "breakglass", "staging", write(verdict), false},

	{"nobody else reads", "nobody", "vault", read(base + "backup.info"), false},
	{"nobody else lists", "nobody", "vault", list("pg/main/base/"), false},
	{"nobody else seals", "nobody", "vault", add(base + "backup.info"), false},
	{"nobody else proves a drill", "nobody", "staging", add(drill), false},
	{"nobody else gives a verdict", "nobody", "staging", add(verdict), false},
}
