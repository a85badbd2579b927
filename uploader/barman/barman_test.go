package barman_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/uploader/barman"
)

const (
	server = "main"
	id     = "20261123T010203"
	info   = "status=DONE\nbegin_wal=000000010000000000000002\nend_time=2026-11-23 02:00:00+00:00\n"
)

func catalogue(t *testing.T, objects map[string]string) (barman.Catalogue, *membucket.Store) {
	t.Helper()
	s := membucket.New(membucket.Options{Personality: membucket.S3, URL: "s3://vault", Now: time.Now})
	for key, body := range objects {
		if err := s.Overwrite(key, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	return barman.Catalogue{Vault: s.Bucket(), Server: server}, s
}

func TestWhatTheStoreDoesNotShowIsNoShorterList(t *testing.T) {
	c, s := catalogue(t, map[string]string{layout.BackupInfo(server, id): info, layout.BackupInfo(server, "20261124T010203"): info})
	for _, kind := range []error{bucket.ErrUnavailable, bucket.ErrDenied} {
		c.Vault = s.Hooked(func(_ context.Context, call membucket.Call) membucket.Fault {
			if call.Key == layout.BackupInfo(server, id) {
				return membucket.Fault{Skip: true, Err: &bucket.Error{Kind: kind, Code: "no"}}
			}
			return membucket.Fault{}
		}, false)
		if all, _, err := c.Backups(t.Context()); !errors.Is(err, kind) {
			t.Errorf("%d backups, %v", len(all), err)
		}
	}
}

func TestNoTextReachesTheTerminalRaw(t *testing.T) {
	evil := info + "backup_name=\x1b]0;owned\a\npgdata=/a\u202e\n"
	c, _ := catalogue(t, map[string]string{layout.BackupInfo(server, id): evil, layout.Keep(server, id): "\x1bfull\nmore"})
	all, _, err := c.Backups(t.Context())
	if err != nil || len(all) != 1 || c.Keeps(t.Context(), all) != nil {
		t.Fatal(all, err)
	}
	var out bytes.Buffer
	if err := errors.Join(barman.List(&out, all), barman.Show(&out, all[0])); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\a\u202e") || !strings.Contains(out.String(), "KEEP:?FULL") {
		t.Errorf("%q", out.String())
	}
}

func TestAnythingThatStandsThereKeeps(t *testing.T) {
	for text, want := range map[string]barman.Keep{
		"full": {Kept: true, Target: "full"}, "standalone": {Kept: true, Target: "standalone"}, "": {Kept: true}, strings.Repeat("x", 1000): {Kept: true, Target: strings.Repeat("x", 64)},
	} {
		c, _ := catalogue(t, map[string]string{layout.Keep(server, id): text})
		if got, err := c.Keep(t.Context(), id); err != nil || got != want || got.Standalone() != (text == "standalone") {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	c, _ := catalogue(t, nil)
	if got, err := c.Keep(t.Context(), id); err != nil || got.Kept {
		t.Error(got, err)
	}
}

func TestSpansAreToldAsBarmanDoes(t *testing.T) {
	for seconds, want := range map[string]string{
		"0.4": "less than one second", "1": "1 second", "61.5": "1 minute, 1 second", "90061": "1 day, 1 hour, 1 minute, 1 second",
		"172800": "2 days", "0.9999999": "1 second",
	} {
		c, _ := catalogue(t, map[string]string{layout.BackupInfo(server, id): info + "copy_stats={'copy_time': " + seconds + "}\n"})
		b, err := c.Backup(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := barman.Show(&out, b); err != nil || !strings.Contains(out.String(), ": "+want+"\n") {
			t.Errorf("%s: %v in\n%s", seconds, err, out.String())
		}
	}
}
