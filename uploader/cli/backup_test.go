package cli

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/finalizer"
	basebackup "github.com/pgseal/pgseal/uploader/backup"
)

func TestRetentionIsRoundedUpToTheSecond(t *testing.T) {
	at := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	for in, want := range map[time.Time]time.Time{at: at, at.Add(1): at.Add(time.Second), {}: {}} {
		if got := wholeSecond(in); !got.Equal(want) {
			t.Errorf("%v becomes %v", in, got)
		}
	}
}

func TestVerdictsHaveTheirExitCodes(t *testing.T) {
	for state, code := range map[finalizer.State]int{
		finalizer.Waiting: 10, finalizer.Rejected: 11, finalizer.Conflict: 12, finalizer.Nothing: 1,
	} {
		err := unsealed("20261123T010203", finalizer.Verdict{State: state, Reasons: []finalizer.Reason{{Text: "one"}, {Text: "two"}}}, "pgseal status x y")
		if got := codeOf(err); got != code {
			t.Errorf("%s: %d, want %d", state, got, code)
		}
		if !strings.Contains(err.Error(), "one; two; look at it with: pgseal status x y") {
			t.Error(err)
		}
	}
}

func TestProgressInWords(t *testing.T) {
	p := &basebackup.Progress{}
	p.Total.Store(3 << 30)
	p.Bytes.Store(1 << 30)
	p.Stored.Store(1 << 20)
	if got := progressText(p, 10*time.Second); got != "1.0 GiB of 3.0 GiB (33%), 1.0 MiB stored, 102.4 MiB/s, 20s left" {
		t.Error(got)
	}
	p.Bytes.Store(4 << 30) // it grew meanwhile
	if got := progressText(p, 0); got != "4.0 GiB of 4.0 GiB (100%), 1.0 MiB stored" {
		t.Error(got)
	}
	if got := sizeText(1023); got != "1023 B" {
		t.Error(got)
	}
}

// TestLogLinesStandAboveTheProgressLine: the line goes away before, and leaves
// nothing behind.
func TestLogLinesStandAboveTheProgressLine(t *testing.T) {
	var out bytes.Buffer
	p := &progressLine{out: &out}
	log := slog.New(aboveLine{slog.NewTextHandler(&out, nil), p})
	p.draw("half")
	log.With("a", 1).Info("hello")
	p.clear()
	before, after, _ := strings.Cut(out.String(), "\r\x1b[K")
	if before != "\rhalf\x1b[K" || !strings.Contains(after, "msg=hello a=1") || strings.Contains(after, "\r") {
		t.Errorf("%q", out.String())
	}
}

func TestAnInterruptedBackupSaysSoOnce(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted (terminated)"))
	err := backupFailed(ctx, &basebackup.Error{ID: "20261123T010203", Err: errors.New("interrupted (terminated)")})
	if got := err.Error(); got != "backup 20261123T010203 is given up; its record in staging says FAILED" {
		t.Error(got)
	}
}
