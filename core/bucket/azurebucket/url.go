package azurebucket

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// place is what a URL names.
type place struct {
	base      string // https://account.blob.core.windows.net or http://host:port/account
	account   string
	container string
	prefix    string // "" or "a/b/"
	pathStyle bool   // the account stands in the path: an emulator, or a proxy
}

func (p place) String() string {
	return strings.TrimSuffix(p.base+"/"+p.container+"/"+p.prefix, "/")
}

// Rules of "Naming and referencing containers, blobs, and metadata" in the REST
// reference and of "Storage account overview" (2026-11).
var (
	accountHost   = regexp.MustCompile(`^([a-z0-9]{3,24})(\.z[0-9]{1,2})?\.blob\.[a-z0-9.-]+$`)
	accountName   = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	containerName = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])+$`)
	otherHost     = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
)

// parseURL reads both forms that barman-cloud has. Nothing in the path is
// decoded, as barman decodes nothing. Errors never show what follows a '?': it
// may be a SAS token.
func parseURL(url string) (place, error) {
	if shown, _, found := strings.Cut(url, "?"); found {
		return place{}, fmt.Errorf("%q goes on with a '?': leave it out, and give a SAS token in AZURE_STORAGE_SAS_TOKEN", shown)
	}
	if strings.ContainsAny(url, "#@") {
		return place{}, errors.New("the URL of a place in Azure has no '#' and no '@'")
	}
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || scheme != "https" && scheme != "http" {
		return place{}, fmt.Errorf("%q is no URL of Azure Blob Storage: it has the form https://account.blob.core.windows.net/container/path", url)
	}
	host, rest, _ := strings.Cut(rest, "/")
	var p place
	if m := accountHost.FindStringSubmatch(host); m != nil {
		if scheme != "https" {
			return place{}, fmt.Errorf("%q: Azure is reached with https", url)
		}
		p = place{base: "https://" + host, account: m[1]}
	} else {
		if !otherHost.MatchString(host) {
			return place{}, fmt.Errorf("%q is no host (in %q)", host, url)
		}
		p.account, rest, _ = strings.Cut(rest, "/")
		if !accountName.MatchString(p.account) {
			return place{}, fmt.Errorf("%q is no name of a storage account (in %q): a host that is not Azure's is followed by the account and the container", p.account, url)
		}
		p.base, p.pathStyle = scheme+"://"+host+"/"+p.account, true
	}
	p.container, rest, _ = strings.Cut(rest, "/")
	if !containerName.MatchString(p.container) || len(p.container) < 3 || len(p.container) > 63 {
		return place{}, fmt.Errorf("%q is no name of a container (in %q): 3 to 63 lower case letters, digits and single '-'", p.container, url)
	}
	p.prefix = strings.Trim(rest, "/")
	for part := range strings.SplitSeq(p.prefix, "/") {
		if strings.HasSuffix(part, ".") || part == "" && p.prefix != "" || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
			return place{}, fmt.Errorf("the path in %q may not have empty parts, parts that end with a dot, backslashes nor control characters", url)
		}
	}
	if p.prefix != "" {
		p.prefix += "/"
	}
	return p, nil
}
