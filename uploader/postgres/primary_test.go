package postgres_test

import (
	"errors"
	"testing"

	"github.com/pgseal/pgseal/uploader/postgres"
	"github.com/pgseal/pgseal/uploader/postgres/testserver"
)

func TestAnIdlePrimaryEndsTheSegmentThatItsStandbyNeeds(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	primary := testserver.Start(t, 15)
	standby := primary.Standby()
	primary.SQL("CREATE TABLE t AS SELECT 1", "SELECT pg_switch_wal()", "CHECKPOINT")
	session := connect(t, standby, "")
	facts, err := session.Facts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.ConnectPrimary(ctx, standby.DSN(), facts); !errors.Is(err, postgres.ErrOtherServer) {
		t.Errorf("a standby as primary: %v", err)
	}
	if _, err := postgres.ConnectPrimary(ctx, testserver.Start(t, 15).DSN(), facts); !errors.Is(err, postgres.ErrOtherServer) {
		t.Errorf("another cluster: %v", err)
	}
	primary.SQL("CREATE ROLE backup LOGIN")
	if _, err := postgres.ConnectPrimary(ctx, primary.DSN()+" user=backup", facts); !errors.Is(err, postgres.ErrPrivilege) {
		t.Errorf("without privileges: %v", err)
	}
	p, err := postgres.ConnectPrimary(ctx, primary.DSN(), facts)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := session.Start(ctx, "x", true); err != nil {
		t.Fatal(err)
	}
	stop, err := session.Stop(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if switched, err := p.Switch(ctx, stop.LSN, facts.WALSegmentSize, "x"); err != nil || !switched {
		t.Errorf("%v, %v", switched, err)
	}
	if switched, err := p.Switch(ctx, stop.LSN, facts.WALSegmentSize, "x"); err != nil || switched {
		t.Errorf("once more: %v, %v", switched, err)
	}
}
