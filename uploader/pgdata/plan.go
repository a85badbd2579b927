package pgdata

import "context"

// Options say where the cluster is and what its settings are. All but Root may
// be left empty.
type Options struct {
	// Root is PGDATA; it may be a link.
	Root        string
	Tablespaces []Tablespace
	// ConfigFile, HBAFile and IdentFile are the settings of these names. Those
	// outside PGDATA are added to its root under their base names, as barman
	// does.
	ConfigFile, HBAFile, IdentFile string
	// IncludedFiles are further configuration files. Those outside PGDATA are
	// not copied; each makes a warning.
	IncludedFiles []string
	// LogDirectory and StatsTempDirectory (up to PostgreSQL 14) are the
	// settings of these names, relative to PGDATA or absolute; their contents
	// are left out.
	LogDirectory, StatsTempDirectory string
}

// Plan is what a backup will contain. It holds no list of files: a cluster may
// have millions, and they come and go; Walk reads the directories each time.
type Plan struct {
	// Root is PGDATA with all links resolved.
	Root string
	// Major is the content of PG_VERSION: "15".
	Major string
	// Archives, in the order in which they are walked: "data" first, then
	// every tablespace, in the order of their OIDs, empty ones included.
	Archives []Archive
	// Warnings are sentences for the log: what is deliberately not copied.
	Warnings []string
}

// NewPlan resolves links, tablespaces and external configuration files.
func NewPlan(o Options) (*Plan, error) { return nil, nil }

// Walk calls fn for every entry of one archive, parents before children, in
// the order of names. The first entry of PGDATA is ".". A file that vanished
// meanwhile is left out silently; what cannot be copied is an error that names
// it. An error of fn ends the walk and is returned as it is.
func (p *Plan) Walk(ctx context.Context, a Archive, fn func(Entry) error) error { return nil }

// Survey walks every archive once without reading any file: what could not be
// copied (links to elsewhere, devices, files this user may not read) is found
// before the first byte is sent. The totals serve for progress.
func (p *Plan) Survey(ctx context.Context) (Totals, error) { return Totals{}, nil }
