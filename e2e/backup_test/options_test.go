package backup_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestRetentionAndTagsOnEveryObject: one moment for all of them, whenever they
// are stored.
func TestRetentionAndTagsOnEveryObject(t *testing.T) {
	store, p := cloudPlaces(t, clouds.AWS, cloud.Config{HostMaySetRetention: true})
	aws := store.Store.(*localaws.AWS)
	if err := aws.Rules.Add(localaws.Statement{Sid: "HostTags", Effect: localaws.Allow, Principal: []string{cloud.Host},
		Actions: []string{"s3:PutObjectTagging"}, Resources: []string{"arn:aws:s3:::vault/*"}}); err != nil {
		t.Fatal(err)
	}
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Tablespaces: 1})
	before := time.Now()
	id := p.mustBackup(t, c, "--retention", "2d", "--require-lock", "--tag", "team,db", "-S", "4MB")
	var until time.Time
	for _, key := range keys(t, p.vault, layout.BackupDir(server, id)) {
		obj, err := p.vault.Stat(t.Context(), key, "")
		if err != nil {
			t.Fatal(err)
		}
		if until.IsZero() {
			until = obj.RetainUntil
		}
		if !obj.RetainUntil.Equal(until) || until.Before(before.Add(48*time.Hour)) || until.After(time.Now().Add(48*time.Hour+time.Second)) {
			t.Errorf("%s until %s, not %s", key, obj.RetainUntil, until)
		}
		if len(aws.Requests(localaws.Keys("barman/"+key), localaws.Operations("PutObject", "CreateMultipartUpload"))) == 0 {
			t.Errorf("%s: no request", key)
		}
	}
	has(t, content(t, p.vault, layout.Manifest(server, id)), `"retain_until": "`+until.UTC().Format(time.RFC3339)+`"`)
}

// TestCompressions: each restores; gzip is one member and bzip2 one stream, as
// barman wants them, which the tools of the system confirm by reading them.
func TestCompressions(t *testing.T) {
	p := filePlaces(t)
	c := p.cluster(t, pgtest.Options{Install: pgtest.Find(t, 15), Tablespaces: 1})
	for flag, read := range map[string]string{"--gzip": "gzip -dc", "--bzip2": "bzip2 -dc", "--snappy": "", "--lz4": "lz4 -dc", "": "cat"} {
		t.Run(flag, func(t *testing.T) {
			var args []string
			if flag != "" {
				args = append(args, flag)
			}
			id := p.mustBackup(t, c, args...)
			r := p.restored(t, c, id)
			checkTablespaces(t, c, r)
			if read == "" {
				return
			}
			out := filepath.Join(pgtest.Dir(t), "out")
			if err := os.Mkdir(out, 0o777); err != nil {
				t.Fatal(err)
			}
			pgtest.Own(t, out)
			for _, name := range p.archives(t, id) {
				file := filepath.Join(p.vaultURL[len("file://"):], layout.BackupDir(server, id), name)
				pgtest.Run(t, "/bin/sh", "-c", "cat "+file+" | "+read+" | tar -x -C "+out)
			}
			if _, err := os.Stat(filepath.Join(out, "backup_label")); err != nil {
				t.Error(err)
			}
		})
	}
}
