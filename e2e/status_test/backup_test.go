package status_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// TestARealBackupFromBeginToRestore follows a backup through its states, and types what status prints.
func TestARealBackupFromBeginToRestore(t *testing.T) {
	aws := localaws.Start(t, localaws.Config{VaultRetention: 24 * time.Hour, Prefix: "barman"})
	p := places{aws.VaultURL(), aws.StagingURL()}
	host, seals, reads := aws.Host.Env(), aws.Finalizer.Env(), aws.Restore.Env()

	run(t, p.pgseal(t, reads, "status")).want(t, 0, "No backup of this server is there.")
	run(t, p.pgseal(t, reads, "status", "--check")).want(t, 2, "PGSEAL CRITICAL - no sealed backup")

	c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15), Env: host,
		ArchiveCommand: build.Pgseal(t) + " wal-archive " + p.vault + " " + server + " %p"})
	c.LoadPgbench(3)
	backup := func(args ...string) []string {
		return append([]string{"-d", c.DSN(), "--immediate-checkpoint"}, args...)
	}

	slow := p.pgseal(t, host, "backup", backup("-n", "slow", "--max-bandwidth", "2MB")...)
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	b := p.becomes(t, reads, "slow", catalog.Running)
	for b.Progress == nil { // the first heartbeat follows the claim
		b = p.becomes(t, reads, "slow", catalog.Running)
	}
	run(t, p.pgseal(t, reads, "status")).want(t, 0, b.ID+"  running")
	if err := slow.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = slow.Wait()
	abandoned := p.becomes(t, append(reads, "PGSEAL_ABANDON_AFTER=1s"), "slow", catalog.Abandoned)
	if !strings.HasPrefix(abandoned.Next, "pgseal backup --staging-url "+p.staging) || abandoned.Progress == nil || abandoned.Progress.PID != slow.Process.Pid {
		t.Errorf("%+v", abandoned)
	}

	stopped := p.pgseal(t, host, "backup", backup("-n", "stopped", "--max-bandwidth", "2MB")...)
	if err := stopped.Start(); err != nil {
		t.Fatal(err)
	}
	p.becomes(t, reads, "stopped", catalog.Running)
	if err := stopped.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = stopped.Wait()
	failed := p.becomes(t, reads, "stopped", catalog.Failed)
	run(t, p.pgseal(t, reads, "status")).want(t, 0, failed.ID+": failed", "next: "+failed.Next)

	run(t, p.pgseal(t, host, "backup", backup("-n", "nightly")...)).want(t, 0)
	b = p.becomes(t, reads, "nightly", catalog.Complete)
	if !strings.HasPrefix(b.Next, "pgseal finalize ") {
		t.Errorf("%+v", b)
	}
	run(t, p.pgseal(t, host, "finalize", b.ID)).want(t, 1, "denied") // the host may not seal
	c.ArchiveAll()
	typed(t, seals, b.Next).want(t, 0, b.ID+" of main: sealed", "locked until", "checked")

	b = p.becomes(t, reads, "nightly", catalog.Sealed)
	if b.LockedUntil == nil || b.Window == nil || b.Window.To == nil || b.Bytes == 0 || b.WALChecked == nil || !*b.WALChecked {
		t.Errorf("%+v", b)
	}
	o := run(t, p.pgseal(t, reads, "status")).want(t, 0, "Newest seal: "+b.ID, "WAL checked, nightly")
	t.Log("\n" + o.stdout)
	for line := range strings.Lines(o.stdout) {
		if len([]rune(line)) > catalog.Width+1 && !strings.HasPrefix(line, "  next: ") {
			t.Errorf("too wide: %s", line)
		}
	}
	run(t, p.pgseal(t, reads, "status", "--check", "--max-age", "26h", "--max-wal-age", "15m")).want(t, 0, "PGSEAL OK - newest sealed backup "+b.ID, "seal_age=", ";;93600")
	run(t, p.pgseal(t, reads, "status", "--check", "--max-wal-age", "0s")).want(t, 0)
	p.metrics(t, reads, b)
	run(t, p.pgseal(t, reads, "report")).want(t, 0, `<article id="server-main">`, `<code>`+b.ID+`</code> <span class="name">nightly</span>`, "WAL timeline 1")
	to := filepath.Join(pgtest.Dir(t), "restored")
	typed(t, reads, strings.Replace(b.Next, "/path/to/an/empty/directory", to, 1)).want(t, 0)
	pgtest.StartRestored(t, c.Install, to, pgtest.RecoveryOptions{Prepared: true, Env: reads}).SQL("SELECT count(*) FROM pgbench_accounts")

	// The vault alone.
	alone := pgtest.Command(t.Context(), build.Pgseal(t), "status", p.vault, server)
	alone.Env = append(alone.Env, reads...)
	run(t, alone).want(t, 0, b.ID+"  sealed", "without --staging-url")
}

func TestABackupOnFiles(t *testing.T) {
	dir := pgtest.Dir(t)
	p := places{"file://" + dir + "/vault", "file://" + dir + "/staging"}
	if err := filebucket.Init(p.vault, filebucket.Lock{}); err != nil {
		t.Fatal(err)
	}
	pgtest.Own(t, dir)
	c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15), ArchiveCommand: build.Pgseal(t) + " wal-archive " + p.vault + " " + server + " %p"})
	run(t, p.pgseal(t, nil, "backup", "-d", c.DSN(), "--immediate-checkpoint")).want(t, 0)
	b := p.becomes(t, nil, "", catalog.Sealed)
	run(t, p.pgseal(t, nil, "finalize", b.ID)).want(t, 0, "sealed", "not locked") // again
	run(t, p.pgseal(t, nil, "finalize", "--all")).want(t, 0, "nothing to finalize")
	run(t, p.pgseal(t, nil, "status", "--check", "--max-age", "1h")).want(t, 0, "PGSEAL OK")
}
