package filebucket

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/pgseal/pgseal/core/bucket"
)

// parseURL returns the absolute path that a file URL names (RFC 8089), without
// a trailing slash.
func parseURL(raw string) (string, error) {
	refuse := func(why string) (string, error) {
		return "", &bucket.Error{Op: "open", Key: raw, Kind: bucket.ErrInvalid, Code: why}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return refuse(err.Error())
	case u.Scheme != "file":
		return refuse("not a file:// URL")
	case u.Opaque != "":
		return refuse("the path must be absolute; write file:///" + u.Opaque + " with the whole path")
	case u.Host != "" && u.Host != "localhost":
		return refuse("a path after file:// begins with a slash; write file:///" + u.Host + u.EscapedPath() + " with the whole path")
	case u.User != nil:
		return refuse("a file:// URL has no user")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return refuse("'?' and '#' in a path are written %3F and %23")
	case strings.ContainsRune(u.Path, 0):
		return refuse("a path holds no NUL byte")
	}
	dir := path.Clean("/" + u.Path)
	if dir == "/" {
		return refuse("names the root directory; write a path below it")
	}
	return dir, nil
}

func formatURL(dir string) string { return (&url.URL{Scheme: "file", Path: dir}).String() }

// badKey is a key that cannot be a file of ours.
type badKey struct{ why string }

func (e badKey) Error() string { return e.why }

// checkKey refuses keys that name no file of their own below the root.
func checkKey(key string) error {
	if !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return badKey{"a key is UTF-8 without NUL bytes"}
	}
	for seg := range strings.SplitSeq(key, "/") {
		switch {
		case seg == "":
			return badKey{"a key is not empty, neither begins nor ends with '/' and has no '//'"}
		case seg == "." || seg == "..":
			return badKey{"a key has no part '.' or '..'"}
		case isOurs(seg):
			return badKey{fmt.Sprintf("%q is a name of pgseal's own bookkeeping", seg)}
		}
	}
	return nil
}

// isOurs tells whether a name in a directory is bookkeeping and no key.
func isOurs(name string) bool { return name == ours || strings.HasSuffix(name, sidecarEnd) }
