package filebucket_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
)

func TestURLsNameDirectories(t *testing.T) {
	for raw, want := range map[string]string{
		"file:///srv/vault":          "file:///srv/vault",
		"file:///srv/vault/":         "file:///srv/vault",
		"file:///srv//vault/./x/../": "file:///srv/vault",
		"file://localhost/srv/vault": "file:///srv/vault",
		"file:/srv/vault":            "file:///srv/vault",
		"file:///srv/my%20vault":     "file:///srv/my%20vault",
		"file:///srv/100%25":         "file:///srv/100%25",
		"file:///srv/a%3Fb%23c":      "file:///srv/a%3Fb%23c",
		"file:///srv/ä":              "file:///srv/%C3%A4",
	} {
		b, err := filebucket.Open(raw)
		if err != nil || b.URL() != want {
			t.Errorf("Open(%q) = %v, %v; want %q", raw, b, err, want)
		}
	}
}

func TestURLsThatNameNoDirectoryAreRefusedWithAHint(t *testing.T) {
	for raw, hint := range map[string]string{
		"":                        "not a file:// URL",
		"/srv/vault":              "not a file:// URL",
		"s3://bucket/x":           "not a file:// URL",
		"file://srv/vault":        "file:///srv/vault",
		"file://./vault":          "begins with a slash",
		"file:vault":              "file:///vault",
		"file://":                 "root directory",
		"file:///":                "root directory",
		"file:///a/..":            "root directory",
		"file:///srv/vault?x=1":   "%3F",
		"file:///srv/vault#x":     "%23",
		"file:///srv/%zz":         "%zz",
		"file:///srv/a%00b":       "NUL",
		"file://me@localhost/srv": "user",
	} {
		_, err := filebucket.Open(raw)
		if !errors.Is(err, bucket.ErrInvalid) || !strings.Contains(err.Error(), hint) {
			t.Errorf("Open(%q) = %v, want ErrInvalid with the hint %q", raw, err, hint)
		}
	}
}

func TestKeysThatAreNoFilesOfTheirOwnAreRefused(t *testing.T) {
	b, dir := newVault(t, filebucket.Lock{})
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../x", "a/../b", "a/..", "./a", "a/./b", "a\x00b", "a\xffb",
		".pgseal", ".pgseal/lock.json", "a/.pgseal/b", "x.pgseal-object", "a/x.pgseal-object/b", strings.Repeat("x", 300),
	} {
		if _, err := b.Create(t.Context(), key, strings.NewReader("x"), bucket.CreateOptions{}); !errors.Is(err, bucket.ErrInvalid) {
			t.Errorf("Create(%q) = %v, want ErrInvalid", key, err)
		}
		if _, err := b.Put(t.Context(), key, nil); !errors.Is(err, bucket.ErrInvalid) {
			t.Errorf("Put(%q) = %v, want ErrInvalid", key, err)
		}
		if err := b.CheckCreate(t.Context(), key); !errors.Is(err, bucket.ErrInvalid) && len(key) < 300 {
			t.Errorf("CheckCreate(%q) = %v, want ErrInvalid", key, err)
		}
		if _, err := b.Stat(t.Context(), key, ""); !errors.Is(err, bucket.ErrNotFound) {
			t.Errorf("Stat(%q) = %v, want ErrNotFound", key, err)
		}
		if _, _, err := b.Open(t.Context(), key, "", 0, -1); !errors.Is(err, bucket.ErrNotFound) {
			t.Errorf("Open(%q) = %v, want ErrNotFound", key, err)
		}
		for obj, err := range b.List(t.Context(), key+"/") {
			t.Errorf("List(%q) = %v, %v; want nothing", key+"/", obj, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != ".pgseal" {
		t.Errorf("the vault holds %v, %v; want nothing but .pgseal", entries, err)
	}
}

func TestLinksDoNotLeadOutOfTheVault(t *testing.T) {
	b, dir := newVault(t, filebucket.Lock{})
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"dir": outside, "file": filepath.Join(outside, "secret"), "up": "../.."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"dir/secret", "file", "dir/new", "up/new"} {
		if _, err := b.Stat(t.Context(), key, ""); err == nil {
			t.Errorf("Stat(%q) looked outside", key)
		}
		if _, _, err := b.Open(t.Context(), key, "", 0, -1); err == nil {
			t.Errorf("Open(%q) read outside", key)
		}
		if _, err := b.Create(t.Context(), key, strings.NewReader("x"), bucket.CreateOptions{}); err == nil {
			t.Errorf("Create(%q) wrote outside", key)
		}
	}
	for obj, err := range b.List(t.Context(), "") {
		t.Errorf("List shows %v, %v; links are no keys", obj, err)
	}
	for name, err := range b.Dirs(t.Context(), "") {
		t.Errorf("Dirs shows %v, %v; links are no directories", name, err)
	}
	left, err := os.ReadDir(outside)
	if err != nil || len(left) != 1 {
		t.Errorf("outside holds %v, %v; want what was there", left, err)
	}
}
