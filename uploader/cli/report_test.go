package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReportFromTheCommandLine(t *testing.T) {
	s := newShelf(t)
	s.uploaded()
	s.sweep()
	s.create("other/base/20260101T000000/backup.info", "")
	url, staging := s.vault.URL(), s.staging.URL()
	file := filepath.Join(t.TempDir(), "report.html")

	code, page, stderr := s.run("report", "--staging-url", staging, url, "main")
	if code != 0 || stderr != "" || !strings.HasPrefix(page, "<!DOCTYPE html>") || !strings.HasSuffix(page, "</html>\n") || !strings.Contains(page, "Protected") {
		t.Errorf("%d %s %.200s", code, stderr, page)
	}
	if code, stdout, _ := s.run("report", "--staging-url", staging, "-o", "-", url, "main"); code != 0 || !strings.HasPrefix(stdout, "<!DOCTYPE html>") {
		t.Errorf("-o -: %d %.100s", code, stdout)
	}
	code, stdout, stderr := s.run("report", "-o", file, url) // every server, without staging
	body, err := os.ReadFile(file)
	if code != 0 || stdout != "" || err != nil || !strings.Contains(string(body), `id="server-main"`) || !strings.Contains(string(body), `id="server-other"`) {
		t.Errorf("%d %s %s %v", code, stdout, stderr, err)
	}
	for _, args := range [][]string{{"report", url, "../x"}, {"report", "x://y"}, {"report", "--max-age", "soon", url}} {
		if code, _, stderr := s.run(args...); code != 3 || !strings.HasPrefix(stderr, "ERROR: ") {
			t.Errorf("%v: %d %s", args, code, stderr)
		}
	}
	if code, _, stderr := s.run("report", "-o", t.TempDir(), url); code != 1 || !strings.Contains(stderr, "is a directory") {
		t.Errorf("%d %s", code, stderr)
	}
	if code, stdout, stderr := s.run("report", url+"/none"); code != 1 || stdout != "" {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
}

func TestAReportReplacesTheLastOneAtOnce(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "report.html"), filepath.Join(dir, "latest.html")
	if err := os.Symlink("report.html", link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("the last one"), 0o644); err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := writePage(link, []byte("the new one"), nil); err != nil {
		t.Fatal(err)
	}
	body, _ := os.ReadFile(file)
	info, err := os.Lstat(link)
	if string(body) != "the new one" || err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%q %v", body, info)
	}
	before := make([]byte, 20) // who has the old one open goes on reading that
	if n, _ := old.Read(before); string(before[:n]) != "the last one" {
		t.Errorf("%q", before[:n])
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o400 == 0 || info.Mode().Perm()&0o022 != 0 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v %v", entries, err)
	}
	if err := writePage(os.DevNull, []byte("x"), nil); err != nil {
		t.Error(err)
	}
	if err := writePage(filepath.Join(dir, "none", "report.html"), []byte("x"), nil); err == nil {
		t.Error("into a directory that is not there")
	}
}
