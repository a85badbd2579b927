// Overwrite is the demo's vandal: through the driver that pgseal itself uses, it tries to store other bytes under a key
// that is taken, once by a conditional create and once by a plain write, and says what the vault answered.
//
//	go run ./scripts/overwrite file:///srv/vault server/base/20261123T101500/backup.info
//
// The exit code is 0 if the vault refused both, and the object is what it was.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: overwrite VAULT KEY")
		os.Exit(2)
	}
	if err := overwrite(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "overwrite:", err)
		os.Exit(1)
	}
}

func overwrite(ctx context.Context, vault, key string) error {
	b, err := filebucket.Open(vault)
	if err != nil {
		return err
	}
	before, err := b.Stat(ctx, key, "")
	if err != nil {
		return err
	}
	forged := []byte("status=DONE\n")
	_, err = b.Create(ctx, key, bytes.NewReader(forged), bucket.CreateOptions{})
	if err := refused("create it a second time", vault, err); err != nil {
		return err
	}
	_, err = b.Put(ctx, key, forged)
	if err := refused("replace it", vault, err); err != nil {
		return err
	}
	after, err := b.Stat(ctx, key, "")
	if err != nil {
		return err
	}
	if after.Size != before.Size || after.CRC32C != before.CRC32C || after.Created != before.Created {
		return fmt.Errorf("%s was %+v and is %+v", key, before, after)
	}
	return nil
}

// refused prints the answer; an error means that the vault did not refuse because of what is there.
func refused(what, vault string, err error) error {
	if err == nil {
		return fmt.Errorf("%s: the vault took it", what)
	}
	fmt.Printf("%-24s %s\n", what+":", strings.ReplaceAll(err.Error(), vault+"/", ""))
	if !bucket.Exists(err) {
		return errors.New("that is not the refusal that was expected")
	}
	return nil
}
