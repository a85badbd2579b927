package report_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/settest"
	"github.com/pgseal/pgseal/e2e/build"
)

// pgseal runs the built program.
func pgseal(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), build.Pgseal(t), args...).CombinedOutput(); err != nil {
		t.Fatalf("pgseal %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestTheBuiltProgramsPage seals a backup, leaves another one unsealed, loses WAL, and opens what pgseal report says of it.
func TestTheBuiltProgramsPage(t *testing.T) {
	dir := t.TempDir()
	vaultURL, stagingURL := "file://"+dir+"/vault", "file://"+dir+"/staging"
	if err := filebucket.Init(vaultURL, filebucket.Lock{Default: 30 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := filebucket.InitStaging(stagingURL); err != nil {
		t.Fatal(err)
	}
	vault, err := filebucket.Open(vaultURL)
	if err != nil {
		t.Fatal(err)
	}
	sealed := settest.New("main", time.Now().Add(-2*time.Hour))
	sealed.Upload(t, vault)
	sealed.UploadSegment(t, vault, 9) // and 5 to 8 are not there
	pgseal(t, "finalize", "--staging-url", stagingURL, vaultURL, "main", sealed.ID())
	waiting := settest.New("main", time.Now())
	waiting.Manifest.Begin.LSN, waiting.Manifest.End.LSN = 0x1000028, 0x1180000
	waiting.Relabel()
	waiting.UploadArchives(t, vault)
	waiting.UploadManifest(t, vault)
	if _, err := vault.Create(t.Context(), "other/base/20260101T000000/data.tar", strings.NewReader("x"), bucket.CreateOptions{}); err != nil {
		t.Fatal(err)
	}

	file := filepath.Join(dir, "report.html")
	pgseal(t, "report", "-o", file, "--staging-url", stagingURL, vaultURL)
	p := open(t, file, looks[2])
	p.wellLaidOut(looks[2])
	for selector, want := range map[string]string{
		"h1":                        "Backups in " + vaultURL,
		"#server-main .badge":       "Critical",
		"#server-other .badge":      "No sealed backup",
		"#server-main .chart .hole": "missing: 4 segments, 000000010000000000000005 to 000000010000000000000008",
		"#server-main":              "000000010000000000000008",
		"#server-main .ends":        "2×",
		"#server-main .backups":     sealed.ID(),
		"footer":                    "The page loads nothing and runs no script.",
	} {
		if got := ask[string](p, `document.querySelector("`+selector+`")?.textContent ?? "nothing"`); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", selector, got, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("%v %v", entries, err)
	}
}
