// Package localaws is "AWS on my laptop": an S3 that is as strict as the real one where pgseal leans on it, with
// identities, events, a queue and faults on demand.
//
// Behind it runs versitygw (Object Lock, versions, conditional writes, checksums), started by re-executing the current
// binary, with the few behaviours corrected in which it differs from Amazon S3 (strict.go). In front of it stands a
// proxy that decides who may do what, by the policies that the Terraform module renders (rules.go), hides lock headers from
// those who may not see them, injects faults (faults.go), writes a request log (requests.go) and makes AWS-shaped events
// (events.go). What versitygw does not keep of a bucket's configuration it keeps itself (settings.go), so that Terraform
// can make the buckets.
//
// A test package calls Main from TestMain, a command calls Hijack first in main:
//
//	func TestMain(m *testing.M) { localaws.Main(m) }
//
//	aws := localaws.Start(t, localaws.Config{VaultRetention: 24 * time.Hour})
//	host := aws.Client(aws.Host)
//
// What it does not pretend to be: IAM (rules are a table in this process), encryption, storage classes, lifecycle
// rules, cross-account access. It was compared with the documentation of Amazon S3, never with a live account.
package localaws
