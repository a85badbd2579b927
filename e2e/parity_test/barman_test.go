package parity_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"sync"
	"testing"
)

// barman is Debian's barman-cloud in one Python process, which forks for each call: most of the time of a call goes into
// imports. What runs in the fork is what the program in /usr/bin calls.
type barman struct {
	mu      sync.Mutex
	in      io.WriteCloser
	answers *bufio.Reader
}

const forks = `
import importlib, json, os, sys, tempfile, traceback
names = {"backup-list": "cloud_backup_list", "backup-show": "cloud_backup_show", "check-wal-archive": "cloud_check_wal_archive",
         "backup-keep": "cloud_backup_keep", "backup-delete": "cloud_backup_delete"}
modules = {name: importlib.import_module("barman.clients." + module) for name, module in names.items()}
import barman.cloud_providers.aws_s3
for line in sys.stdin:
    name, args = json.loads(line)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            code = 0
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                sys.argv = ["barman-cloud-" + name] + args
                modules[name].main()
            except SystemExit as e:
                code = e.code or 0
            except BaseException:
                traceback.print_exc()
                code = 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        err.seek(0)
        print(json.dumps([os.waitstatus_to_exitcode(status), out.read().decode(), err.read().decode()]), flush=True)
`

func startBarman(t *testing.T, env []string) *barman {
	t.Helper()
	cmd := exec.Command("/usr/bin/python3", "-c", forks)
	cmd.Env = env
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("stock barman-cloud is the judge here, and cannot be run (%v): scripts/install-deps test", err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &barman{in: in, answers: bufio.NewReader(out)}
}

func (b *barman) run(t *testing.T, name string, args []string) (o outcome) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	line, err := json.Marshal([]any{name, args})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	answer, err := b.answers.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &[]any{&o.code, &o.stdout, &o.stderr}); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	return o
}
