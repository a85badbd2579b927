package option

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// argparse runs the parser of the installed barman-cloud over many command lines and says what it made of each; it
// goes no further than the arguments, so nothing is connected to.
const argparse = `
import contextlib, importlib, io, json, sys
out = []
for module, args in json.load(sys.stdin):
    parse = importlib.import_module("barman.clients." + module).parse_arguments
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        try:
            out.append({"values": {k: str(v) for k, v in vars(parse(args)).items()}})
        except SystemExit as e:
            out.append({"exit": e.code or 0, "error": err.getvalue()})
json.dump(out, sys.stdout)
`

// TestStockBarmanAgrees compares with the barman-cloud of the machine, in the options that 3.4 (Debian 12) has already.
func TestStockBarmanAgrees(t *testing.T) {
	lines := []struct{ command, line string }{
		{"backup", "--cloud-provider=aws-s3 --gzip -J 4 -S 5GB --immediate-checkpoint -n test-20261123T000000 s3://bucket/barman/ server"},
		{"backup", "u s"},
		{"backup", "u"},
		{"backup", ""},
		{"backup", "u s x"},
		{"backup", "-z u -v s"},
		{"backup", "-zv u s"},
		{"backup", "-vzJ4 u s"},
		{"backup", "-J=4 u s"},
		{"backup", "-J4 u s"},
		{"backup", "-J 0 u s"},
		{"backup", "-J x u s"},
		{"backup", "-J u s"},
		{"backup", "-J -1 u s"},
		{"backup", "-z -j u s"},
		{"backup", "-z -z u s"},
		{"backup", "-z --snappy u s"},
		{"backup", "-v -q u s"},
		{"backup", "-vvv u s"},
		{"backup", "--imm u s"},
		{"backup", "--immediate=yes u s"},
		{"backup", "--i u s"},
		{"backup", "--max-archive 1GiB u s"},
		{"backup", "-S 1.5MB u s"},
		{"backup", "-S 1.5 u s"},
		{"backup", "-S 12iB u s"},
		{"backup", "-S 1G u s"},
		{"backup", "-S -5 u s"},
		{"backup", "-S 0 u s"},
		{"backup", "-p -5 u s"},
		{"backup", "-p -x u s"},
		{"backup", "-h /tmp -p 5432 -U me -d postgres u s"},
		{"backup", "-h/tmp -p5432 -Ume -ddbname=x u s"},
		{"backup", "--ho /tmp --po 5432 --us me --db x u s"},
		{"backup", "--h x u s"},
		{"backup", "-n latest u s"},
		{"backup", "-n 20261123T000000 u s"},
		{"backup", "-n weekly u s"},
		{"backup", "--nam weekly u s"},
		{"backup", "-n= u s"},
		{"backup", "-e AES256 u s"},
		{"backup", "-e aws:kms u s"},
		{"backup", "-e rot13 u s"},
		{"backup", "--enc AES256 u s"},
		{"backup", "--encryption AES256 --encryption-scope x u s"},
		{"backup", "--cloud-provider ftp u s"},
		{"backup", "--cloud azure-blob-storage --cred managed-identity u s"},
		{"backup", "-P x u s"},
		{"backup", "--profile x u s"},
		{"backup", "--prof x u s"},
		{"backup", "--read 5 u s"},
		{"backup", "--re 5 u s"},
		{"backup", "--r 5 u s"},
		{"backup", "--read-timeout five u s"},
		{"backup", "--end http://x u s"},
		{"backup", "--endpoint-url= u s"},
		{"backup", "-t u s"},
		{"backup", "--te u s"},
		{"backup", "u s --tags k,v k2,v2"},
		{"backup", "u s --tags"},
		{"backup", "u s --ta k,v"},
		{"backup", "--tags k,v -z u s"},
		{"backup", "--tags k,v u s"},
		{"backup", "--tags=k,v u s"},
		{"backup", "u s --tags kv"},
		{"backup", "u s --tags a,b,c"},
		{"backup", "u s --nope"},
		{"backup", "u s -X"},
		{"backup", "-zX u s"},
		{"backup", "-- u s"},
		{"backup", "-z -- u s"},
		{"backup", "-J -- u s"},
		{"backup", "u s -"},
		{"backup", "u -5"},
		{"backup", "u -.5"},
		{"backup", "u -5x"},
		{"backup", "--snap u s"},
		{"backup", "--help"},
		{"backup", "--version"},
		{"backup", "-V"},
		{"wal-archive", "u s w"},
		{"wal-archive", "u s"},
		{"wal-archive", "-z u s pg_wal/000000010000000000000001"},
		{"wal-archive", "u s w x"},
		{"wal-archive", "--history-tags a,b -z u s w"},
		{"wal-archive", "--hist a,b -z u s w"},
		{"wal-archive", "--max-block-size 8MB --max-concurrency 4 --max-single-put-size 1MB u s w"},
		{"wal-archive", "--max-conc x u s w"},
		{"wal-archive", "--max u s w"},
		{"wal-archive", "-e AES256 u s w"},
		{"wal-archive", "-j --snappy u s w"},
		{"wal-archive", "-J 4 u s w"},
		{"wal-restore", "u s 000000010000000000000001 pg_wal/RECOVERYXLOG"},
		{"wal-restore", "u s w"},
		{"wal-restore", "-P x --endpoint-url http://x u s w d"},
		{"wal-restore", "--cloud-provider=azure-blob-storage --cred managed-identity u s w d x"},
		{"wal-restore", "-t u s w d"},
		{"wal-restore", "--gzip u s w d"},
		{"wal-restore", "--help"},
		{"backup-list", "--format json u s"},
		{"backup-list", "--form json u s"},
		{"backup-list", "u s x"},
		{"backup-list", "-qq --prof x u s"},
		{"backup-show", "--format=console u s id"},
		{"backup-show", "u s"},
		{"backup-keep", "--target full u s id"},
		{"backup-keep", "--target x u s id"},
		{"backup-keep", "-r -s u s id"},
		{"backup-keep", "-s u s"},
		{"backup-delete", "-b id u s"},
		{"backup-delete", "-b id --dry-run --batch-size 5 u s"},
		{"backup-delete", "-b id -r x u s"},
		{"backup-delete", "--ret x u s"},
		{"backup-delete", "--batch-size x -b id u s"},
		{"check-wal-archive", "--timeline 2 u s"},
		{"check-wal-archive", "--time 0 u s"},
		{"check-wal-archive", "--timeline x -t u s"},
	}
	modules := map[string]string{"backup": "cloud_backup", "wal-archive": "cloud_walarchive", "wal-restore": "cloud_walrestore",
		"backup-list": "cloud_backup_list", "backup-show": "cloud_backup_show", "backup-keep": "cloud_backup_keep", "backup-delete": "cloud_backup_delete", "check-wal-archive": "cloud_check_wal_archive"}
	var ask [][]any
	for _, l := range lines {
		ask = append(ask, []any{modules[l.command], strings.Fields(l.line)})
	}
	in, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	const python = "/usr/bin/python3" // the one that Debian's barman runs on
	if err := exec.Command(python, "-c", "import barman.clients.cloud_backup").Run(); err != nil {
		t.Fatalf("stock barman-cloud is the judge here, and cannot be run (%v): scripts/install-deps test", err)
	}
	cmd := exec.Command(python, "-c", argparse)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []struct {
		Values map[string]string
		Exit   int
		Error  string
	}
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	for i, l := range lines {
		theirs := answers[i]
		v, err := command(t, l.command).Parse(strings.Fields(l.line), none)
		if _, mistake := err.(*Error); mistake != (theirs.Exit != 0) {
			t.Errorf("%s %s: we say %v, barman exits with %d\n%s", l.command, l.line, err, theirs.Exit, theirs.Error)
			continue
		}
		if err != nil {
			continue
		}
		for mine, field := range map[string]string{"host": "host", "port": "port", "dbname": "dbname", "name": "backup_name", "encryption": "encryption",
			"endpoint-url": "endpoint_url", "aws-profile": "profile"} {
			if v.command.option(mine) == nil {
				continue
			}
			if got := v.String(mine); got != theirs.Values[field] && (got != "" || theirs.Values[field] != "None") {
				t.Errorf("%s %s: our %s is %q, barman's %q", l.command, l.line, mine, got, theirs.Values[field])
			}
		}
	}
}
