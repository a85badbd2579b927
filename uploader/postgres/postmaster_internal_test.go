package postgres

import (
	"testing"
	"time"
)

func TestParsePostmaster(t *testing.T) {
	const good = "4711\n/var/lib/pg data\n1795384637\n5433\n/run/postgresql\nlocalhost\n 131075 0\nready   \n"
	p, err := parsePostmaster(good)
	if err != nil || p.directory != "/var/lib/pg data" || p.port != 5433 || !p.started.Equal(time.Unix(1795384637, 0)) {
		t.Errorf("got %+v, %v", p, err)
	}
	for name, content := range map[string]string{
		"an empty file":                  "",
		"a server that is just starting": "4711\n/data\n",
		"a server for one user":          "-4711\n/data\n1795384637\n5433\n",
		"a start time that is no number": "4711\n/data\nyesterday\n5433\n",
		"a port that is no number":       "4711\n/data\n1795384637\npg\n",
		"a pid that is no number":        "x\n/data\n1795384637\n5433\n",
	} {
		if p, err := parsePostmaster(content); err == nil {
			t.Errorf("%s is read as %+v", name, p)
		}
	}
}
