package filebucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// Lock makes a directory a vault.
type Lock struct {
	Default time.Duration // retention that every new object gets; 0: none
}

// lockJSON is .pgseal/lock.json.
type lockJSON struct {
	Locked  bool   `json:"locked"`
	Default string `json:"default_retention,omitempty"` // as time.ParseDuration reads it
}

// Init makes the directory of a URL, with its parents, and locks it. Doing so
// again with the same lock is a success; ErrExists: it has another lock.
func Init(rawURL string, l Lock) error {
	b, root, err := makePlace(rawURL)
	if err != nil {
		return err
	}
	defer root.Close()
	if l.Default < 0 {
		return &bucket.Error{Op: "init", Key: b.url, Kind: bucket.ErrInvalid, Code: "retention cannot be negative"}
	}
	j := lockJSON{Locked: true}
	if l.Default > 0 {
		j.Default = l.Default.String()
	}
	data, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return b.fail("init", "", err)
	}
	if err := makeDirs(root, tmpDir); err != nil {
		return b.fail("init", "", err)
	}
	tmp, err := writeTmp(root, append(data, '\n'))
	if err != nil {
		return b.fail("init", "", err)
	}
	defer root.Remove(tmp)
	err = root.Link(tmp, lockFile)
	if errors.Is(err, fs.ErrExist) {
		switch have, err := readLock(root); {
		case err != nil:
			return b.fail("init", "", err)
		case have != l:
			return &bucket.Error{Op: "init", Key: b.url, Kind: bucket.ErrExists,
				Code: fmt.Sprintf("a vault with a default retention of %v", have.Default)}
		}
		return nil
	} else if err != nil {
		return b.fail("init", "", err)
	}
	return b.failUnless("init", syncDir(root, ours))
}

// InitStaging makes the directory of a URL, with its parents, and leaves it
// without a lock. ErrExists: it is a vault.
func InitStaging(rawURL string) error {
	b, root, err := makePlace(rawURL)
	if err != nil {
		return err
	}
	defer root.Close()
	if _, err := readLock(root); err == nil {
		return &bucket.Error{Op: "init", Key: b.url, Kind: bucket.ErrExists, Code: "it is locked already, and staging must not be"}
	} else if !errors.Is(err, errUnlocked) {
		return b.fail("init", "", err)
	}
	return nil
}

func makePlace(rawURL string) (*Bucket, *os.Root, error) {
	b, err := Open(rawURL)
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(b.dir, dirMode); err != nil {
		return nil, nil, b.fail("init", "", err)
	}
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		return nil, nil, b.fail("init", "", err)
	}
	return b, root, nil
}

// failUnless wraps err if there is one.
func (b *Bucket) failUnless(op string, err error) error {
	if err == nil {
		return nil
	}
	return b.fail(op, "", err)
}

// Lock reads .pgseal/lock.json.
func (b *Bucket) Lock(ctx context.Context) (bucket.Lock, error) {
	root, err := b.enter(ctx, "read lock of", "")
	if err != nil {
		return bucket.Lock{}, err
	}
	l, err := readLock(root)
	if errors.Is(err, errUnlocked) {
		return bucket.Lock{}, nil
	} else if err != nil {
		return bucket.Lock{}, b.fail("read lock of", "", err)
	}
	return bucket.Lock{Enabled: true, Mode: "file", Default: l.Default}, nil
}

var errUnlocked = errors.New("the directory has no lock; a vault is made with one")

// readLock returns errUnlocked where there is none. A lock that cannot be read
// is an error, never the same as no lock.
func readLock(root *os.Root) (Lock, error) {
	data, err := root.ReadFile(lockFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Lock{}, errUnlocked
	} else if err != nil {
		return Lock{}, err
	}
	var j lockJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return Lock{}, fmt.Errorf("%s: %w", lockFile, err)
	}
	if !j.Locked {
		return Lock{}, fmt.Errorf("%s does not say locked: true", lockFile)
	}
	var l Lock
	if j.Default != "" {
		if l.Default, err = time.ParseDuration(j.Default); err != nil || l.Default < 0 {
			return Lock{}, fmt.Errorf("%s: default_retention %q is no duration such as 720h", lockFile, j.Default)
		}
	}
	return l, nil
}
