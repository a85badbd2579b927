package pgdata_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/uploader/pgdata"
)

func TestTablespaces(t *testing.T) {
	outside := t.TempDir()
	fill(t, outside, "PG_15_202209061/5/16390", "PG_15_202209061/5/16391_init", "PG_15_202209061/5/16391", "PG_15_202209061/5/t3_1",
		"PG_15_202209061/pgsql_tmp/x", "PG_14_202107181/5/1", "other")
	root := fakeCluster(t, "pg_tblspc/16400 -> "+outside, "ts/in/PG_15_202209061/5/16392", "stale -> ts/in/PG_15_202209061/5/16392")
	inside := filepath.Join(root, "ts", "in")
	fill(t, root, "pg_tblspc/2000 -> "+inside, "pg_tblspc/9 -> /nowhere", "pg_tblspc/3000/PG_15_202209061/")
	p := plan(t, pgdata.Options{Root: root, Tablespaces: []pgdata.Tablespace{
		{OID: 16400, Name: "out", Location: outside},
		{OID: 2000, Name: "in", Location: inside},
		{OID: 3000, Name: "place", Location: "pg_tblspc/3000", InPlace: true},
	}})
	var bases []string
	for _, a := range p.Archives {
		bases = append(bases, a.Base)
	}
	if !slices.Equal(bases, []string{"data", "2000", "16400"}) {
		t.Errorf("archives %q", bases)
	}
	for base, want := range map[string][]string{
		"16400": {"PG_15_202209061/", "PG_15_202209061/5/", "PG_15_202209061/5/16390", "PG_15_202209061/5/16391_init"},
		"2000":  {"PG_15_202209061/", "PG_15_202209061/5/", "PG_15_202209061/5/16392"},
	} {
		if got := names(t, p, base); !slices.Equal(got, want) {
			t.Errorf("%s: got %q", base, got)
		}
	}
	data := names(t, p, "data")
	if !slices.Contains(data, "ts/in/") || slices.ContainsFunc(data, func(n string) bool { return strings.HasPrefix(n, "ts/in/P") }) {
		t.Errorf("a tablespace within PGDATA: %q", data)
	}
	if !slices.Contains(data, "pg_tblspc/3000/PG_15_202209061/") {
		t.Errorf("a tablespace in place: %q", data)
	}
	if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "pg_tblspc/9") {
		t.Errorf("warnings %q", p.Warnings)
	}
}

func TestTablespaceThatDisappears(t *testing.T) {
	outside := t.TempDir()
	fill(t, outside, "PG_15_202209061/5/16390")
	root := fakeCluster(t, "pg_tblspc/16400 -> "+outside)
	p := plan(t, pgdata.Options{Root: root, Tablespaces: []pgdata.Tablespace{{OID: 16400, Name: "ts", Location: outside}}})
	if err := os.RemoveAll(filepath.Join(outside, "PG_15_202209061")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Survey(context.Background()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "16400") {
		t.Errorf("a file system that is gone: %v", err)
	}
	if err := os.Remove(filepath.Join(root, "pg_tblspc/16400")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, p, "16400"); len(got) != 0 {
		t.Errorf("a tablespace that was dropped: %q", got)
	}
}

func TestNewPlanRefuses(t *testing.T) {
	empty := t.TempDir()
	conf := t.TempDir()
	fill(t, conf, "a/x.conf", "b/x.conf", "PG_VERSION", "base", "dir/", "mine")
	for name, test := range map[string]struct {
		options pgdata.Options
		says    string
	}{
		"a directory that is no PGDATA": {pgdata.Options{Root: empty}, empty},
		"a tablespace without this server's directory": {
			pgdata.Options{Tablespaces: []pgdata.Tablespace{{OID: 16400, Name: "ts", Location: empty}}}, "16400"},
		"a tablespace that is somewhere else": {
			pgdata.Options{Tablespaces: []pgdata.Tablespace{{OID: 16400, Name: "ts", Location: conf}}}, conf},
		"a tablespace without a link": {
			pgdata.Options{Tablespaces: []pgdata.Tablespace{{OID: 1, Name: "ts", Location: empty}}}, "pg_tblspc/1"},
		"two configuration files of one name":             {pgdata.Options{ConfigFile: conf + "/a/x.conf", HBAFile: conf + "/b/x.conf"}, "x.conf"},
		"a configuration file named as a file of PGDATA":  {pgdata.Options{HBAFile: conf + "/PG_VERSION"}, "PG_VERSION"},
		"a configuration file named as a directory":       {pgdata.Options{HBAFile: conf + "/base"}, "base"},
		"a configuration file named as a stray directory": {pgdata.Options{HBAFile: conf + "/mine"}, "mine"},
		"a configuration file that is a directory":        {pgdata.Options{ConfigFile: conf + "/dir"}, "dir"},
		"a configuration file that is gone":               {pgdata.Options{ConfigFile: conf + "/gone"}, "config_file"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.options.Root == "" {
				test.options.Root = fakeCluster(t, "pg_tblspc/16400 -> "+empty, "mine/")
			}
			_, err := pgdata.NewPlan(test.options)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestExternalConfiguration(t *testing.T) {
	root := fakeCluster(t, "postgresql.conf", "sub/pg_ident.conf")
	// A name that begins as PGDATA's does is not within it.
	beside := root + "conf"
	fill(t, beside, "postgresql.conf", "pg_hba.conf", "extra.conf")
	via := filepath.Join(t.TempDir(), "via")
	if err := os.Symlink(root, via); err != nil {
		t.Fatal(err)
	}
	p := plan(t, pgdata.Options{Root: root, ConfigFile: beside + "/postgresql.conf", HBAFile: beside + "/pg_hba.conf",
		IdentFile: via + "/sub/pg_ident.conf", IncludedFiles: []string{beside + "/extra.conf", via + "/postgresql.auto.conf"}})
	got := names(t, p, "data")
	want := append(slices.Clone(always), "sub/", "sub/pg_ident.conf", "postgresql.conf", "pg_hba.conf")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if len(p.Warnings) != 2 || !strings.Contains(p.Warnings[0], `"postgresql.conf"`) || !strings.Contains(p.Warnings[1], "extra.conf") {
		t.Errorf("warnings %q", p.Warnings)
	}
	if _, err := pgdata.NewPlan(pgdata.Options{Root: root, IdentFile: "/nowhere/pg_ident.conf"}); err != nil {
		t.Errorf("a server runs without pg_ident.conf, but: %v", err)
	}
}
