package prune

import (
	"net/url"
	"strings"

	"github.com/pgseal/pgseal/core/backupinfo"
	"github.com/pgseal/pgseal/core/bucket"
)

// skipping says what would be deleted, in barman's words: a list as Python prints it, of keys in the bucket.
func (d *Deleter) skipping(objects []bucket.Object) error {
	var names []string
	told := map[string]bool{}
	for _, o := range objects {
		if !told[o.Key] {
			names = append(names, backupinfo.Quote(d.prefix()+o.Key))
			told[o.Key] = true
		}
	}
	return d.say("Skipping deletion of objects [%s] due to --dry-run option\n", strings.Join(names, ", "))
}

// prefix is what stands before the vault's keys in the bucket; of a directory it is the whole path.
func (d *Deleter) prefix() string {
	u, err := url.Parse(d.Vault.URL())
	if err != nil {
		return ""
	}
	path := strings.Trim(u.Path, "/")
	switch u.Scheme {
	case "file":
		return "/" + path + "/"
	case "http", "https": // Azure: the container comes first
		_, path, _ = strings.Cut(path, "/")
	}
	if path == "" {
		return ""
	}
	return path + "/"
}
