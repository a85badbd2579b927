package localazure

import (
	"crypto/rand"
	"encoding/base64"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// Identity is somebody who may sign requests. What he may do stands in the rules.
type Identity struct {
	Name     string
	key      []byte
	endpoint string
}

// ConnectionString makes any client of Azure act as this identity.
func (i Identity) ConnectionString() string {
	return connectionString(Account, base64.StdEncoding.EncodeToString(i.key), i.endpoint)
}

// Env is the environment with which pgseal, its function and barman-cloud act as this identity: NAME=value pairs.
func (i Identity) Env() []string {
	return []string{"AZURE_STORAGE_CONNECTION_STRING=" + i.ConnectionString()}
}

// everybody are the identities with their names.
func (a *Azure) everybody() map[string]*Identity {
	return map[string]*Identity{
		cloud.Host: &a.Host, cloud.Finalizer: &a.Finalizer, cloud.Restore: &a.Restore,
		cloud.Operator: &a.Operator, cloud.Breakglass: &a.Breakglass,
	}
}

func (a *Azure) makeIdentities() {
	for name, who := range a.everybody() {
		*who = Identity{Name: name, key: []byte("key of the " + name + ": " + rand.Text()), endpoint: a.Endpoint}
	}
}

// identity is the one of that name.
func (a *Azure) identity(name string) Identity {
	who := a.everybody()[name]
	if who == nil {
		panic("localazure: nobody is named " + name)
	}
	return *who
}
