package pgtest

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Options say what kind of cluster New makes. The zero value, but for Install, is a plain one without archiving.
type Options struct {
	Install          Install
	Checksums        bool // data checksums
	WALSegmentSizeMB int  // 0: PostgreSQL's 16

	Tablespaces       int  // custom tablespaces outside PGDATA, each with a table
	OddTablespace     bool // one more, with spaces and quotes in its name and its path
	InPlaceTablespace bool // one more, whose directory is inside of pg_tblspc

	ExternalConfig bool // postgresql.conf, pg_hba.conf and pg_ident.conf outside PGDATA
	SymlinkPGDATA  bool // DataDir is a link to the real directory

	ArchiveCommand string            // "" turns archiving off, unless ArchiveMode says otherwise
	ArchiveMode    string            // "": on with an ArchiveCommand, else off
	Settings       map[string]string // more of postgresql.conf, unquoted; wins over the harness's own
	Env            []string          // the server's environment beyond Command's, and so the archive_command's
}

// Cluster is a PostgreSQL cluster and its server.
type Cluster struct {
	Install     Install
	DataDir     string       // PGDATA as the server was told
	ConfigFile  string       // postgresql.conf
	SocketDir   string       // the host to give to clients
	Port        int          // for the socket and for 127.0.0.1
	Tablespaces []Tablespace // those that New made

	t         testing.TB
	root      string   // holds everything but, for a restored one, PGDATA
	arguments []string // settings given on the server's command line
	env       []string
	server    *server // nil while stopped
}

// New makes a cluster and starts it. fsync is off: the machine is not expected to lose power.
func New(t testing.TB, o Options) *Cluster {
	t.Helper()
	root := Dir(t)
	c := &Cluster{t: t, root: root, Install: o.Install, DataDir: filepath.Join(root, "data"), env: o.Env}
	c.initdb(o)
	c.ConfigFile = filepath.Join(c.DataDir, "postgresql.conf")
	if o.ExternalConfig {
		c.moveConfig()
	}
	c.makeSocketDir()
	c.Port = freePort(t)

	settings := map[string]string{
		"fsync":                       "off",
		"shared_buffers":              "32MB",
		"max_connections":             "40",
		"wal_keep_size":               "512MB", // standbys come and go without slots
		"wal_retrieve_retry_interval": "100ms",
		"listen_addresses":            "127.0.0.1",
		"unix_socket_directories":     c.SocketDir,
		"port":                        strconv.Itoa(c.Port),
		"archive_mode":                "off",
		"allow_in_place_tablespaces":  onOff(o.InPlaceTablespace),
	}
	if o.ArchiveCommand != "" {
		settings["archive_mode"], settings["archive_command"] = "on", o.ArchiveCommand
	}
	if o.ArchiveMode != "" {
		settings["archive_mode"] = o.ArchiveMode
	}
	maps.Copy(settings, o.Settings)
	c.appendConfig(settings)
	c.Start()
	c.createTablespaces(o)
	return c
}

func (c *Cluster) initdb(o Options) {
	c.t.Helper()
	dir := c.DataDir
	if o.SymlinkPGDATA {
		dir = filepath.Join(c.root, "real")
		if err := os.Symlink(dir, c.DataDir); err != nil {
			c.t.Fatal(err)
		}
	}
	args := []string{"--pgdata", dir, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"}
	switch {
	case o.Checksums:
		args = append(args, "--data-checksums")
	case o.Install.Major >= 18: // where they became the default
		args = append(args, "--no-data-checksums")
	}
	if o.WALSegmentSizeMB != 0 {
		args = append(args, "--wal-segsize="+strconv.Itoa(o.WALSegmentSizeMB))
	}
	Run(c.t, o.Install.Program("initdb"), args...)
}

// moveConfig moves the configuration out of PGDATA, as Debian's packages do.
func (c *Cluster) moveConfig() {
	c.t.Helper()
	etc := filepath.Join(c.root, "etc")
	if err := os.Mkdir(etc, 0o755); err != nil {
		c.t.Fatal(err)
	}
	for _, name := range []string{"postgresql.conf", "pg_hba.conf", "pg_ident.conf"} {
		if err := os.Rename(filepath.Join(c.DataDir, name), filepath.Join(etc, name)); err != nil {
			c.t.Fatal(err)
		}
	}
	Own(c.t, etc)
	c.ConfigFile = filepath.Join(etc, "postgresql.conf")
	c.arguments = append(c.arguments, "config_file="+c.ConfigFile)
	c.appendConfig(map[string]string{
		"hba_file":   filepath.Join(etc, "pg_hba.conf"),
		"ident_file": filepath.Join(etc, "pg_ident.conf"),
	})
}

func (c *Cluster) makeSocketDir() {
	c.t.Helper()
	c.SocketDir = filepath.Join(c.root, "s")
	if err := os.Mkdir(c.SocketDir, 0o755); err != nil {
		c.t.Fatal(err)
	}
	Own(c.t, c.SocketDir)
	if len(c.SocketDir) > 107-len("/.s.PGSQL.65535") {
		c.t.Fatalf("%s is too long for the path of a Unix socket; set TMPDIR to a shorter one", c.SocketDir)
	}
}

// appendConfig adds settings at the end of postgresql.conf, where they win over those above.
func (c *Cluster) appendConfig(settings map[string]string) {
	c.t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	f, err := os.OpenFile(c.ConfigFile, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	_, err = f.WriteString(b.String())
	if err := errors.Join(err, f.Close()); err != nil {
		c.t.Fatal(err)
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
