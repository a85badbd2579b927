package localazure

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// accounts is how many clouds one Azurite can serve: its accounts are named when it starts.
const accounts = 500

// azurite is a running Azurite.
type azurite struct {
	address string    // host:port
	key     []byte    // of every account
	pipe    io.Closer // Azurite ends when it is closed

	mu   sync.Mutex
	used int
}

// The one Azurite of this process. It keeps everything in memory and ends when this process does, however that ends.
var theAzurite = sync.OnceValues(startAzurite)

// account takes an account that nobody has used.
func (z *azurite) account() (string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.used == accounts {
		return "", fmt.Errorf("more than %d clouds in one process", accounts)
	}
	z.used++
	return fmt.Sprintf("cloud%d", z.used), nil
}

func startAzurite() (*azurite, error) {
	cache := os.Getenv("PGSEAL_CACHE")
	if cache == "" {
		cache = "/var/tmp/pgseal-cache"
	}
	main := filepath.Join(cache, "azurite/node_modules/azurite/dist/src/blob/main.js")
	if _, err := os.Stat(main); err != nil {
		return nil, fmt.Errorf("no Azurite in %s: run scripts/install-deps test", cache)
	}
	node := filepath.Join(cache, "node/bin/node")
	if _, err := os.Stat(node); err != nil {
		node = "node"
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	z := &azurite{address: address, key: []byte("nobody else reaches this server")}
	host, port, _ := strings.Cut(address, ":")
	// The shell waits until this process has closed its end of the pipe, which the system does for one that was killed.
	args := []string{"-c", `"$@" & pid=$!; cat; kill -9 $pid`, "sh", node, main, "--silent", "--blobHost", host, "--blobPort", port,
		"--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"}
	cmd := exec.Command("sh", args...)
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS="+z.names())
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := z.ready(); err != nil {
		_ = pipe.Close()
		_ = cmd.Wait()
		return nil, fmt.Errorf("it does not start: %w: %s", err, said.String())
	}
	z.pipe = pipe
	return z, nil
}

// names are the accounts as Azurite reads them: name:key;name:key.
func (z *azurite) names() string {
	var b strings.Builder
	for n := range accounts {
		fmt.Fprintf(&b, "cloud%d:%s;", n+1, base64.StdEncoding.EncodeToString(z.key))
	}
	return b.String()
}

// ready waits until somebody listens.
func (z *azurite) ready() error {
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", z.address); err == nil {
			return c.Close()
		}
	}
	return errors.New("nobody listens after a minute")
}

// freeAddress is an address on which nobody listens now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
