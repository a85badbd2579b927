package store

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/uploader/option"
)

// MakeVault makes the directory of a file:// vault on its first use, with a lock whose default is retention (0: none),
// and tells whether it did. URLs of other stores, and directories that are there, are left as they are.
//
// A disk that is not mounted must not be taken for a vault that was never made. So the parent directory has to be
// there, and so has staging to be without a trace of earlier backups (staging is "" or a URL of any store; only a
// directory can be looked at). wal-archive never calls this: where the vault is missing, WAL is not archived.
func MakeVault(vault, staging string, retention time.Duration) (made bool, err error) {
	dir, missing, err := missingDirectory(vault)
	if err != nil || !missing {
		return false, err
	}
	if place, ok := directory(staging); ok {
		if left, err := os.ReadDir(place); err == nil && len(left) > 0 {
			return false, option.Errorf("the vault %s is missing, but staging (%s) has been used: is a disk not mounted? "+
				"If the vault is to be a new one, give it a new staging directory too", dir, place)
		}
	}
	if err := filebucket.Init(vault, filebucket.Lock{Default: retention}); err != nil {
		return false, err
	}
	return true, nil
}

// MakeStaging makes the directory of a file:// staging place on its first use, and tells whether it did. The parent
// directory has to be there. URLs of other stores, and directories that are there, are left as they are.
func MakeStaging(staging string) (made bool, err error) {
	_, missing, err := missingDirectory(staging)
	if err != nil || !missing {
		return false, err
	}
	if err := filebucket.InitStaging(staging); err != nil {
		return false, err
	}
	return true, nil
}

// missingDirectory tells whether a URL names a directory that is not there and whose parent is. A missing parent is an
// error.
func missingDirectory(rawURL string) (dir string, missing bool, err error) {
	dir, ok := directory(rawURL)
	if !ok {
		return "", false, nil
	}
	switch _, err := os.Stat(dir); {
	case err == nil:
		return dir, false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return dir, false, err
	}
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) {
		return dir, false, option.Errorf("%s: there is no directory %s: mount the disk, or make it with mkdir -p %s", rawURL, parent, parent)
	} else if err != nil {
		return dir, false, err
	}
	return dir, true, nil
}

// directory is the path of a file:// URL.
func directory(rawURL string) (string, bool) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "file" || u.Path == "" {
		return "", false
	}
	return filepath.Clean(u.Path), true
}
