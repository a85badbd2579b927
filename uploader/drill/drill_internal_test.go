package drill

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/proof"
	"github.com/pgseal/pgseal/uploader/pgdata"
	"github.com/pgseal/pgseal/uploader/restore"
)

func quiet() (*slog.Logger, *bytes.Buffer) {
	var said bytes.Buffer
	return slog.New(slog.NewTextHandler(&said, nil)), &said
}

func TestAScratchDirectoryIsOneDrillsAlone(t *testing.T) {
	in := t.TempDir()
	log, said := quiet()
	first, err := makeScratch(in, "main", log)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(first.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
	// One that was killed: its lock is nobody's.
	dead, err := makeScratch(in, "main", log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead.dir, "big"), make([]byte, 10), 0o600); err != nil {
		t.Fatal(err)
	}
	dead.lock.Close()
	kept, err := makeScratch(in, "other", log)
	if err != nil {
		t.Fatal(err)
	}
	kept.end(true, log)
	// What only looks like one: without a lock, a file, a link.
	for _, name := range []string{"main-strange", "main-linked"} {
		if err := os.Mkdir(filepath.Join(in, scratchName+name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(precious, filepath.Join(in, scratchName+"main-linked", lockName)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, scratchName+"file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	second, err := makeScratch(in, "main", log)
	if err != nil {
		t.Fatal(err)
	}
	for path, there := range map[string]bool{
		first.dir: true, second.dir: true, kept.dir: true, dead.dir: false, precious: true,
		filepath.Join(in, scratchName+"main-strange"): true, filepath.Join(in, scratchName+"main-linked"): true, filepath.Join(in, scratchName+"file"): true,
	} {
		if _, err := os.Lstat(path); (err == nil) != there {
			t.Errorf("%s is there: %v", path, !there)
		}
	}
	if !strings.Contains(said.String(), "a drill was killed; what it left is removed") {
		t.Error(said)
	}
	first.end(false, log)
	if _, err := os.Lstat(first.dir); !os.IsNotExist(err) {
		t.Errorf("it is left: %v", err)
	}
}

func TestAScratchDirectoryThatCannotBeOne(t *testing.T) {
	log, _ := quiet()
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{"/nonexistent", long} {
		if _, err := makeScratch(in, "main", log); !errors.Is(err, ErrScratch) || !strings.Contains(err.Error(), "--scratch-directory") {
			t.Errorf("%s: %v", in, err)
		}
	}
	if left, err := os.ReadDir(long); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}

// install makes a directory of programs that say a version.
func install(t *testing.T, says string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range append(names, "postgres") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho '"+says+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestProgramsOfTheBackupsVersion(t *testing.T) {
	for says, want := range map[string]string{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": "15.18",
		"postgres (PostgreSQL) 15devel":                        "15",
		"postgres (PostgreSQL) 15beta2":                        "15",
		"postgres (PostgreSQL) 16.1":                           "",
		"postgres (PostgreSQL) 1.5":                            "",
		"PostgreSQL 15":                                        "",
	} {
		p, err := FindPrograms(t.Context(), install(t, says), 15)
		if p.Version != want && want != "" || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrPrograms) {
			t.Errorf("%s: %+v %v", says, p, err)
		}
	}
	h := &held{Config: Config{BinDir: install(t, "postgres (PostgreSQL) 15.1"), Amcheck: Yes}}
	h.backup.Info.Version = 150001
	if _, err := h.findPrograms(t.Context()); !errors.Is(err, ErrPrograms) || !strings.Contains(err.Error(), "--amcheck") {
		t.Errorf("--amcheck without pg_amcheck: %v", err)
	}
	h.backup.Info.Version = 120001
	if _, err := h.findPrograms(t.Context()); !errors.Is(err, ErrPrograms) {
		t.Errorf("PostgreSQL 12: %v", err)
	}
}

func TestWhichErrorsSaySomethingOfTheBackup(t *testing.T) {
	for err, want := range map[error]proof.Outcome{
		nil:                                       proof.Passed,
		fmt.Errorf("x: %w", restore.ErrDamaged):   proof.Failed,
		fmt.Errorf("x: %w", restore.ErrRefused):   proof.Failed,
		fmt.Errorf("x: %w", restore.ErrTarget):    proof.Failed,
		fmt.Errorf("x: %w", restore.ErrDirectory): "",
		fmt.Errorf("x: %w", restore.ErrNoBackup):  "",
		syscall.ENOSPC:                            "",
		context.Canceled:                          "",
	} {
		log, _ := quiet()
		h := &held{Config: Config{Now: time.Now, Log: log}, proof: proof.Proof{Outcome: proof.Passed}}
		got := h.step(proof.Restore, func() (string, error) { return "", broken(err) })
		switch {
		case want == "" && (got == nil || !errors.Is(got, err) || len(h.proof.Steps) > 0):
			t.Errorf("%v: %v %+v", err, got, h.proof)
		case want != "" && (len(h.proof.Steps) != 1 || h.proof.Steps[0].Outcome != want || h.proof.Outcome != want):
			t.Errorf("%v: %v %+v", err, got, h.proof)
		}
	}
}

// What is configured is quoted, and says nothing twice.
func TestTheConfigurationHoldsWhatIsSet(t *testing.T) {
	h := &held{Config: Config{Command: `pgseal wal-restore 'a b' \x %f "%p"`}, scratch: &scratch{dir: `/tmp/a "b" 'c'\d`}}
	h.backup.Info.Version, h.backup.Info.SegmentSize = 180001, 1<<30
	names := map[string]string{}
	for _, s := range h.settings(pgdata.Control{MaxConnections: 5, MaxPreparedTransactions: 9, MaxLocksPerTransaction: 7}) {
		if _, twice := names[s[0]]; twice {
			t.Errorf("%s is there twice", s[0])
		}
		names[s[0]] = s[1]
	}
	for name, want := range map[string]string{
		"unix_socket_directories": `"/tmp/a ""b"" 'c'\d"`, "archive_mode": "off", "listen_addresses": "", "max_logical_replication_workers": "0",
		"max_prepared_transactions": "9", "max_connections": "20", "max_wal_size": "2048MB", "recovery_target": "immediate", "recovery_target_timeline": "current",
		"max_active_replication_origins": "1000", "restore_command": h.Command,
	} {
		if names[name] != want {
			t.Errorf("%s is %q, want %q", name, names[name], want)
		}
	}
	h.EndOfWAL, h.backup.Info.Version = true, 150001
	for _, s := range h.settings(pgdata.Control{}) {
		if s[0] == "recovery_target" || s[0] == "max_active_replication_origins" || s[0] == "recovery_target_timeline" && s[1] != "latest" {
			t.Errorf("%q", s)
		}
	}
}

func TestTheEndOfALogIsOneLine(t *testing.T) {
	log := "LOG:  starting\n" + strings.Repeat("LOG:  restored log file\n", 100) + "FATAL:  could not\tread\n\nLOG:  database system is shut down\n"
	if got := lastLines(log, 60); got != "LOG: restored log file / FATAL: could not read" {
		t.Error(got)
	}
	if got := lastLines(strings.Repeat("x", 500), 60); len(got) != 500 { // proof.Encode cuts it
		t.Error(got)
	}
	if got := lastLines("", 60); got != "" {
		t.Error(got)
	}
}

func TestTheDigestTellsRowsApart(t *testing.T) {
	sum := func(rows ...[][]byte) string {
		digest := sha256.New()
		for _, r := range rows {
			digestRow(digest, r)
		}
		return hex.EncodeToString(digest.Sum(nil))
	}
	b := func(s string) []byte { return []byte(s) }
	seen := map[string]int{}
	for i, s := range []string{
		sum(), sum(nil), sum([][]byte{nil}), sum([][]byte{b("")}), sum([][]byte{b("a"), b("b")}), sum([][]byte{b("ab")}), sum([][]byte{b("a")}, [][]byte{b("b")}),
		sum([][]byte{b("-")}), sum([][]byte{b("1:a")}), sum([][]byte{b("a\n")}),
	} {
		if other, twice := seen[s]; twice {
			t.Errorf("%d and %d are the same", i, other)
		}
		seen[s] = i
	}
}

func TestRoomIsAskedForBeforeAnythingIsFetched(t *testing.T) {
	h := &held{Config: Config{Scratch: "/tmp"}, scratch: &scratch{dir: t.TempDir()}}
	if err := h.roomy(t.Context()); err != nil {
		t.Error(err)
	}
	h.backup.Room = 1 << 60
	if _, known, _ := freeIn(h.scratch.dir); !known {
		return
	}
	if err := h.roomy(t.Context()); !errors.Is(err, ErrRoom) || !strings.Contains(err.Error(), "--scratch-directory") {
		t.Error(err)
	}
}
