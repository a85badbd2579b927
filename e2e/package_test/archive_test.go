package package_test

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTwoPackingsOfTheSameSourcesAreTheSameBytes(t *testing.T) {
	one, err := made()
	if err != nil {
		t.Fatal(err)
	}
	two, err := makePackage("another/and deeper")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range archives {
		a, errA := os.ReadFile(filepath.Join(one, name))
		b, errB := os.ReadFile(filepath.Join(two, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %d and %d bytes, %v %v", name, len(a), len(b), errA, errB)
		}
	}
}

func TestArchivesHoldWhatTheirPlatformsNeedAndNoTraceOfTheirMaking(t *testing.T) {
	dist, err := made()
	if err != nil {
		t.Fatal(err)
	}
	service := []string{"pgseal-webhook", "pgseal-webhook.service", "versitygw/event-filter.json", "versitygw/staging-policy.json", "versitygw/vault-policy.json", "webhook.env"}
	whole := map[string][]string{
		"webhook-arm64.zip": service, "webhook-amd64.zip": service,
		"aws-arm64.zip": {"bootstrap"}, "aws-amd64.zip": {"bootstrap"},
		"azure.zip": {"finalize/function.json", "handler", "host.json", "sweep/function.json"},
	}
	for _, name := range archives {
		z, err := zip.OpenReader(filepath.Join(dist, name))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
			mode := fs.FileMode(0o644)
			if f.Name == "bootstrap" || f.Name == "handler" || f.Name == "pgseal-webhook" {
				mode = 0o755
			}
			if f.Mode() != mode || !f.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) || strings.HasPrefix(f.Name, "/") || strings.Contains(f.Name, "..") {
				t.Errorf("%s: %s: %v, %v", name, f.Name, f.Mode(), f.Modified)
			}
		}
		if !slices.IsSorted(names) {
			t.Errorf("%s is not sorted", name)
		}
		if want := whole[name]; want != nil && !slices.Equal(names, want) {
			t.Errorf("%s: %q", name, names)
		}
	}
}

// What the Google Cloud function is built from is what it needs: no other cloud, no test, no upload.
func TestTheSourceArchiveHoldsOneFunctionAndTheLicencesOfOthers(t *testing.T) {
	dist, err := made()
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(filepath.Join(dist, "gcp-source.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	names := map[string]bool{}
	modules := map[string]bool{}
	for _, f := range z.File {
		names[f.Name] = true
		if strings.HasSuffix(f.Name, "_test.go") || strings.Contains(f.Name, "aws") && !strings.Contains(f.Name, "/externalaccount/") && !strings.Contains(f.Name, "google.golang.org") && !strings.Contains(f.Name, "cloud.google.com") ||
			strings.Contains(f.Name, "Azure") || strings.HasPrefix(f.Name, "uploader/") || strings.HasPrefix(f.Name, "functions/azure") || strings.Contains(f.Name, "s3bucket") {
			t.Errorf("%s has no business there", f.Name)
		}
		if parts := strings.Split(f.Name, "/"); parts[0] == "vendor" && len(parts) > 4 && parts[1] == "github.com" {
			modules[strings.Join(parts[:4], "/")] = true
		}
	}
	for _, want := range []string{"go.mod", "go.sum", "function.go", "functions/gcp/function.go", "functions/wake/wake.go", "core/finalizer/finalize.go", "vendor/modules.txt"} {
		if !names[want] {
			t.Errorf("%s is missing", want)
		}
	}
	for module := range modules {
		if !slices.ContainsFunc([]string{"LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING"}, func(l string) bool {
			for name := range names {
				if strings.HasPrefix(name, module+"/") && strings.HasSuffix(name, "/"+l) {
					return true
				}
			}
			return false
		}) {
			t.Errorf("%s has lost its licence", module)
		}
	}
}
