package manifest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/manifest"
)

const goodLabel = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nCHECKPOINT LOCATION: 0/2000060\nBACKUP METHOD: streamed\n" +
	"BACKUP FROM: primary\nSTART TIME: 2026-11-22 21:57:19 UTC\nLABEL: pgseal 20261122T215719\nSTART TIMELINE: 1\n"

func TestParseLabel(t *testing.T) {
	l, err := manifest.ParseLabel(goodLabel)
	want := manifest.Label{StartLSN: 0x2000028, StartWALFile: "000000010000000000000002", CheckpointLSN: 0x2000060, Method: "streamed",
		From: "primary", StartTime: "2026-11-22 21:57:19 UTC", Text: "pgseal 20261122T215719", StartTimeline: 1}
	if err != nil || l != want {
		t.Errorf("got %+v, %v", l, err)
	}
}

func TestParseLabelRefuses(t *testing.T) {
	for name, change := range map[string][2]string{
		"a missing line":                               {"BACKUP FROM: primary\n", ""},
		"a line that is given twice":                   {"LABEL: ", "LABEL: x\nSTART TIMELINE: 1\nLABEL: "},
		"lines in another order":                       {"BACKUP METHOD: streamed\nBACKUP FROM: primary\n", "BACKUP FROM: primary\nBACKUP METHOD: streamed\n"},
		"a line smuggled in by the text":               {"T215719", "\nSTART WAL LOCATION: 0/1"},
		"an incremental backup":                        {"TIMELINE: 1\n", "TIMELINE: 1\nINCREMENTAL FROM LSN: 0/1\n"},
		"no newline at the end":                        {"TIMELINE: 1\n", "TIMELINE: 1"},
		"an LSN that is none":                          {"0/2000028", "2000028"},
		"a WAL file that is none":                      {"(file 000000010000000000000002)", "(file ../../etc/passwd)"},
		"a WAL file of another timeline":               {"(file 00000001", "(file 00000002"},
		"a WAL file far from the LSN":                  {"(file 0000000100000000", "(file 0000000100000007"},
		"a file name that is not closed":               {"02)", "02"},
		"timeline zero":                                {"START TIMELINE: 1", "START TIMELINE: 0"},
		"a timeline that is too large":                 {"START TIMELINE: 1", "START TIMELINE: 4294967297"},
		"a checkpoint before the start":                {"0/2000060", "0/1000060"},
		"the exclusive method":                         {"streamed", "pg_start_backup"},
		"a source that is neither primary nor standby": {"primary", "elsewhere"},
		"more than any server writes":                  {"LABEL: ", "LABEL: " + strings.Repeat("x", 5000)},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(goodLabel, change[0], change[1], 1)
			if text == goodLabel {
				t.Fatal("nothing changed")
			}
			if l, err := manifest.ParseLabel(text); !errors.Is(err, manifest.ErrFormat) {
				t.Errorf("got %+v, %v", l, err)
			}
		})
	}
}

func FuzzParseLabel(f *testing.F) {
	f.Add(goodLabel)
	f.Add("")
	f.Add(strings.Repeat("LABEL: \n", 7))
	f.Fuzz(func(t *testing.T, text string) {
		l, err := manifest.ParseLabel(text)
		if err != nil {
			if !errors.Is(err, manifest.ErrFormat) {
				t.Errorf("unnamed error %v", err)
			}
			return
		}
		if strings.Contains(l.Text, "\n") || len(l.StartWALFile) != 24 || l.StartTimeline == 0 || l.CheckpointLSN < l.StartLSN {
			t.Errorf("accepted %+v", l)
		}
	})
}
