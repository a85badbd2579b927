package filebucket

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// makeDirs makes a directory with its parents; each is on the disk when it
// returns.
func makeDirs(root *os.Root, dir string) error {
	if fi, err := root.Stat(dir); err == nil && fi.IsDir() {
		return nil
	}
	made := ""
	for seg := range strings.SplitSeq(dir, "/") {
		parent := made
		made = path.Join(made, seg)
		switch err := root.Mkdir(made, dirMode); {
		case errors.Is(err, fs.ErrExist):
		case err != nil:
			return err
		default:
			if err := syncDir(root, path.Join(".", parent)); err != nil {
				return err
			}
		}
	}
	return nil
}

// syncDir puts the names in a directory on the disk.
func syncDir(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// settle puts every name on the way to key on the disk. Whoever is told that an
// object is there relies on it (an archive_command that says yes lets
// PostgreSQL delete the segment), and the writer that made it may have been
// killed between the link and this.
func settle(root *os.Root, key string) error {
	for dir := path.Dir(key); ; dir = path.Dir(dir) {
		if err := syncDir(root, dir); err != nil || dir == "." {
			return err
		}
	}
}

// tmpName is a name that no other writer has and no listing shows.
func tmpName() string { return rand.Text() + sidecarEnd }

// writeTmp writes a small file under tmpDir and returns its name.
func writeTmp(root *os.Root, data []byte) (string, error) {
	name := path.Join(tmpDir, tmpName())
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, root.Remove(name))
	}
	return name, nil
}

// serialize waits until no other writer, of this process or another, is making
// a key appear. The returned function lets the next one in.
func serialize(root *os.Root) (func(), error) {
	f, err := root.OpenFile(commitFile, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // closing unlocks; nothing was written
}
