package doctor_test

import (
	"context"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/localgcp"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/uploader/doctor"
)

// TestPlacesThatWereMadeWrong looks at vaults and staging places with a defect that they have from the beginning. They have
// a small sealed backup, and no server.
func TestPlacesThatWereMadeWrong(t *testing.T) {
	t.Parallel()
	unlocked := config
	unlocked.VaultRetention = 0
	// inAWS is a local AWS in which somebody else has made a bucket before.
	inAWS := func(t *testing.T, made func(*localaws.AWS) error, c localaws.Config) *clouds.Cloud {
		c.Prefix, c.Server, c.Dir = config.Prefix, config.Server, t.TempDir()
		if made != nil {
			first, err := localaws.New(localaws.Config{Dir: c.Dir, Bare: true})
			if err != nil {
				t.Fatal(err)
			}
			err = made(first)
			first.Close()
			if err != nil {
				t.Fatal(err)
			}
		}
		return clouds.AWS.In(localaws.Start(t, c))
	}
	for name, tc := range map[string]struct {
		start func(t *testing.T) *clouds.Cloud
		want  found
	}{
		"S3, without Object Lock": {func(t *testing.T) *clouds.Cloud {
			return inAWS(t, func(a *localaws.AWS) error { return a.CreateBucket(context.Background(), "vault") }, localaws.Config{})
		}, found{"lock": critical}},
		"S3, with Object Lock and no default": {func(t *testing.T) *clouds.Cloud { return clouds.AWS.Start(t, unlocked) }, found{"lock": warning}},
		"S3, in GOVERNANCE mode": {func(t *testing.T) *clouds.Cloud {
			return inAWS(t, nil, localaws.Config{VaultRetention: 7 * days, Governance: true})
		}, found{"lock": warning}},
		"S3, staging with a lock": {func(t *testing.T) *clouds.Cloud {
			return inAWS(t, func(a *localaws.AWS) error {
				return a.CreateLockedBucket(context.Background(), "staging", types.ObjectLockRetentionModeCompliance, days)
			}, localaws.Config{VaultRetention: 7 * days})
		}, found{"staging": critical}},
		"Google Cloud, with a policy that is not locked": {func(t *testing.T) *clouds.Cloud {
			c := clouds.GCP.Start(t, config)
			emptied(t, c.Store.(*localgcp.GCP), 30)
			return c
		}, found{"lock": warning}},
		"Google Cloud, without a policy": {func(t *testing.T) *clouds.Cloud {
			c := clouds.GCP.Start(t, unlocked)
			emptied(t, c.Store.(*localgcp.GCP), 30)
			return c
		}, found{"lock": warning}},
		"Azure, without a policy, which alone keeps a host from overwriting": {func(t *testing.T) *clouds.Cloud {
			return clouds.Azure.Start(t, unlocked)
		}, found{"lock": critical, "no-overwrite": critical}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &scene{Cloud: tc.start(t)}
			set := settest.New(server, time.Now())
			set.Upload(t, s.open(t, cloud.Host, s.VaultURL()))
			s.must(t, s.Env(cloud.Finalizer), "finalize", "--staging-url", s.StagingURL(), s.VaultURL(), server, set.ID())
			wantProblems(t, s.report(t, visit{}), tc.want)
		})
	}
}

// A deployment before its first backup: the vault is empty, and everything else is as it should be.
func TestANewDeployment(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := &scene{Cloud: k.Start(t, config)}
		arrange(t, s)
		wantProblems(t, s.report(t, visit{}), found{"seal-age": critical, "wal": critical})
		vault := s.open(t, cloud.Breakglass, s.VaultURL())
		if all := everything(t, vault); len(all) > 0 {
			t.Errorf("the doctor left %q in the vault", all)
		}
	})
}

// A directory has no rights of single names: what cannot be tried there is unseen, and never told as well.
func TestADirectory(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	s := &scene{}
	vault, staging := "file://"+dir+"/vault", "file://"+dir+"/staging"
	c := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15), ArchiveCommand: build.Pgseal(t) + " wal-archive " + vault + " " + server + " %p"})
	s.must(t, nil, "backup", "-d", c.DSN(), "--immediate-checkpoint", "--retention", "7d", "--staging-url", staging, vault, server)
	args := []string{"doctor", "-d", c.DSN(), "--staging-url", staging, vault, server}
	code, table, stderr := s.run(t, nil, args...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d\n%s%s", code, table, stderr)
	}
	wantFits(t, table)
	_, document, _ := s.run(t, nil, append(args, "--format", "json")...)
	var r doctor.Report
	if err := json.Unmarshal([]byte(document), &r); err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	wantProblems(t, r, map[string]doctor.State{})
	want := found{}
	for _, check := range []string{"no-delete", "no-overwrite", "no-seal", "no-settings", "rehearsal", "staging-expiry", "sweep"} {
		want[check] = doctor.Unseen
	}
	if have := lines(r, doctor.Unseen); !maps.Equal(have, want) {
		t.Errorf("unseen %v, want %v", have, want)
	}
}
