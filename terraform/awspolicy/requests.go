package awspolicy

import (
	"maps"

	"github.com/pgseal/pgseal/terraform/awsiam"
)

// Request is one line of the table: who asks for what, by the rules of which run, and whether it is allowed.
type Request struct {
	Name   string
	Run    string // of policies.tftest.hcl
	Who    string // host (of server main), finalizer, restore, operator, expire, breakglass; admin and terraform, see principals
	Action string
	Bucket string // vault or staging
	Key    string // below the prefix; empty: the bucket itself
	With   map[string]string
	Want   bool
}

// administrator is what every account has: somebody who is allowed everything.
var administrator = awsiam.Policy{Version: "2012-10-17", Statement: []awsiam.Statement{
	{Sid: "AdministratorAccess", Effect: awsiam.Allow, Action: awsiam.Strings{"*"}, Resource: awsiam.Strings{"*"}},
}}

// principal is who asks. admin has AdministratorAccess in the vault's account, and so has terraform, whom the run
// complete names as the vault's administrator; greedy is the host's role to which somebody has attached
// AdministratorAccess as well; foreign hosts are in another account.
func (r Request) principal() awsiam.Principal {
	arn := func(account, role string) string { return "arn:aws:iam::" + account + ":role/" + role }
	main := map[string]string{"pgseal-server": "main"}
	switch r.Who {
	case "host", "greedy":
		return awsiam.Principal{ARN: arn(Account, "pgseal-host-main"), Tags: main}
	case "untagged":
		return awsiam.Principal{ARN: arn(Account, "pgseal-host-main")}
	case "foreign host":
		return awsiam.Principal{ARN: arn("444455556666", "pgseal-host-main"), Tags: main}
	case "foreign role":
		return awsiam.Principal{ARN: arn("444455556666", "some-other"), Tags: main}
	case "unknown account":
		return awsiam.Principal{ARN: arn("999999999999", "pgseal-host-main"), Tags: main}
	case "admin":
		return awsiam.Principal{ARN: arn(Account, "admin")}
	case "impostor":
		return awsiam.Principal{ARN: arn(Account, "pgseal-breakglass")}
	case "terraform":
		return awsiam.Principal{ARN: arn(Account, "terraform")}
	}
	return awsiam.Principal{ARN: arn(Account, "pgseal-"+r.Who)}
}

// IAM is the request in the evaluator's words, with the buckets' names of the place.
func (r Request) IAM(p Place) awsiam.Request {
	resource := "arn:aws:s3:::" + map[string]string{"vault": p.Vault, "staging": p.Staging}[r.Bucket]
	if r.Key != "" {
		resource += "/"
		if p.Prefix != "" {
			resource += p.Prefix + "/"
		}
		resource += r.Key
	}
	with := map[string]string{"aws:SecureTransport": "true"}
	maps.Copy(with, r.With)
	return awsiam.Request{Principal: r.principal(), Action: r.Action, Resource: resource, Owner: Account, Context: with}
}

// Decide answers the request by the policies that Terraform rendered.
func (r Request) Decide(s Set) awsiam.Decision {
	return r.decide(s, r.IAM(Place{Vault: Vault, Staging: Staging, Prefix: Prefix}))
}

func (r Request) decide(s Set, q awsiam.Request) awsiam.Decision {
	var own []awsiam.Policy
	switch r.Who {
	case "admin", "terraform", "impostor":
		own = []awsiam.Policy{administrator}
	case "greedy":
		own = []awsiam.Policy{administrator} // without the denies of its own policy
	case "untagged":
		own = []awsiam.Policy{s["host"]}
	case "foreign host", "foreign role", "unknown account":
		own = []awsiam.Policy{administrator} // the other account may allow its people what it likes
	default:
		if policy, ok := s[r.Who]; ok {
			own = []awsiam.Policy{policy}
		}
	}
	return awsiam.Decide(own, s[r.Bucket], q)
}

// What requests carry. Amazon S3 says with s3:ObjectCreationOperation whether a request makes an object appear
// (PutObject, CopyObject, CompleteMultipartUpload) or only prepares one (CreateMultipartUpload, UploadPart); the user
// guide, "Enforce conditional writes on Amazon S3 buckets", read 2026-11.
var (
	create        = map[string]string{"s3:ObjectCreationOperation": "true", "s3:if-none-match": "*"}
	unconditional = map[string]string{"s3:ObjectCreationOperation": "true"}
	replace       = map[string]string{"s3:ObjectCreationOperation": "true", "s3:if-match": "etag"}
	part          = map[string]string{"s3:ObjectCreationOperation": "false"}
	copied        = map[string]string{"s3:ObjectCreationOperation": "true", "s3:x-amz-copy-source": "example-vault/x"}
	plain         = map[string]string{"aws:SecureTransport": "false"}
	plainCreate   = plus(create, "aws:SecureTransport", "false")
)

// plus is a request that carries more.
func plus(with map[string]string, pairs ...string) map[string]string {
	out := maps.Clone(with)
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// Condition keys that stand often in the table.
const (
	class      = "s3:x-amz-storage-class"
	customer   = "s3:x-amz-server-side-encryption-customer-algorithm"
	encryption = "s3:x-amz-server-side-encryption"
	kmsKey     = "s3:x-amz-server-side-encryption-aws-kms-key-id"
	days       = "s3:object-lock-remaining-retention-days"
	mode       = "s3:object-lock-mode"
	vpce       = "aws:SourceVpce"
)

// Keys that stand often in the table.
const (
	set     = "main/base/20261123T020000/"
	seal    = set + "backup.info"
	data    = set + "data.tar.gz"
	keep    = set + "annotations/keep"
	segment = "main/wals/0000000100000000/000000010000000000000001.gz"
	marker  = "_pgseal/complete/main/20261123T020000.json"
	verdict = "_pgseal/verdict/main/20261123T020000.json"
	drill   = "_pgseal/drill/main/20261123T020000.json"
	ownKey  = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
	itsVPC  = "vpce-0123456789abcdef0"
)
