package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/uploader/catalog"
	"github.com/pgseal/pgseal/uploader/report"
	"github.com/pgseal/pgseal/uploader/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden file anew")

func write(t *testing.T, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePageIsWhatItWas(t *testing.T) {
	const golden = "testdata/all.html"
	got := write(t, reporttest.Samples()["all"])
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.FromSlash(golden))
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs: look at it in a browser, then -update writes it anew", golden)
	}
}

func TestTheSameDataMakesTheSamePage(t *testing.T) {
	again := reporttest.Samples()
	for name, r := range reporttest.Samples() {
		if write(t, r) != write(t, again[name]) {
			t.Errorf("%s: two pages of the same data differ", name)
		}
	}
}

// What a browser would load or run, wherever it stands; the tests in e2e ask a real one.
var active = regexp.MustCompile(`(?i)<script|<img|<iframe|<object|<embed|<link rel="stylesheet|<form|\son[a-z]+=["']?[a-z]|\ssrc=|\sstyle=|javascript:|@import|https?://[^ <"]*"[^>]*>`)

func TestThePageHoldsNothingActive(t *testing.T) {
	for name, r := range reporttest.Samples() {
		page := write(t, r)
		tags := regexp.MustCompile(`<[a-zA-Z/!][^>]*>`).FindAllString(page, -1)
		if len(tags) < 50 {
			t.Fatalf("%s: only %d tags", name, len(tags))
		}
		for _, tag := range tags {
			bare := regexp.MustCompile(`(title|content|data-is)="[^"]*"`).ReplaceAllString(tag, "")
			if found := active.FindString(bare); found != "" {
				t.Errorf("%s: %q in %s", name, found, tag)
			}
		}
	}
}

func TestHostileTextsAreEscaped(t *testing.T) {
	page := write(t, reporttest.Samples()["hostile"])
	for _, harm := range []string{"<script", "</title></style>", "<img", "<!--", `onerror="`} {
		if strings.Contains(page, harm) {
			t.Errorf("%q stands in the page", harm)
		}
	}
	if !strings.Contains(page, "&lt;script&gt;") {
		t.Error("the text is gone, too")
	}
}

func TestEveryStateHasItsShapeAndWord(t *testing.T) {
	page := write(t, reporttest.Samples()["all"])
	shapes := map[string]string{}
	for _, m := range regexp.MustCompile(`<symbol id="(g-[a-z-]+)"[^>]*>(.*?)</symbol>`).FindAllStringSubmatch(page, -1) {
		if other := shapes[m[2]]; other != "" {
			t.Errorf("%s looks as %s", m[1], other)
		}
		shapes[m[2]] = m[1]
	}
	for _, s := range []catalog.State{catalog.Running, catalog.Complete, catalog.Waiting, catalog.Sealed, catalog.Rejected, catalog.Conflict, catalog.Failed,
		catalog.Abandoned, catalog.Unsealed, catalog.Leftovers, catalog.Tampered, catalog.Deleted, catalog.Foreign, catalog.Unreadable} {
		if !strings.Contains(page, `<symbol id="g-`+string(s)+`"`) || !strings.Contains(page, `</svg>`+string(s)+`</span>`) || !strings.Contains(page, `<b>`+string(s)+`</b>`) {
			t.Errorf("%s has no shape, is not in the table, or not in the legend", s)
		}
	}
}

func TestTheHeadline(t *testing.T) {
	for name, tc := range map[string]struct{ sample, says string }{
		"all is well":              {"one", `<span class="badge ok">Protected</span>`},
		"a failure among backups":  {"everyday", `<span class="badge ok">Protected</span>`},
		"findings":                 {"all", `<span class="badge critical">Critical</span>`},
		"no backup":                {"nothing", `<span class="badge critical">No sealed backup</span>`},
		"no server":                {"no-server", "There is no server in this vault"},
		"one cannot be read":       {"servers", `<span class="badge unknown">Could not be read</span>`},
		"how far a restore can go": {"one", "A restore can go to any moment from 2026-11-23 09:00 to 2026-11-23 11:56 UTC."},
		"how long it is kept":      {"one", "The newest sealed backup is locked until 2026-12-23 09:00 UTC."},
		"an old seal":              {"all", "The newest sealed backup is older than 1 d 2 h."},
		"a hole":                   {"all", "<td data-is=\"Missing from\"><code>0000000100000A4A00000010</code></td>"},
		"a drill that passed":      {"everyday", "<td data-is=\"Last drill\">2026-11-22 passed</td>"},
		"a drill that failed":      {"all", "failed at the step recover: PostgreSQL ended before it was consistent"},
		"what can be deleted":      {"all", "<b>Now:</b> 1 backup, 38 GiB: 20261111T115340."},
	} {
		if !strings.Contains(write(t, reporttest.Samples()[tc.sample]), tc.says) {
			t.Errorf("%s: %q is not there", name, tc.says)
		}
	}
}
