package versity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// variable tells the binary that it is the server, and which.
const variable = "PGSEAL_TEST_VERSITYGW"

type spec struct{ Dir, Address, Webhook, Filter string }

// Main is TestMain in one line: the server, if this process is to be one, else the tests.
func Main(m interface{ Run() int }) {
	document := os.Getenv(variable)
	if document == "" {
		os.Exit(m.Run())
	}
	if err := serve(document); err != nil {
		fmt.Fprintln(os.Stderr, "versitygw:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve is the server. It ends with its standard input, and so with its parent.
func serve(document string) error {
	var s spec
	if err := json.Unmarshal([]byte(document), &s); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for _, sub := range []string{"objects", "versions", "accounts"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, sub), 0o700); err != nil {
			return err
		}
	}
	accounts, err := auth.NewInternal(auth.Account{Access: Root.Access, Secret: Root.Secret, Role: auth.RoleAdmin}, filepath.Join(s.Dir, "accounts"))
	if err != nil {
		return err
	}
	for _, who := range []User{Host, Finalizer} {
		err := accounts.CreateAccount(auth.Account{Access: who.Access, Secret: who.Secret, Role: auth.RoleUser})
		if err != nil && !errors.Is(err, auth.ErrUserExists) {
			return err
		}
	}
	store, err := openStore(s.Dir)
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(context.Background(), store, &embedgw.Config{
		RootUserAccess: Root.Access, RootUserSecret: Root.Secret, Region: Region, Ports: []string{s.Address}, IAMService: accounts,
		MaxConnections: 4096, MaxRequests: 4096, MultipartMaxParts: 10000, KeepAlive: true, Quiet: true,
		EventWebhookURL: s.Webhook, EventConfigFilePath: s.Filter,
	})
}

// openStore keeps metadata in extended attributes, or in files beside the objects where the file system has none.
func openStore(dir string) (*posix.Posix, error) {
	objects, sidecar := filepath.Join(dir, "objects"), filepath.Join(dir, "metadata")
	opts := posix.PosixOpts{VersioningDir: filepath.Join(dir, "versions")}
	if (meta.XattrMeta{}).Test(objects) == nil {
		return posix.New(objects, meta.XattrMeta{}, opts)
	}
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
