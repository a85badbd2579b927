package postgres

import (
	"context"
	"strconv"
	"strings"
	"testing"
)

func TestConnectionSettings(t *testing.T) {
	for name, test := range map[string]struct {
		env     map[string]string
		options Options
		want    string // user@host:port/database
	}{
		"options alone": {options: Options{Host: "db", Port: "5433", User: "u", DBName: "d"}, want: "u@db:5433/d"},
		"what is empty comes from the environment": {
			env:     map[string]string{"PGHOST": "envhost", "PGPORT": "6000", "PGUSER": "envuser"},
			options: Options{DBName: "postgres"}, want: "envuser@envhost:6000/postgres"},
		"options win over the environment": {
			env:     map[string]string{"PGHOST": "envhost", "PGDATABASE": "envdb"},
			options: Options{Host: "db", User: "u", DBName: "d", Port: "1"}, want: "u@db:1/d"},
		"a database with = is a whole conninfo": {
			options: Options{Host: "ignored", User: "ignored", DBName: "host=h user=me port=7 dbname=x"}, want: "me@h:7/x"},
		"a database that is a URL is a whole conninfo": {options: Options{DBName: "postgresql://me@h:7/x"}, want: "me@h:7/x"},
		"quotes and backslashes are kept":              {options: Options{Host: "h", User: `o'\b`, DBName: "a b", Port: "1"}, want: `o'\b@h:1/a b`},
		"a socket directory":                           {options: Options{Host: "/run/x", User: "u", DBName: "d", Port: "1"}, want: "u@/run/x:1/d"},
		"libpq's keepalives and GSS settings do not reach the server": {
			options: Options{DBName: "host=h user=u port=1 dbname=d keepalives=1 keepalives_idle=5 tcp_user_timeout=9 gssencmode=disable"}, want: "u@h:1/d"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnvironment(t)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			c, err := test.options.config()
			if err != nil {
				t.Fatal(err)
			}
			got := c.User + "@" + c.Host + ":" + strconv.Itoa(int(c.Port)) + "/" + c.Database
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			for k := range c.RuntimeParams {
				if k != "application_name" && k != "client_encoding" {
					t.Errorf("%s is sent to the server", k)
				}
			}
			if c.RuntimeParams["application_name"] != "pgseal" {
				t.Errorf("application_name %q", c.RuntimeParams["application_name"])
			}
		})
	}
}

func TestConnectionSettingsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		env    map[string]string
		dbname string
		says   string
	}{
		"requirepeer protects, and is not there": {dbname: "host=/tmp requirepeer=postgres", says: "requirepeer"},
		"a revocation list in the environment":   {env: map[string]string{"PGSSLCRL": "/x"}, dbname: "host=h", says: "PGSSLCRL"},
		"hostaddr that is no address":            {dbname: "host=h hostaddr=example", says: "hostaddr"},
		"hostaddr with a socket":                 {dbname: "host=/tmp hostaddr=127.0.0.1", says: "hostaddr"},
		"a conninfo that does not parse":         {dbname: "host='x password=topsecret", says: "connection"},
		"a password with blanks around its sign": {dbname: "host=h password = topsecret port=abc", says: "port"},
		"a password with a quote inside":         {dbname: `host=h password='it\'s topsecret' port=abc`, says: "port"},
		"a password in a URL":                    {dbname: "postgresql://me:topsecret@h:abc/x", says: "port"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnvironment(t)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			_, err := Options{DBName: test.dbname}.config()
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestHostAddressIsDialled(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("PGHOSTADDR", "192.0.2.7")
	c, err := Options{Host: "name.example", User: "u", DBName: "d"}.config()
	if err != nil {
		t.Fatal(err)
	}
	addresses, err := c.LookupFunc(context.Background(), c.Host)
	if err != nil || len(addresses) != 1 || addresses[0] != "192.0.2.7" || c.Host != "name.example" {
		t.Errorf("%v %v %s", addresses, err, c.Host)
	}
}

func clearEnvironment(t *testing.T) {
	for _, k := range []string{"PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE", "PGAPPNAME", "PGOPTIONS",
		"PGTZ", "PGSSLCRL", "PGSSLCRLDIR", "PGREQUIREPEER", "PGSSLMINPROTOCOLVERSION", "PGSSLMAXPROTOCOLVERSION", "PGSSLMODE"} {
		t.Setenv(k, "")
	}
}
