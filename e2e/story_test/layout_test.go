package story_test

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// TestEveryCloudGetsTheSameLayout: one resting cluster, archived and backed up
// into every cloud with the same flags. Keys, members of the archives and the
// form of backup.info are those that stock barman restores on S3, so that they
// can be trusted where there is no stock barman to try.
func TestEveryCloudGetsTheSameLayout(t *testing.T) {
	t.Parallel()
	scenes := map[string]*scene{}
	var archive, env []string
	for _, k := range clouds.All() {
		c := startCloud(t, k)
		scenes[k.Name] = c
		archive = append(archive, fmt.Sprintf("%s wal-archive --gzip %s %s %%p", build.Pgseal(t), c.vaultURL, server))
		env = append(env, c.env...)
	}
	source := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15), Tablespaces: 1, OddTablespace: true, Env: env,
		ArchiveCommand: strings.Join(archive, " && "), Settings: map[string]string{"autovacuum": "off"}})
	source.LoadPgbench(1)
	source.ArchiveAll()
	got := map[string]string{}
	for name, c := range scenes {
		id := sealed(t, c.backupOf(t, source, "--wait", "--gzip", "-J", "1", "-S", "1MB", "-n", "nightly"))
		got[name] = c.layoutOf(t, id)
	}
	want := got[clouds.AWS.Name]
	has(t, want, "/data_0002.tar.gz\n", " backup_label 600 ", " global/pg_control 600 ", "status=DONE\n", "backup_name=nightly\n", "main/wals/0000000100000000/")
	for name, layout := range got {
		if layout != want {
			t.Errorf("%s has another layout than S3:\n%s", name, difference(want, layout))
		}
	}
	for _, c := range scenes {
		c.audit(t)
	}
}

// changing are the values that no two backups have in common.
var changing = regexp.MustCompile(`(?m)^((?:begin|end|deduplicated|copy|xlog|ident)\w*|backup_label|size|# pgseal manifest_sha256)=.*$`)

// layoutOf writes down a backup and the archive's directory: keys, the members
// of every archive, and backup.info without what changes.
func (c *scene) layoutOf(t testing.TB, id string) string {
	t.Helper()
	var all strings.Builder
	for _, key := range versions(t, c.vault, layout.BackupDir(server, id)) {
		fmt.Fprintln(&all, strings.ReplaceAll(key, id, "ID"))
		switch name := path.Base(key); {
		case strings.HasSuffix(name, ".tar.gz"):
			c.members(t, key, &all)
		case name == layout.BackupInfoName:
			info := changing.ReplaceAllString(content(t, c.vault, key), "$1=")
			fmt.Fprintln(&all, strings.ReplaceAll(info, id, "ID"))
		}
	}
	for _, key := range versions(t, c.vault, layout.WALDir(server))[:1] {
		fmt.Fprintln(&all, key)
	}
	return all.String()
}

// members lists an archive as "name mode type", in its order.
func (c *scene) members(t testing.TB, key string, to io.Writer) {
	t.Helper()
	body := c.open(t, key)
	defer body.Close()
	unzipped, err := gzip.NewReader(body)
	if err != nil {
		t.Fatal(err)
	}
	unzipped.Multistream(false) // stock barman reads one member
	for r := tar.NewReader(unzipped); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		fmt.Fprintf(to, "  %s %o %c\n", h.Name, h.Mode, h.Typeflag)
	}
}

// difference gives the lines that only one of two texts has.
func difference(a, b string) string {
	one, other := strings.Split(a, "\n"), strings.Split(b, "\n")
	var out strings.Builder
	for sign, pair := range map[string][2][]string{"-": {one, other}, "+": {other, one}} {
		for _, line := range pair[0] {
			if !slices.Contains(pair[1], line) {
				fmt.Fprintln(&out, sign, line)
			}
		}
	}
	return out.String()
}
