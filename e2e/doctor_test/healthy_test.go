package doctor_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/uploader/doctor"
)

// unseen is what a host cannot see where all is well, by cloud.
var unseen = map[string][]string{
	"AWS":          {"staging-expiry", "uploads", "vault-rules"},
	"Google Cloud": {},
	"Azure":        {"no-settings", "staging-expiry"},
}

// TestOneDeploymentWellAndWithEachDefect makes a deployment with a server, a sealed backup and a sweep that ran, on which
// the doctor has to be silent, and then plants one defect after the other.
func TestOneDeploymentWellAndWithEachDefect(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := deploy(t, k)
		vault := s.open(t, cloud.Breakglass, s.VaultURL())
		before := everything(t, vault)

		code, table, stderr := s.examine(t, visit{})
		if code != 0 || stderr != "" || !strings.Contains(table, "\nNothing is wrong.") {
			t.Fatalf("exit code %d\n%s%s", code, table, stderr)
		}
		t.Logf("\n%s", table)
		wantFits(t, table)
		r := s.report(t, visit{})
		wantProblems(t, r, map[string]doctor.State{})
		if blind := slices.Sorted(maps.Keys(lines(r, doctor.Unseen))); !slices.Equal(blind, unseen[k.Name]) {
			t.Errorf("unseen %q, want %q", blind, unseen[k.Name])
		}

		for _, d := range defects {
			if d.only != "" && !slices.Contains(strings.Split(d.only, ", "), k.Name) {
				continue
			}
			t.Run(d.name, func(t *testing.T) {
				v := d.plant(t, s)
				r := s.report(t, v)
				wantProblems(t, r, d.want)
				code, table, stderr := s.examine(t, v)
				if code == 0 || stderr != "" || !strings.Contains(table, "next: ") {
					t.Errorf("exit code %d\n%s%s", code, table, stderr)
				}
				wantFits(t, table)
			})
		}
		wantProblems(t, s.report(t, visit{}), map[string]doctor.State{}) // every defect was taken away again

		wantHarmless(t, s)
		if after := withoutWAL(everything(t, vault)); !slices.Equal(after, withoutWAL(before)) {
			t.Errorf("the vault holds\n%q, and held\n%q", after, before)
		}
		if open, err := s.OpenUploads(t.Context()); err != nil || len(open) > 0 {
			t.Errorf("uploads are open: %q, %v", open, err)
		}
		staging := everything(t, s.open(t, cloud.Breakglass, s.StagingURL()))
		if n := len(slices.DeleteFunc(staging, func(line string) bool { return !strings.HasPrefix(line, server+"/doctor.txt ") })); n != 1 {
			t.Errorf("%d objects of the doctor's", n)
		}
	})
}

// wantHarmless looks at all that the host has sent to the vault: nothing that could delete without a condition that cannot
// hold, and no settings that were taken.
func wantHarmless(t *testing.T, s *scene) {
	t.Helper()
	deletes := 0
	for _, r := range s.Requests(cloud.By(cloud.Host), cloud.In(s.VaultName())) {
		switch r.Op {
		case cloud.Delete:
			deletes++
			if r.Version == "" && r.IfMatch == "" || r.Granted() && r.Version != "null" {
				t.Errorf("a delete that could be obeyed: %+v", r)
			}
		case cloud.Other:
			if r.Method != "GET" && r.Method != "HEAD" && r.Granted() {
				t.Errorf("it was obeyed: %+v", r)
			}
		case cloud.Create:
			if r.Granted() && !r.CreateOnly {
				t.Errorf("it was stored: %+v", r)
			}
		}
	}
	if deletes == 0 {
		t.Error("no delete was tried")
	}
}

// withoutWAL leaves out what the server itself archives meanwhile.
func withoutWAL(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(line string) bool { return strings.HasPrefix(line, server+"/wals/") })
}

var backupID = regexp.MustCompile(`\b\d{8}T\d{6}\b`)

// deploy makes a deployment as it should be.
func deploy(t testing.TB, k clouds.Kind) *scene {
	t.Helper()
	s := &scene{Cloud: k.Start(t, config)}
	arrange(t, s)
	host, finalizer := s.Env(cloud.Host), s.Env(cloud.Finalizer)
	s.cluster = pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15), Env: host,
		ArchiveCommand: build.Pgseal(t) + " wal-archive " + s.VaultURL() + " " + server + " %p"})
	taken := s.must(t, host, "backup", "-d", s.cluster.DSN(), "--immediate-checkpoint", "--no-wait", "--staging-url", s.StagingURL(), s.VaultURL(), server)
	s.cluster.ArchiveAll()
	s.must(t, finalizer, "finalize", "--staging-url", s.StagingURL(), s.VaultURL(), server, backupID.FindString(taken))
	s.must(t, finalizer, "sweep", "--staging-url", s.StagingURL(), s.VaultURL())
	return s
}
