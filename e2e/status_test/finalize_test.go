package status_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// anybody opens a place as somebody who may do anything.
func anybody(t *testing.T, aws *localaws.AWS, url string) bucket.Bucket {
	t.Helper()
	who := aws.Breakglass
	file := filepath.Join(t.TempDir(), "credentials")
	text := fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", who.Name, who.Credentials.AccessKey, who.Credentials.SecretKey)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	b, err := s3bucket.Open(t.Context(), s3bucket.Options{URL: url, Endpoint: aws.Endpoint, Region: localaws.Region, Profile: who.Name})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEveryVerdictByHand: sets made by hand, and no marker anywhere.
func TestEveryVerdictByHand(t *testing.T) {
	aws := localaws.Start(t, localaws.Config{VaultRetention: 24 * time.Hour})
	p := places{aws.VaultURL(), aws.StagingURL()}
	seals, reads := aws.Finalizer.Env(), aws.Restore.Env()
	vault := anybody(t, aws, p.vault)

	// Each set has WAL of its own.
	n := 0
	set := func() *settest.Set {
		n++
		s := settest.New(server, time.Now().UTC().Add(-time.Duration(n)*time.Minute))
		s.Manifest.Begin.LSN += layout.LSN(n * 0x200000)
		s.Manifest.End.LSN += layout.LSN(n * 0x200000)
		s.Relabel()
		return s
	}
	rejected := set()
	rejected.UploadArchives(t, vault)
	rejected.UploadWAL(t, vault)
	rejected.Manifest.Objects[0].CRC32C = "00000000"
	rejected.UploadManifest(t, vault)
	run(t, p.pgseal(t, seals, "finalize", rejected.ID())).want(t, 11, "rejected (set)", "data.tar")

	conflict := set()
	conflict.Upload(t, vault)
	conflict.Create(t, vault, conflict.Key(layout.BackupInfoName), []byte("status=DONE\n"))
	run(t, p.pgseal(t, seals, "finalize", conflict.ID())).want(t, 12, "conflict (seal)")

	waiting := set()
	waiting.UploadArchives(t, vault)
	waiting.UploadManifest(t, vault)
	o := run(t, p.pgseal(t, seals, "finalize", "--format", "json", waiting.ID())).want(t, 10)
	var v finalizer.Verdict
	if err := json.Unmarshal([]byte(o.stdout), &v); err != nil || v.State != finalizer.Waiting || v.WAL.Missing != 2 || v.Deadline == nil {
		t.Errorf("%v %s", err, o.stdout)
	}

	lost := set() // neither marker nor verdict
	lost.Upload(t, vault)
	half := set() // no manifest
	half.UploadArchives(t, vault)
	run(t, p.pgseal(t, seals, "finalize", half.ID())).want(t, 1, "nothing to finalize", half.Key(layout.ManifestName))
	run(t, p.pgseal(t, seals, "finalize", "20200101T000000")).want(t, 1, "nothing to finalize")

	states := func() string {
		var all []string
		for _, b := range p.status(t, reads).Backups { // newest first, in the order of the sets
			all = append(all, string(b.State))
		}
		return strings.Join(all, " ")
	}
	if got := states(); got != "rejected conflict waiting unsealed leftovers" {
		t.Error(got)
	}
	run(t, p.pgseal(t, reads, "status", "--check")).want(t, 2, "no sealed backup", "is rejected: its CRC-32C", "is conflict")
	text := run(t, p.pgseal(t, reads, "status")).want(t, 0, ": WAL segment ", waiting.ID()+": waiting (wal)").stdout
	t.Log("\n" + text)

	// All at once: what waits goes on waiting, what was lost is sealed, what is rejected stays so.
	run(t, p.pgseal(t, seals, "finalize", "--all")).want(t, 11, lost.ID()+" of main: sealed", waiting.ID()+" of main: waiting", rejected.ID()+" of main: rejected")
	waiting.UploadWAL(t, vault)
	o = run(t, p.pgseal(t, seals, "finalize", "--all", "--format", "json")).want(t, 11)
	var all []finalizer.Verdict
	if err := json.Unmarshal([]byte(o.stdout), &all); err != nil || len(all) != 2 || all[0].State != finalizer.Sealed || all[1].State != finalizer.Rejected {
		t.Errorf("%v %s", err, o.stdout)
	}
	if got := states(); got != "rejected conflict sealed sealed leftovers" {
		t.Error(got)
	}

	// WAL that this server's operator does not want looked for.
	off := set()
	off.UploadArchives(t, vault)
	off.UploadManifest(t, vault)
	run(t, p.pgseal(t, append(seals, "PGSEAL_WAL_CHECK=require,main=off"), "finalize", off.ID())).want(t, 0, "WAL was not checked")
	if b := p.becomesID(t, reads, off.ID()); b.State != catalog.Sealed || b.WALChecked == nil || *b.WALChecked {
		t.Errorf("%+v", b)
	}
}

// becomesID picks one backup.
func (p places) becomesID(t testing.TB, env []string, id string) catalog.Backup {
	t.Helper()
	for _, b := range p.status(t, env).Backups {
		if b.ID == id {
			return b
		}
	}
	t.Fatalf("%s is not listed", id)
	return catalog.Backup{}
}

func TestMistakesHaveOneLineAndAnExitCode(t *testing.T) {
	aws := localaws.Start(t, localaws.Config{})
	p := places{aws.VaultURL(), aws.StagingURL()}
	seals := aws.Finalizer.Env()
	plain := func(env []string, args ...string) outcome {
		cmd := pgtest.Command(t.Context(), build.Pgseal(t), args...)
		cmd.Env = append(cmd.Env, env...)
		return run(t, cmd)
	}
	for name, tc := range map[string]struct {
		o    outcome
		code int
		says string
	}{
		"finalize without an id":           {plain(seals, "finalize", "--staging-url", p.staging, p.vault, server), 3, "either the backup's ID or --all"},
		"finalize with an id and --all":    {plain(seals, "finalize", "--all", "--staging-url", p.staging, p.vault, server, "20261123T010203"), 3, "either the backup's ID or --all"},
		"finalize with an id that is none": {plain(seals, "finalize", "--staging-url", p.staging, p.vault, server, "latest"), 3, "it looks like 20261123T010203"},
		"finalize without staging":         {plain(seals, "finalize", p.vault, server, "20261123T010203"), 3, "--staging-url (or PGSEAL_STAGING_URL) is missing"},
		"finalize with a bad setting":      {plain(append(seals, "PGSEAL_WAL_CHECK=maybe"), "finalize", "--staging-url", p.staging, p.vault, server, "20261123T010203"), 3, "PGSEAL_WAL_CHECK"},
		"staging that is the vault":        {plain(seals, "status", "--staging-url", p.vault, p.vault, server), 3, "is the vault itself"},
		"a bad PGSEAL_ABANDON_AFTER":       {plain(append(seals, "PGSEAL_ABANDON_AFTER=soon"), "status", p.vault, server), 3, "PGSEAL_ABANDON_AFTER"},
		"a server's name that is none":     {plain(seals, "status", p.vault, "../x"), 3, "name not allowed"},
		"--check with JSON":                {plain(seals, "status", "--check", "--format", "json", p.vault, server), 3, "--check writes one line"},
		"--max-age without --check":        {plain(seals, "status", "--max-age", "1h", p.vault, server), 3, "go with --check"},
		"a bucket that is not there":       {plain(seals, "status", "s3://nowhere", server), 1, "nowhere"},
		"the same for monitoring":          {plain(seals, "status", "--check", "s3://nowhere", server), 3, "PGSEAL UNKNOWN - "},
		"a directory that is not there":    {plain(nil, "status", "file:///nowhere/vault", server), 1, "not found"},
	} {
		if tc.o.code != tc.code || !strings.Contains(tc.o.stdout+tc.o.stderr, tc.says) || strings.Count(tc.o.stdout+tc.o.stderr, "\n") != 1 {
			t.Errorf("%s: %d\n%s%s", name, tc.o.code, tc.o.stdout, tc.o.stderr)
		}
	}
}
