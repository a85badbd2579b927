// Package report makes one page of what is known of the servers in a vault: an HTML file for people, with its styles and
// charts in it, that loads nothing, runs no script, and looks the same whenever the same things were read.
//
// It judges nothing itself: what package catalog and package audit say is what it shows. Names and texts that a host
// wrote reach the page through html/template alone.
package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/pgseal/pgseal/core/audit"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// Report is what a page is made of.
type Report struct {
	Vault   string // the URL
	Staging string // the URL; empty: was not read
	At      time.Time
	Version string // of pgseal
	// MaxAge is how old the newest sealed backup may be; 0 asks for nothing.
	MaxAge  time.Duration
	Servers []Server
}

// Server is what was read of one server.
type Server struct {
	Name    string
	Catalog *catalog.Catalog // nil: Err says why
	Audit   *audit.Report    // nil: AuditErr says why
	Err     error
	// AuditErr is why the audit could not look.
	AuditErr error
}

//go:embed report.css
var style string

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// policy allows the page nothing but its own style sheet (Content Security Policy Level 3, a hash as source). The icon is
// an empty data: URL, so that no browser asks a server for one.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'"
}

// view is what the template reads.
type view struct {
	Title, Policy  string
	Style          template.CSS
	Vault, Staging string
	At, Version    string
	Servers        []serverView
	Several        bool
	Glyphs         []glyph
}

// Write writes the page.
func Write(w io.Writer, r Report) error {
	v := view{
		Title: "pgseal report: " + catalog.Printable(r.Vault), Policy: policy(), Style: template.CSS(style),
		Vault: catalog.Printable(r.Vault), Staging: catalog.Printable(r.Staging), At: catalog.Minute(r.At), Version: r.Version,
		Several: len(r.Servers) > 1, Glyphs: glyphs,
	}
	if len(r.Servers) == 1 {
		v.Title = fmt.Sprintf("pgseal report: %s in %s", r.Servers[0].Name, catalog.Printable(r.Vault))
	}
	for _, s := range r.Servers {
		v.Servers = append(v.Servers, newServerView(s, r))
	}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
