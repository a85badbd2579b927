package secrets_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// password is PostgreSQL's, in a connection string.
const password = "marked-password-of-postgres"

// marked are credentials in every form that each store's library takes, none of which any store knows.
func marked(t testing.TB) (env []string) {
	t.Helper()
	dir := pgtest.Dir(t)
	key := filepath.Join(dir, "key.json")
	body := fmt.Sprintf(`{"type": "service_account", "project_id": "p", "private_key_id": "marked-private-key-id", `+
		`"private_key": "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n", "client_email": "host@p.iam.gserviceaccount.com", `+
		`"client_id": "1", "token_uri": "http://127.0.0.1:1/token"}`, base64.StdEncoding.EncodeToString([]byte("marked-private-key-of-nobody-at-all")))
	if err := os.WriteFile(key, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{
		"AWS_SECRET_ACCESS_KEY=marked/secret+access+key", "AWS_SESSION_TOKEN=marked-session-token", "AWS_ACCESS_KEY_ID=AKIDMARKED",
		"GOOGLE_APPLICATION_CREDENTIALS=" + key,
		"AZURE_STORAGE_CONNECTION_STRING=DefaultEndpointsProtocol=http;AccountName=account;AccountKey=" +
			base64.StdEncoding.EncodeToString([]byte("marked-account-key-of-azure")) + ";BlobEndpoint=http://127.0.0.1:1/account;",
	}
}

func TestNoSecretIsEverShown(t *testing.T) {
	clouds.Each(t, func(t *testing.T, k clouds.Kind) {
		c := k.Start(t, cloud.Config{Prefix: "p", Server: server, VaultRetention: 24 * time.Hour})
		host := c.Env(cloud.Host)
		stranger := append(slices.Clone(host), marked(t)...)
		mistaken := append(slices.Clone(host), k.Wrong(c.Store)...)
		s := secrets{"the password": password}
		for whose, env := range map[string][]string{"the host's": host, "the finalizer's": c.Env(cloud.Finalizer), "a stranger's": stranger, "a mistaken": mistaken} {
			s.add(t, whose, env)
		}
		if len(s) < 7 {
			t.Fatalf("only %d secrets were found", len(s))
		}
		sealing, failing := c.Deploy(t), c.Deploy(t, marked(t)...)
		c.Connect(t, sealing, time.Second)
		c.Connect(t, failing, time.Second)

		cluster := pgtest.New(t, pgtest.Options{Install: pgtest.Find(t, 15), ArchiveCommand: build.Pgseal(t) + " wal-archive -vv " + c.VaultURL() + " " + server + " %p", Env: host})
		dsn := cluster.TCPDSN() + " password=" + password
		cluster.ArchiveAll()
		segment := copied(t, cluster)
		try := func(env []string, works bool, command string, args ...string) {
			t.Helper()
			code, printed := pgseal(t, env, append([]string{command}, args...)...)
			s.search(t, "pgseal "+command, printed)
			if (code == 0) != works || printed == "" {
				t.Errorf("exit code %d\n%s", code, printed)
			}
		}
		both := []string{"--staging-url", c.StagingURL(), c.VaultURL(), server}
		backup := append([]string{"-vv", "--immediate-checkpoint", "--wait", "-d", dsn}, both...)
		noDatabase := append([]string{"-vv", "-d", dsn + " dbname=nobodys"}, both...)
		try(host, true, "backup", backup...)
		try(host, false, "backup", noDatabase...)
		try(c.Env(cloud.Restore), true, "status", both...)
		try(c.Env(cloud.Restore), true, "audit", c.VaultURL(), server)
		try(c.Env(cloud.Restore), true, "report", both[:3]...) // all servers
		try(c.Env(cloud.Finalizer), true, "sweep", append([]string{"-vv"}, both[:3]...)...)
		for _, env := range [][]string{mistaken, stranger} {
			try(env, false, "backup", backup...)
			try(env, false, "wal-archive", "-vv", c.VaultURL(), server, segment)
			try(env, false, "status", both...)
			try(env, false, "audit", c.VaultURL(), server)
			try(env, false, "report", both...)
			try(env, false, "sweep", append([]string{"-vv"}, both[:3]...)...)
		}

		for end := time.Now().Add(2 * time.Minute); !strings.Contains(failing.Logs(), "ERROR"); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the function with a stranger's credentials did not fail\n%s", failing.Logs())
			}
		}
		s.search(t, "the function's log", sealing.Logs())
		s.search(t, "the failing function's log", failing.Logs())
		s.search(t, "PostgreSQL's log", cluster.Log())
		searched := 0
		for _, place := range []string{c.VaultURL(), c.StagingURL()} {
			b, err := c.Open(t.Context(), cloud.Breakglass, place)
			if err != nil {
				t.Fatal(err)
			}
			searched += s.searchBucket(t, b)
		}
		if searched < 6 { // manifest and seal; record, heartbeat, marker and verdict
			t.Errorf("only %d objects were there to search", searched)
		}
	})
}

// copied is a segment outside of the cluster, which was not archived.
func copied(t testing.TB, c *pgtest.Cluster) string {
	t.Helper()
	from, _, _ := strings.Cut(c.SQL("select pg_walfile_name(pg_current_wal_lsn())"), "\n")
	body, err := os.ReadFile(filepath.Join(c.DataDir, "pg_wal", from))
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(pgtest.Dir(t), from)
	if err := os.WriteFile(to, body, 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}
