package backup

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
)

func TestAClockThatIsFarOffIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		off     time.Duration
		refused bool
		noted   bool
	}{
		"right": {0, false, false}, "minutes fast": {5 * time.Minute, false, true}, "minutes slow": {-5 * time.Minute, false, true},
		"a day fast": {24 * time.Hour, true, false}, "a day slow": {-24 * time.Hour, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			url := "file://" + t.TempDir()
			if err := filebucket.InitStaging(url); err != nil {
				t.Fatal(err)
			}
			store, err := filebucket.Open(url)
			if err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			now := func() time.Time { return time.Now().Add(test.off) }
			r := &run{began: now(), Config: Config{
				Server: "main", Vault: store, Staging: store, Now: now, Nonce: func() string { return "x" }, Log: slog.New(slog.NewTextHandler(&log, nil)),
			}}
			err = r.claim(t.Context())
			if errors.Is(err, ErrRefused) != test.refused || err != nil && !test.refused {
				t.Errorf("got %v", err)
			}
			if strings.Contains(log.String(), "clock") != test.noted {
				t.Errorf("logged %q", log.String())
			}
		})
	}
}
