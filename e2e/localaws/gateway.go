package localaws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// gatewaySpec is what the parent tells the gateway, as one JSON document on its standard input. The input stays open
// afterwards: when it closes, the gateway ends, so it cannot outlive its parent.
type gatewaySpec struct {
	Socket     string                   `json:"socket"`
	Root       Credentials              `json:"root"`
	Identities []Credentials            `json:"identities"`
	Exact      map[string]time.Duration `json:"exact"` // default retention of a bucket below a day's precision
}

// runGateway is the gateway process.
func runGateway(dir string, in io.Reader) error {
	decoder := json.NewDecoder(in)
	var spec gatewaySpec
	if err := decoder.Decode(&spec); err != nil {
		return fmt.Errorf("read the specification on standard input: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, decoder.Buffered())
		_, _ = io.Copy(io.Discard, in)
		os.Exit(0)
	}()

	for _, sub := range []string{"objects", "versions", "accounts"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	accounts, err := auth.NewInternal(auth.Account{
		Access: spec.Root.AccessKey, Secret: spec.Root.SecretKey, Role: auth.RoleAdmin,
	}, filepath.Join(dir, "accounts"))
	if err != nil {
		return err
	}
	for _, id := range spec.Identities {
		// The proxy alone decides what an identity may do; here they only need valid signatures.
		err := accounts.CreateAccount(auth.Account{Access: id.AccessKey, Secret: id.SecretKey, Role: auth.RoleAdmin})
		if err != nil && !errors.Is(err, auth.ErrUserExists) {
			return err
		}
	}
	store, err := newPosix(dir)
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(context.Background(), &strictBackend{Posix: store, exact: spec.Exact}, &embedgw.Config{
		RootUserAccess:    spec.Root.AccessKey,
		RootUserSecret:    spec.Root.SecretKey,
		Region:            Region,
		Ports:             []string{spec.Socket},
		MaxConnections:    4096,
		MaxRequests:       4096,
		MultipartMaxParts: 10000,
		KeepAlive:         true,
		Quiet:             true,
		IAMService:        accounts,
	})
}

// newPosix opens the store, with metadata in extended attributes, or in files beside the objects where the file
// system has none.
func newPosix(dir string) (*posix.Posix, error) {
	opts := posix.PosixOpts{VersioningDir: filepath.Join(dir, "versions")}
	objects := filepath.Join(dir, "objects")
	if (meta.XattrMeta{}).Test(objects) == nil {
		return posix.New(objects, meta.XattrMeta{}, opts)
	}
	sidecar := filepath.Join(dir, "metadata")
	if err := os.MkdirAll(sidecar, 0o700); err != nil {
		return nil, err
	}
	store, err := meta.NewSideCar(sidecar)
	if err != nil {
		return nil, err
	}
	opts.SideCarDir = sidecar
	return posix.New(objects, store, opts)
}

// gateway is the running gateway process, seen from its parent.
type gateway struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	output *lockedBuffer
	exited chan struct{}
	socket string
	runDir string
}

// startGateway re-executes the current binary as the gateway over dir and waits until it accepts connections.
func startGateway(dir string, spec gatewaySpec) (*gateway, error) {
	// A directory of its own with a short name: the path of a Unix socket holds 107 bytes at most.
	runDir, err := os.MkdirTemp("", "pgseal-s3-")
	if err != nil {
		return nil, err
	}
	spec.Socket = filepath.Join(runDir, "s3.sock")
	document, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	g := &gateway{cmd: exec.Command(self), output: &lockedBuffer{}, exited: make(chan struct{}), socket: spec.Socket, runDir: runDir}
	g.cmd.Env = append(os.Environ(), gatewayVariable+"="+dir)
	g.cmd.Stdout, g.cmd.Stderr = g.output, g.output
	if g.stdin, err = g.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = g.cmd.Wait()
		close(g.exited)
	}()
	if _, err := g.stdin.Write(document); err != nil {
		g.stop()
		return nil, fmt.Errorf("start the S3 gateway: %w: %s (does TestMain or main call localaws.Hijack first?)", err, g.output)
	}
	if err := g.await(30 * time.Second); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

// await returns when the gateway accepts connections.
func (g *gateway) await(limit time.Duration) error {
	deadline := time.After(limit)
	for {
		connection, err := net.Dial("unix", g.socket)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-g.exited:
			return fmt.Errorf("the S3 gateway ended at its start: %s (does TestMain or main call localaws.Hijack first?)", g.output)
		case <-deadline:
			return fmt.Errorf("the S3 gateway does not accept connections after %s: %s", limit, g.output)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// dial connects to the gateway whatever address is asked for.
func (g *gateway) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", g.socket)
}

// stop ends the gateway and waits for it.
func (g *gateway) stop() {
	_ = g.stdin.Close()
	select {
	case <-g.exited:
	case <-time.After(10 * time.Second):
		_ = g.cmd.Process.Kill()
		<-g.exited
	}
	_ = os.RemoveAll(g.runDir)
}

// lockedBuffer keeps the output of a process while others read it.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
