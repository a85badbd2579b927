// Command release makes everything that a release consists of from what the Makefile has built: archives, Debian and RPM
// packages, the functions' packages, a bill of materials of each program, and SHA256SUMS over them all. The same commit
// gives the same bytes, wherever and whenever it is made: no clock, no path, no host and no user of the machine goes in.
//
//	SOURCE_DATE_EPOCH=1795732446 go run ./scripts/release v1.2.3
//
// It is run in the root of the module by `make release`, and writes to dist/release.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// release is what is common to all of its parts.
type release struct {
	version string    // as the program says it: v1.2.3
	date    time.Time // of the commit: every file in every archive has it
	out     string    // the directory of what is released
	work    string    // one for what it is made of
}

var architectures = []string{"amd64", "arm64"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: release VERSION")
		os.Exit(2)
	}
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err == nil {
		r := &release{version: os.Args[1], date: time.Unix(epoch, 0).UTC(), out: filepath.Join("dist", "release"), work: filepath.Join("dist", "release-work")}
		err = r.make()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func (r *release) make() error {
	if err := errors.Join(os.RemoveAll(r.out), os.RemoveAll(r.work)); err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(r.out, 0o755), os.MkdirAll(r.work, 0o755)); err != nil {
		return err
	}
	share := filepath.Join(r.work, "share")
	if _, err := goTool("run", "./scripts/share", share, r.number(), r.date.Format(time.DateOnly)); err != nil {
		return err
	}
	licences, err := licences("bin/pgseal-amd64")
	if err != nil {
		return err
	}
	links, err := linksTree(share)
	if err != nil {
		return err
	}
	for _, arch := range architectures {
		program := "bin/pgseal-" + arch
		tarball, err := tarballTree(program, share, licences)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("pgseal_%s_linux_%s", r.number(), arch)
		if err := r.tar(name, tarball); err != nil {
			return err
		}
		tree, err := packageTree(program, share, licences)
		if err != nil {
			return err
		}
		if err := r.packages(pgsealPackage, arch, tree); err != nil {
			return err
		}
		if err := r.bill(program, "pgseal_linux_"+arch); err != nil {
			return err
		}
	}
	if err := r.packages(linksPackage, "all", links); err != nil {
		return err
	}
	return errors.Join(r.functions(), r.sums())
}

// functions copies what `make package` has packed, under the names that the Terraform modules and the documents use. What
// Google builds from gcp-source.zip is the program that is billed for it.
func (r *release) functions() error {
	for _, name := range []string{"aws-amd64.zip", "aws-arm64.zip", "azure.zip", "gcp-source.zip", "webhook-amd64.zip", "webhook-arm64.zip"} {
		body, err := os.ReadFile(filepath.Join("dist", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(r.out, name), body, 0o644); err != nil {
			return err
		}
	}
	for program, name := range map[string]string{
		"bootstrap-amd64": "aws-amd64", "bootstrap-arm64": "aws-arm64", "azure-handler": "azure", "gcp-server": "gcp-source",
		"webhook-amd64": "webhook-amd64", "webhook-arm64": "webhook-arm64",
	} {
		if err := r.bill(filepath.Join("bin", program), name); err != nil {
			return err
		}
	}
	return nil
}
