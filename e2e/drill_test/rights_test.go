package drill_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/proof"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/sealed"
)

// Who restores writes what came of a drill, again and again; nobody else can, the host above all.
func TestOnlyWhoRestoresProves(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		s := k.Start(t, cloud.Config{Prefix: "barman", Server: sealed.Server, VaultRetention: time.Hour})
		const id = "20261123T020000"
		p := proof.Proof{
			Format: 1, Server: sealed.Server, BackupID: id, Outcome: proof.Passed, RecoveredTo: 1, Begin: time.Now(), End: time.Now(),
			Steps: []proof.Step{{Name: proof.Recover, Outcome: proof.Passed}},
		}
		write := func(who string) error {
			staging, err := s.Open(t.Context(), who, s.StagingURL())
			if err != nil {
				t.Fatal(err)
			}
			body, err := p.Encode()
			if err != nil {
				t.Fatal(err)
			}
			_, err = staging.Put(t.Context(), layout.Drill(sealed.Server, id), body)
			return err
		}
		for _, who := range []string{cloud.Host, cloud.Finalizer, cloud.Operator} {
			if err := write(who); !errors.Is(err, bucket.ErrDenied) {
				t.Errorf("%s: %v", who, err)
			}
		}
		for range 2 {
			if err := write(cloud.Restore); err != nil {
				t.Fatal(err)
			}
		}
		for _, who := range []string{cloud.Host, cloud.Finalizer, cloud.Operator} {
			if err := write(who); !errors.Is(err, bucket.ErrDenied) {
				t.Errorf("%s writes over a proof: %v", who, err)
			}
		}
	})
}
