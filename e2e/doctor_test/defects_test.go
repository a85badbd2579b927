package doctor_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/localazure"
	"github.com/pgseal/pgseal/e2e/localgcp"
	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/uploader/doctor"
)

// defect is one thing that is wrong with a deployment, and the lines that say so.
type defect struct {
	name  string
	only  string // the clouds where it can be; "" is every one
	plant func(t *testing.T, s *scene) visit
	want  map[string]doctor.State
}

const (
	warning  = doctor.Warning
	critical = doctor.Critical
)

type found = map[string]doctor.State

// calling is a defect of how things are set on the host.
func calling(v visit) func(*testing.T, *scene) visit {
	return func(*testing.T, *scene) visit { return v }
}

// allowing gives the host a right of its cloud's for as long as the test runs.
func allowing(r right) func(*testing.T, *scene) visit {
	return func(t *testing.T, s *scene) visit { allow(t, s, r); return visit{} }
}

var defects = []defect{
	{"the host may write backup.info", "", allowing(toSeal), found{"no-seal": critical}},
	{"the host may overwrite", "AWS", allowing(toOverwrite), found{"no-overwrite": critical}},
	{"the host may delete", "AWS, Azure", allowing(toDelete), found{"no-delete": critical}},
	{"the host may delete, and so overwrite", "Google Cloud", allowing(toDelete), found{"no-delete": critical, "no-overwrite": critical}},
	{"the host may delete versions", "AWS", allowing(toDeleteVersions), found{"no-delete": critical}},
	{"the host may change the lock", "AWS, Google Cloud", allowing(toChangeLock), found{"no-settings": critical}},
	{"the host may change the lifecycle rules", "AWS", allowing(toChangeLifecycle), found{"no-settings": critical}},
	{"the host may not archive WAL", "", func(t *testing.T, s *scene) visit {
		restore, err := s.Deny(cloud.Host, cloud.ToCreate, s.VaultName(), "*/wals/*")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(restore)
		return visit{}
	}, found{"create": critical}},

	{"this machine's clock is behind", "", func(t *testing.T, s *scene) visit {
		const by = 10 * time.Minute
		switch c := s.Store.(type) {
		case *localaws.AWS:
			c.SetAhead(by)
			t.Cleanup(func() { c.SetAhead(0) })
		case *localgcp.GCP:
			c.SetAhead(by)
			t.Cleanup(func() { c.SetAhead(0) })
		case *localazure.Azure:
			c.Clock.Advance(by)
			t.Cleanup(func() { c.Clock.Advance(-by) })
		}
		return visit{}
	}, found{"clock": warning}},
	{"the store ignores the condition of a create", "", func(t *testing.T, s *scene) visit {
		s.Faulty().Add(cloud.Fault{Op: cloud.Create, Bucket: s.StagingName(), Key: "*/doctor.txt", Action: cloud.Unconditional})
		t.Cleanup(s.Faulty().Clear)
		return visit{}
	}, found{"conditional-create": critical}},

	{"staging is in the vault's bucket", "", func(t *testing.T, s *scene) visit {
		return visit{staging: strings.Replace(s.VaultURL(), "/barman", "/staging", 1)}
	}, found{"apart": critical}},
	{"staging is in the vault", "", func(t *testing.T, s *scene) visit {
		return visit{staging: s.VaultURL() + "/staging"}
	}, found{"apart": critical}},
	{"staging cannot be reached", "", func(t *testing.T, s *scene) visit {
		return visit{staging: strings.Replace(s.StagingURL(), "staging", "no-such-place", 1)}
	}, found{"staging": critical}},
	{"staging is locked", "Google Cloud, Azure", func(t *testing.T, s *scene) visit {
		lockStaging(t, s)
		return visit{}
	}, found{"staging": critical}},
	{"staging is never emptied", "AWS, Google Cloud", func(t *testing.T, s *scene) visit {
		seeNoExpiry(t, s)
		return visit{}
	}, found{"staging-expiry": warning}},
	{"the credentials are wrong", "", func(t *testing.T, s *scene) visit {
		return visit{env: s.Wrong(s.Store)}
	}, found{"vault": critical, "staging": critical}},
	{"an upload was never ended", "AWS", oldUpload, found{"uploads": warning}},
	{"a lifecycle rule hides what is in the vault", "AWS", hidingRule, found{"vault-rules": critical}},
	{"the vault has versions", "Google Cloud", vaultVersions, found{"versioning": warning}},

	{"the finalizer asks for a longer lock", "", calling(visit{env: []string{"PGSEAL_MIN_RETENTION=30d"}}), found{"lock": critical}},
	{"the finalizer asks for another encryption", "", calling(visit{env: []string{"PGSEAL_VAULT_ENCRYPTION=aws:kms:key"}}), found{"encryption": critical}},
	{"the window is longer than the lock", "", calling(visit{args: []string{"--window", "30d"}}), found{"window": critical}},
	{"the newest seal is old", "", func(t *testing.T, s *scene) visit {
		until(t, "the seal to be a second old", func() bool {
			for _, l := range s.report(t, visit{}).Lines {
				if l.Check == "seal-age" && !strings.HasSuffix(l.Text, " 0 s ago") && !strings.HasSuffix(l.Text, " 1 s ago") {
					return true
				}
			}
			return false
		})
		return visit{args: []string{"--max-age", "1s"}}
	}, found{"seal-age": critical}},

	{"PostgreSQL does not answer", "AWS", calling(visit{dsn: "none", args: []string{"-h", "/nonexistent"}}), found{"postgres": critical}},
	{"the user may not take a backup", "AWS", func(t *testing.T, s *scene) visit {
		s.cluster.SQL("CREATE ROLE nobody LOGIN")
		return visit{dsn: strings.Replace(s.cluster.DSN(), "user=postgres", "user=nobody", 1)}
	}, found{"privileges": critical}},
	{"full_page_writes is off", "AWS", func(t *testing.T, s *scene) visit {
		s.cluster.Set(map[string]string{"full_page_writes": "off"})
		t.Cleanup(func() { s.cluster.Set(map[string]string{"full_page_writes": "on"}) })
		return visit{}
	}, found{"full-page-writes": warning}},
	{"archive_command fails", "AWS", failingArchiver, found{"archiver": critical}},
	{"archive_mode is off", "AWS", func(t *testing.T, s *scene) visit {
		return visit{dsn: pgtest.New(t, pgtest.Options{Install: s.cluster.Install}).DSN()}
	}, found{"archiving": critical}},
	{"archive_command is empty", "AWS", func(t *testing.T, s *scene) visit {
		return visit{dsn: pgtest.New(t, pgtest.Options{Install: s.cluster.Install, ArchiveMode: "on"}).DSN()}
	}, found{"archiving": critical}},
	{"a standby has no restore_command", "AWS", func(t *testing.T, s *scene) visit {
		return visit{dsn: s.cluster.Standby().DSN()}
	}, found{"standby": warning}},
}

// failingArchiver lets archive_command fail until the test ends.
func failingArchiver(t *testing.T, s *scene) visit {
	c := s.cluster
	good := c.SQL("SHOW archive_command")
	failures := func() int {
		n, err := strconv.Atoi(c.SQL("SELECT failed_count FROM pg_stat_archiver"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := failures()
	c.Set(map[string]string{"archive_command": "false"})
	c.SwitchWAL()
	until(t, "archive_command to fail", func() bool { return failures() > before })
	t.Cleanup(func() {
		c.Set(map[string]string{"archive_command": good})
		c.ArchiveAll()
		until(t, "the archiver to be told of", func() bool {
			return c.SQL("SELECT last_archived_time > last_failed_time FROM pg_stat_archiver") == "t"
		})
	})
	return visit{}
}
