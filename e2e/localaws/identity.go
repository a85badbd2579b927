package localaws

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pgseal/pgseal/terraform/awspolicy"
)

// Region is the region of everything here.
const Region = "eu-central-1"

// account is the account number in the ARNs of the identities.
const account = awspolicy.Account

// Credentials is an access key.
type Credentials struct {
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// Identity is somebody who may sign requests. What it may do stands in the rules.
type Identity struct {
	Name        string
	Credentials Credentials
	endpoint    string
}

// ARN is the identity's name in policies.
func (i Identity) ARN() string {
	return "arn:aws:iam::" + account + ":role/pgseal-" + i.Name
}

// Env is the environment with which the AWS SDKs, pgseal, the Lambda binary and barman-cloud act as this identity on
// the local S3: NAME=value pairs.
func (i Identity) Env() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + i.Credentials.AccessKey,
		"AWS_SECRET_ACCESS_KEY=" + i.Credentials.SecretKey,
		"AWS_REGION=" + Region,
		"AWS_DEFAULT_REGION=" + Region,
		"AWS_ENDPOINT_URL_S3=" + i.endpoint,
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// identityNames are the identities every local AWS has.
var identityNames = []string{hostName, finalizerName, restoreName, operatorName, breakglassName}

const (
	hostName       = "host"
	finalizerName  = "finalizer"
	restoreName    = "restore"
	operatorName   = "operator"
	breakglassName = "breakglass"
)

// newIdentities makes a fresh key for each name.
func newIdentities() map[string]Credentials {
	out := map[string]Credentials{}
	for _, name := range identityNames {
		out[name] = newCredentials(name)
	}
	return out
}

// newCredentials makes a random key whose id shows its owner.
func newCredentials(name string) Credentials {
	return Credentials{AccessKey: "LOCAL" + strings.ToUpper(name) + rand.Text()[:6], SecretKey: rand.Text() + rand.Text()[:14]}
}

// keptIdentities reads the keys kept in dir from an earlier start, or makes and keeps new ones, so that what a person
// pasted into a shell stays valid.
func keptIdentities(dir string) (map[string]Credentials, error) {
	path := filepath.Join(dir, "identities.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		made := newIdentities()
		data, err := json.MarshalIndent(made, "", "  ")
		if err != nil {
			return nil, err
		}
		return made, os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		return nil, err
	}
	kept := map[string]Credentials{}
	if err := json.Unmarshal(data, &kept); err != nil {
		return nil, fmt.Errorf("%s: %w (remove the file for new keys)", path, err)
	}
	for _, name := range identityNames {
		if kept[name].AccessKey == "" {
			return nil, fmt.Errorf("%s: no key for %q (remove the file for new keys)", path, name)
		}
	}
	return kept, nil
}
