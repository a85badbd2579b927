package attack_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/cloud"
)

func create(b bucket.Bucket, key string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := b.Create(ctx, key, strings.NewReader("status=DONE\n"), bucket.CreateOptions{SingleShot: true, PartSize: 100})
		return err
	}
}

func overwrite(b bucket.Bucket, key, body string) func(context.Context) error {
	return func(ctx context.Context) error { _, err := b.Put(ctx, key, []byte(body)); return err }
}

// Before the seal and after it. The store refuses each, by name, and nothing is changed.
func replaced(t *testing.T, s *scene) {
	set := settest.New("replaced", time.Now())
	set.Upload(t, s.vault)
	seal := set.Key(layout.BackupInfoName)
	tries := append([]try{
		{"create backup.info", create(s.vault, seal)},
		{"overwrite backup.info", overwrite(s.vault, seal, "status=DONE\n")},
		{"overwrite an archive", overwrite(s.vault, set.Key("data.tar"), "x")},
		{"overwrite the manifest", overwrite(s.vault, set.Key(layout.ManifestName), "x")},
		{"create another server's seal", create(s.vault, layout.BackupInfo("other", set.ID()))},
		{"create a seal in parts", func(ctx context.Context) error {
			_, err := s.vault.Create(ctx, seal, strings.NewReader(strings.Repeat("x", 6<<20)), bucket.CreateOptions{PartSize: 5 << 20})
			return err
		}},
	}, own[s.Kind.Name].replace(t, s, set)...)
	allRefused(t, tries)
	s.isSealed(t, "replaced", set.ID())
	first := s.verdict(t, "replaced", set.ID())
	allRefused(t, tries)
	s.mark(t, "replaced", set.ID())
	s.isUnchanged(t, set)
	if v := s.verdict(t, "replaced", set.ID()); v.Receipt.Version != first.Receipt.Version || v.Receipt.ETag != first.Receipt.ETag || len(v.Findings) > 0 {
		t.Errorf("%+v", v)
	}
	uploads, err := s.OpenUploads(t.Context())
	for _, key := range uploads {
		if strings.Contains(key, "replaced/") {
			t.Errorf("left behind: %s", key)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// Neither verdicts nor the sweep's findings and memory are the host's to write, before they are there and after.
func forgedVerdicts(t *testing.T, s *scene) {
	const server = "verdicts"
	set := settest.New(server, time.Now())
	set.UploadArchives(t, s.vault) // and no WAL
	set.UploadManifest(t, s.vault)
	id := set.ID()
	var tries []try
	for key, body := range map[string]string{
		layout.Verdict(server, id):     `{"format":1,"server":"` + server + `","backup_id":"` + id + `","verdict":"sealed"}`,
		layout.SweepRecord(server, id): `{"format":1,"server":"` + server + `","backup_id":"` + id + `"}`,
		layout.SweepNotes(server):      `{"format":1,"server":"` + server + `","backups":{"` + id + `":{"state":"sealed","first":"2026-01-01T00:00:00Z","last":"2099-01-01T00:00:00Z"}}}`,
		layout.SweepCursor:             `{"format":1,"next":"zzz"}`,
		layout.Drill(server, id):       `{"format":1,"server":"` + server + `","backup_id":"` + id + `","outcome":"passed"}`,
	} {
		tries = append(tries, try{"create " + key, create(s.staging, key)}, try{"write " + key, overwrite(s.staging, key, body)})
	}
	allRefused(t, tries)
	s.mark(t, server, id)
	if v := s.verdict(t, server, id); v.State != finalizer.Waiting {
		t.Errorf("%+v", v)
	}
	s.sweep(t)
	allRefused(t, tries)
	if b := s.status(t, server, id); b.State != "waiting" || len(b.Reasons) == 0 {
		t.Errorf("%+v", b)
	}
	set.UploadWAL(t, s.vault)
	s.mark(t, server, id)
	until(t, "the seal", func() bool { return s.verdict(t, server, id).State == finalizer.Sealed })
}

// A host that may write for one server: nothing of any other's, in either place, nor above and beside them.
func anotherServer(t *testing.T, all *scene) {
	s := begin(t, all.Kind, "main")
	theirs := settest.New("other", time.Now())
	others, err := s.Open(t.Context(), cloud.Breakglass, s.VaultURL())
	if err != nil {
		t.Fatal(err)
	}
	staging, err := s.Open(t.Context(), cloud.Breakglass, s.StagingURL())
	if err != nil {
		t.Fatal(err)
	}
	theirs.Upload(t, others)
	for _, key := range []string{layout.BackupInfo("other", theirs.ID()), layout.Verdict("other", theirs.ID())} {
		if _, err := staging.Put(t.Context(), key, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	id := theirs.ID()
	var tries []try
	for _, key := range []string{
		theirs.Key("data_9999.tar"), layout.WAL("other", "000000010000000000000005", ""), layout.WAL("other", "00000002.history", ""),
		layout.Manifest("other", "20260101T000000"), layout.Manifest("main2", id), layout.Manifest("mai", id), layout.Manifest("Main", id),
		"main.tar", "data.tar", "other.tar", "base/" + id + "/data.tar", "main2/wals/x", "../main/base/" + id + "/data.tar",
	} {
		tries = append(tries, try{"create " + key + " in the vault", create(s.vault, key)})
	}
	for _, key := range []string{
		layout.Marker("other", id), layout.Progress("other", id), layout.BackupInfo("other", id), layout.Marker("main2", id),
		layout.Own + "/complete/x.json", layout.Own + "/x", "main2/base/" + id + "/backup.info",
	} {
		tries = append(tries, try{"create " + key + " in staging", create(s.staging, key)}, try{"write " + key + " in staging", overwrite(s.staging, key, "{}")})
	}
	read := func(b bucket.Bucket, key string) try {
		return try{"read " + key, func(ctx context.Context) error {
			body, _, err := b.Open(ctx, key, "", 0, -1)
			if err == nil {
				_, err = io.Copy(io.Discard, body)
				err = errors.Join(err, body.Close())
			}
			return err
		}}
	}
	tries = append(tries, read(s.vault, theirs.Key("data.tar")), read(s.vault, layout.WAL("other", "000000010000000000000003", "")),
		read(s.staging, layout.Verdict("other", id)), read(s.staging, layout.BackupInfo("other", id)))
	allRefused(t, tries)
	s.sealed(t, "main") // what is its own, it can
}
