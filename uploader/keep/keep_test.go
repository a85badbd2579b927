package keep_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/barman"
	"github.com/pgseal/pgseal/uploader/keep"
)

const (
	server = "main"
	id     = "20261123T010203"
)

func keeper(t *testing.T, p membucket.Personality, now *time.Time) (keep.Keeper, *membucket.Store) {
	t.Helper()
	s := membucket.New(membucket.Options{Personality: p, URL: "mem://vault", Now: func() time.Time { return *now }, Locked: true, Default: time.Hour})
	for key, body := range map[string]string{
		layout.BackupDir(server, id) + "data.tar":            "",
		layout.BackupInfo(server, id):                        "status=DONE\ntimeline=2\nbegin_wal=0000000200000001000000FE\nend_wal=000000020000000200000001\nend_time=2026-11-23 02:00:00+00:00\n",
		layout.WAL(server, "0000000200000001000000FD", ""):   "before",
		layout.WAL(server, "0000000200000001000000FF", ""):   "",
		layout.WAL(server, "000000020000000200000001", ""):   "",
		layout.WAL(server, "000000020000000200000002", ""):   "after",
		layout.WAL(server, "00000002.history", ".gz"):        "",
		layout.BackupDir(server, "20261124T000000") + "data": "another",
	} {
		if _, err := s.Bucket().Create(t.Context(), key, strings.NewReader(body), bucket.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return keep.Keeper{Catalogue: barman.Catalogue{Vault: s.Bucket(), Server: server}, Remover: membucket.Remover(s.Bucket())}, s
}

func TestALockIsExtendedForAllThatABackupNeedsAndNothingElse(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	k, s := keeper(t, membucket.S3, &now)
	until := now.AddDate(1, 0, 0)
	longer := layout.WAL(server, "0000000200000001000000FF", "")
	if err := k.Vault.Retain(t.Context(), longer, "", until.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := k.Extend(t.Context(), id, until); err != nil || n != 5 {
			t.Fatal(n, err)
		}
	}
	for _, v := range s.Everything("") {
		want := until
		switch {
		case v.Key == longer:
			want = until.Add(time.Hour)
		case string(v.Body) == "before", string(v.Body) == "after", string(v.Body) == "another":
			want = now.Add(time.Hour)
		}
		if !v.RetainUntil.Equal(want) {
			t.Errorf("%s is locked until %v, want %v", v.Key, v.RetainUntil, want)
		}
	}
	if _, err := k.Extend(t.Context(), "20261124T000000", until); !errors.Is(err, bucket.ErrNotFound) {
		t.Error(err)
	}
}

func TestAKeepIsReleasedWhenTheStoreLetsIt(t *testing.T) {
	for _, p := range []membucket.Personality{membucket.S3, membucket.GCS, membucket.Azure} {
		now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
		k, _ := keeper(t, p, &now)
		if err := errors.Join(k.Keep(t.Context(), id, "full"), k.Keep(t.Context(), id, "full")); err != nil {
			t.Fatal(err)
		}
		left, err := k.Release(t.Context(), id)
		if hidden := err == nil && len(left) == 1; hidden != (p == membucket.S3) || !hidden && !errors.Is(err, bucket.ErrRetained) {
			t.Errorf("%v: %q, %v", p, left, err)
		}
		if have, err := k.Catalogue.Keep(t.Context(), id); err != nil || have.Kept != (p != membucket.S3) {
			t.Errorf("%v: %+v, %v", p, have, err)
		}
		now = now.Add(2 * time.Hour)
		if err := k.Keep(t.Context(), id, "standalone"); err != nil {
			t.Errorf("%v: another target: %v", p, err)
		}
		now = now.Add(2 * time.Hour)
		if _, err := k.Release(t.Context(), id); err != nil {
			t.Errorf("%v: %v", p, err)
		}
		if have, err := k.Catalogue.Keep(t.Context(), id); err != nil || have.Kept {
			t.Errorf("%v: %+v, %v", p, have, err)
		}
	}
}
