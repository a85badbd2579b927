package store

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/uploader/option"
)

// Apart refuses a staging place that is the vault, or that is inside the other one: keys of the one could be keys of
// the other, and what is locked could not be told from what is not. The error is an *option.Error.
func Apart(vault, staging bucket.Bucket) error {
	v, s := resolved(vault.URL()), resolved(staging.URL())
	switch {
	case v == s:
		return option.Errorf("--staging-url %s is the vault itself: staging is another bucket or path, without retention", staging.URL())
	case strings.HasPrefix(s, v+"/"), strings.HasPrefix(v, s+"/"):
		return option.Errorf("staging (%s) and the vault (%s) are inside of one another: use two buckets, or two paths side by side", staging.URL(), vault.URL())
	}
	return nil
}

// resolved follows the links in the path of a file:// URL, as far as it exists, so that two names of one directory
// are seen to be one.
func resolved(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "file" {
		return rawURL
	}
	for dir, rest := u.Path, ""; ; {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return "file://" + filepath.Join(real, rest)
		}
		if dir == filepath.Dir(dir) {
			return rawURL
		}
		dir, rest = filepath.Dir(dir), filepath.Join(filepath.Base(dir), rest)
	}
}
