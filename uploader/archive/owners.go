package archive

import (
	"os/user"
	"strconv"
)

// owners remembers the names of users and groups: a cluster's files belong to
// one or two of them. A number without a name has the name "", as in any tar.
type owners map[string]string

func (o owners) user(uid int) string {
	return o.name("u", uid, func(id string) (string, error) {
		u, err := user.LookupId(id)
		if err != nil {
			return "", err
		}
		return u.Username, nil
	})
}

func (o owners) group(gid int) string {
	return o.name("g", gid, func(id string) (string, error) {
		g, err := user.LookupGroupId(id)
		if err != nil {
			return "", err
		}
		return g.Name, nil
	})
}

func (o owners) name(kind string, n int, look func(string) (string, error)) string {
	id := strconv.Itoa(n)
	name, known := o[kind+id]
	if !known {
		name, _ = look(id)
		o[kind+id] = name
	}
	return name
}
