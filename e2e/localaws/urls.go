package localaws

import "strings"

// VaultURL is the vault as pgseal and barman name it: s3://vault/prefix.
func (a *AWS) VaultURL() string { return bucketURL(a.Vault, a.Prefix) }

// StagingURL is staging as pgseal names it: s3://staging/prefix.
func (a *AWS) StagingURL() string { return bucketURL(a.Staging, a.Prefix) }

// Markers is the rule by which production wakes the finalizer: markers that appear in staging.
func (a *AWS) Markers() Notification {
	return Notification{Bucket: a.Staging, Prefix: strings.TrimPrefix(a.Prefix+"/_pgseal/complete/", "/"), Suffix: ".json"}
}

// bucketURL joins bucket and prefix.
func bucketURL(bucket, prefix string) string {
	return strings.TrimSuffix("s3://"+bucket+"/"+strings.Trim(prefix, "/"), "/")
}
