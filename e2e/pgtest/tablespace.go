package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// RowsPerTablespace is the number of rows in the table that New puts into each custom tablespace.
const RowsPerTablespace = 10_000

// Tablespace is a custom tablespace and the table in it.
type Tablespace struct {
	OID      string
	Name     string
	Location string // absolute; "" for an in-place one
	Table    string // RowsPerTablespace rows of (i int, t text), in the database postgres
}

func (c *Cluster) createTablespaces(o Options) {
	c.t.Helper()
	for i := range o.Tablespaces {
		name := fmt.Sprintf("ts%d", i+1)
		c.createTablespace(name, filepath.Join(c.root, name))
	}
	if o.OddTablespace {
		// PostgreSQL 13 to 18 refuse a single quote in a location, and nothing else of this.
		c.createTablespace(`odd 'name" é`, filepath.Join(c.root, `odd "path" é`))
	}
	if o.InPlaceTablespace {
		c.createTablespace("inplace", "")
	}
}

func (c *Cluster) createTablespace(name, location string) {
	c.t.Helper()
	if location != "" {
		if err := os.Mkdir(location, 0o700); err != nil {
			c.t.Fatal(err)
		}
		Own(c.t, location)
	}
	ts := Tablespace{Name: name, Location: location, Table: fmt.Sprintf("in_tablespace_%d", len(c.Tablespaces)+1)}
	c.SQL("CREATE TABLESPACE " + quoteName(name) + " LOCATION '" + location + "'")
	ts.OID = c.SQL("SELECT oid FROM pg_tablespace WHERE spcname = '" + strings.ReplaceAll(name, "'", "''") + "'")
	c.SQL(fmt.Sprintf(`CREATE TABLE %s TABLESPACE %s AS SELECT i, md5(i::text) AS t FROM generate_series(1, %d) i;
		CREATE INDEX ON %[1]s (i) TABLESPACE %[2]s`, ts.Table, quoteName(name), RowsPerTablespace))
	c.Tablespaces = append(c.Tablespaces, ts)
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
