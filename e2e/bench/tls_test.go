package bench

import (
	"encoding/pem"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// tlsFront is the same local S3 at a second address, over TLS.
type tlsFront struct {
	url        string
	host, port string
	ca         string // a file
}

// behindTLS serves the store once more, with a certificate that is its own authority.
func (s stores) behindTLS(b *testing.B) tlsFront {
	b.Helper()
	server := httptest.NewTLSServer(s.AWS)
	b.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	f := tlsFront{url: server.URL, ca: filepath.Join(pgtest.Dir(b), "ca.pem")}
	if f.host, f.port, err = net.SplitHostPort(u.Host); err != nil {
		b.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(f.ca, certificate, 0o644); err != nil {
		b.Fatal(err)
	}
	return f
}

// use sends a program that knows AWS's variables there.
func (f tlsFront) use(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL_S3="+f.url, "AWS_CA_BUNDLE="+f.ca)
	return cmd
}

// pgBackRest are its options for a repository there. It holds no address against a certificate, only names.
func (f tlsFront) pgBackRest(bucket, path string) []string {
	return []string{
		"--repo1-type=s3", "--repo1-path=/" + path, "--repo1-s3-bucket=" + bucket, "--repo1-s3-region=" + localaws.Region, "--repo1-s3-uri-style=path",
		"--repo1-s3-endpoint=" + f.host, "--repo1-storage-host=" + f.host, "--repo1-storage-port=" + f.port, "--no-repo1-storage-verify-tls",
	}
}

// keys are an identity's, as pgBackRest takes them: not on the command line.
func (f tlsFront) keys(who localaws.Identity) []string {
	return []string{"PGBACKREST_REPO1_S3_KEY=" + who.Credentials.AccessKey, "PGBACKREST_REPO1_S3_KEY_SECRET=" + who.Credentials.SecretKey}
}
