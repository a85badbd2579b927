package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// nfpm packs for dpkg and rpm. It runs as a tool, so that what it depends on stays out of go.mod.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0"

// kind is what a package says of itself.
type kind struct {
	name, description string
	depends           string // with the release's own version after it
	conflicts         []string
	recommends        []string
}

var (
	pgsealPackage = kind{
		name: "pgseal",
		description: "PostgreSQL base backups for storage that keeps what it is given\n" +
			"Streams base backups and WAL into buckets with Object Lock, retention policies or immutability policies, every object " +
			"exactly once, in the layout of barman-cloud. A cloud function checks each backup and seals it.",
		recommends: []string{"ca-certificates"},
	}
	linksPackage = kind{
		name: "pgseal-barman-cloud",
		description: "pgseal under the names of barman-cloud\n" +
			"Symbolic links, so that what calls barman-cloud-backup, barman-cloud-wal-archive, barman-cloud-restore and their like " +
			"calls pgseal.",
		depends:   "pgseal",
		conflicts: []string{"barman-cli-cloud"},
	}
)

// packages writes a .deb and a .rpm of the tree.
func (r *release) packages(k kind, arch string, tree []entry) error {
	for _, packager := range []string{"deb", "rpm"} {
		if err := r.pack(k, packager, arch, tree); err != nil {
			return err
		}
	}
	return nil
}

func (r *release) pack(k kind, packager, arch string, tree []entry) error {
	type fileInfo struct {
		Mode  os.FileMode `json:"mode,omitempty"`
		Owner string      `json:"owner"`
		Group string      `json:"group"`
	}
	type content struct {
		Src  string   `json:"src,omitempty"`
		Dst  string   `json:"dst"`
		Type string   `json:"type,omitempty"`
		Info fileInfo `json:"file_info"`
	}
	var contents []content
	staged := filepath.Join(r.work, k.name+"-"+arch+"-"+packager)
	for _, f := range tree {
		name := f.name
		if packager == "rpm" { // Fedora's and Red Hat's directory
			name = strings.Replace(name, "zsh/vendor-completions/", "zsh/site-functions/", 1)
		}
		c := content{Dst: "/" + name, Info: fileInfo{Owner: "root", Group: "root"}}
		if f.link != "" {
			c.Src, c.Type = f.link, "symlink"
			contents = append(contents, c)
			continue
		}
		c.Src, c.Info.Mode = filepath.Join(staged, filepath.FromSlash(name)), 0o644
		if f.program {
			c.Info.Mode = 0o755
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(c.Src), 0o755), os.WriteFile(c.Src, f.body, 0o644), os.Chtimes(c.Src, r.date, r.date)); err != nil {
			return err
		}
		contents = append(contents, c)
	}
	if k.name == pgsealPackage.name { // credentials go there
		contents = append(contents, content{Dst: "/etc/pgseal", Type: "dir", Info: fileInfo{Mode: 0o700, Owner: "root", Group: "root"}})
	}
	version := r.packageVersion()
	config := map[string]any{
		"name": k.name, "arch": arch, "platform": "linux", "version": version, "version_schema": "none", "release": "1",
		"section": "database", "priority": "optional", "maintainer": "pgseal authors <pgseal@users.noreply.github.com>",
		"vendor": "pgseal", "homepage": "https://github.com/pgseal/pgseal", "license": "Apache-2.0", "description": k.description,
		"mtime": r.date.Format("2006-01-02T15:04:05Z"), "contents": contents, "conflicts": k.conflicts, "recommends": k.recommends,
		"rpm": map[string]any{"group": "Applications/Databases", "buildhost": "pgseal"},
	}
	if k.depends != "" {
		config["depends"] = []string{fmt.Sprintf(map[string]string{"deb": "%s (>= %s-1)", "rpm": "%s >= %s-1"}[packager], k.depends, version)}
	}
	text, err := json.MarshalIndent(config, "", "  ") // JSON is YAML
	if err != nil {
		return err
	}
	file := staged + ".yaml"
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	_, err = goTool("run", nfpm, "package", "-f", file, "-p", packager, "-t", r.out+string(filepath.Separator))
	return err
}
