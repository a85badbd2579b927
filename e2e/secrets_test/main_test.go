// Package secrets_test looks for credentials where none may be: in what the programs and the functions print, at their
// most talkative, when all goes well and when nothing does, and in whatever they store.
package secrets_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestMain(m *testing.M) { localaws.Main(m) }

const server = "main"

// secrets are values that nobody may read anywhere, by what they are.
type secrets map[string]string

var (
	setting = regexp.MustCompile(`^(AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AZURE_STORAGE_KEY|AZURE_STORAGE_SAS_TOKEN|PGPASSWORD)=(.+)$`)
	within  = regexp.MustCompile(`(?:AccountKey|SharedAccessSignature)=([^;]+)|(?:^|[?&])sig=([^&;]+)`)
	keyFile = regexp.MustCompile(`^GOOGLE_APPLICATION_CREDENTIALS=(.+)$`)
	inFile  = regexp.MustCompile(`"(private_key)": *"([^"]+)"`)
)

// add takes the secrets out of an environment.
func (s secrets) add(t testing.TB, whose string, env []string) {
	t.Helper()
	for _, pair := range env {
		if m := setting.FindStringSubmatch(pair); m != nil {
			s[whose+" "+m[1]] = m[2]
		}
		_, value, _ := strings.Cut(pair, "=")
		for _, m := range within.FindAllStringSubmatch(value, -1) {
			s[whose+" "+m[0][:4]] = m[1] + m[2]
		}
		m := keyFile.FindStringSubmatch(pair)
		if m == nil {
			continue
		}
		body, err := os.ReadFile(m[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inFile.FindAllStringSubmatch(string(body), -1) {
			// Of a key in PEM, a line from its middle: nobody prints the frame alone.
			lines := strings.Split(m[2], `\n`)
			s[whose+" "+m[1]] = lines[len(lines)/2]
		}
	}
}

// search fails the test for every secret in the text, as it is or as something makes of it on its way.
func (s secrets) search(t testing.TB, where, text string) {
	t.Helper()
	for what, secret := range s {
		forms := []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)),
			strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="), strings.ReplaceAll(secret, "/", `\/`),
		}
		if plain, err := base64.StdEncoding.DecodeString(secret); err == nil {
			forms = append(forms, string(plain))
		}
		for _, form := range forms {
			if i := strings.Index(text, form); i >= 0 && len(form) >= 8 {
				t.Errorf("%s shows %s: ...%s...", where, what, text[max(0, i-200):min(len(text), i+len(form)+20)])
				break
			}
		}
	}
}

// searchBucket looks at every object that holds words: archives and WAL hold the server's own files, which have whatever
// the database has.
func (s secrets) searchBucket(t testing.TB, b bucket.Bucket) (searched int) {
	t.Helper()
	for obj, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(obj.Key, ".tar") || strings.Contains(obj.Key, "/wals/") {
			s.search(t, "the name of "+obj.Key, obj.Key)
			continue
		}
		body, seen, err := b.Open(t.Context(), obj.Key, "", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil {
			t.Fatal(err)
		}
		searched++
		s.search(t, obj.Key, string(text))
		for name, value := range seen.Metadata {
			s.search(t, "the metadata of "+obj.Key, name+"="+value)
		}
	}
	return searched
}

// pgseal runs the program to its end, and gives all that it printed.
func pgseal(t testing.TB, env []string, args ...string) (code int, printed string) {
	t.Helper()
	cmd := pgtest.Command(context.Background(), build.Pgseal(t), args...)
	cmd.Env = append(cmd.Env, env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), "pgseal " + strings.Join(args[:1], " ") + ": " + out.String()
}
