package awspolicy

import (
	"maps"
	"testing"

	"github.com/pgseal/pgseal/terraform/awsiam"
)

var parsed = map[string]Set{}

// setOf parses the policies of each run once. What it returns is shared.
func setOf(t testing.TB, run string) Set {
	t.Helper()
	if parsed[run] == nil {
		set, err := Rendered(run)
		if err != nil {
			t.Fatal(err)
		}
		parsed[run] = set
	}
	return parsed[run]
}

// TestRequests evaluates the rendered policies over the whole table.
func TestRequests(t *testing.T) {
	if len(Requests) < 80 {
		t.Fatalf("only %d requests", len(Requests))
	}
	names := map[string]bool{}
	for _, r := range Requests {
		if names[r.Name] {
			t.Errorf("%q stands there twice", r.Name)
		}
		names[r.Name] = true
		t.Run(r.Name, func(t *testing.T) {
			if got := r.Decide(setOf(t, r.Run)); got.Allowed != r.Want {
				t.Errorf("allowed: %v (by statement %q)", got.Allowed, got.Sid)
			}
		})
	}
}

// TestEveryDenyMatters: without any one of the statements that deny in a bucket's policy, some line of the table fails.
func TestEveryDenyMatters(t *testing.T) {
	for _, bucket := range []string{"vault", "staging"} {
		seen := map[string]bool{}
		for _, run := range []string{"minimal", "complete", "e2e", "own_account"} {
			for _, s := range setOf(t, run)[bucket].Statement {
				if _, known := seen[s.Sid]; !known {
					seen[s.Sid] = len(wrongWithout(t, bucket, s.Sid)) > 0
				}
			}
		}
		for sid, noticed := range seen {
			if !noticed {
				t.Errorf("nothing in the table notices that %s is missing from the policy of the %s", sid, bucket)
			}
		}
	}
}

// wrongWithout are the requests that are answered wrongly when a statement is missing from a bucket's policy.
func wrongWithout(t *testing.T, bucket, sid string) (wrong []string) {
	t.Helper()
	for _, r := range Requests {
		if r.Bucket != bucket {
			continue
		}
		set := maps.Clone(setOf(t, r.Run))
		var rest []awsiam.Statement
		for _, s := range set[bucket].Statement {
			if s.Sid != sid {
				rest = append(rest, s)
			}
		}
		set[bucket] = awsiam.Policy{Version: set[bucket].Version, Statement: rest}
		if r.Decide(set).Allowed != r.Want {
			wrong = append(wrong, r.Name)
		}
	}
	return wrong
}

// TestForAnotherPlace: the rewritten policies answer as the rendered ones do, and not for the old buckets any more.
func TestForAnotherPlace(t *testing.T) {
	for _, place := range []Place{{Vault: "v", Staging: "s", Prefix: "pg/x"}, {Vault: "v", Staging: "s"}} {
		sets := map[string]Set{}
		for _, r := range Requests {
			if sets[r.Run] == nil {
				set, err := For(r.Run, place)
				if err != nil {
					t.Fatal(err)
				}
				sets[r.Run] = set
			}
			set := sets[r.Run]
			if got := r.decide(set, r.IAM(place)); got.Allowed != r.Want {
				t.Errorf("%q: %s: allowed: %v (by statement %q)", place.Prefix, r.Name, got.Allowed, got.Sid)
			}
			if r.Who == "host" && r.Decide(set).Allowed {
				t.Errorf("%q: %s: allowed in the old bucket", place.Prefix, r.Name)
			}
		}
	}
}

// TestQueue: only staging's notifications reach the queue, and only the schedule's failures the dead-letter queue.
func TestQueue(t *testing.T) {
	set := setOf(t, "minimal")
	for _, c := range []struct {
		name, queue, service, source, account string
		want                                  bool
	}{
		{"staging", "queue", "s3.amazonaws.com", "arn:aws:s3:::example-staging", Account, true},
		{"the vault", "queue", "s3.amazonaws.com", "arn:aws:s3:::example-vault", Account, false},
		{"a bucket of that name in another account", "queue", "s3.amazonaws.com", "arn:aws:s3:::example-staging", "999999999999", false},
		{"another service", "queue", "sns.amazonaws.com", "arn:aws:s3:::example-staging", Account, false},
		{"the schedule", "dead_letter", "events.amazonaws.com", "arn:aws:events:eu-central-1:111122223333:rule/pgseal-sweep", Account, true},
		{"another rule", "dead_letter", "events.amazonaws.com", "arn:aws:events:eu-central-1:111122223333:rule/x", Account, false},
	} {
		name := map[string]string{"queue": "pgseal", "dead_letter": "pgseal-dead-letter"}[c.queue]
		r := awsiam.Request{Principal: awsiam.Principal{Service: c.service}, Action: "sqs:SendMessage", Owner: Account,
			Resource: "arn:aws:sqs:eu-central-1:111122223333:" + name,
			Context:  map[string]string{"aws:SourceArn": c.source, "aws:SourceAccount": c.account, "aws:SecureTransport": "true"}}
		if got := awsiam.Decide(nil, set[c.queue], r); got.Allowed != c.want {
			t.Errorf("%s: allowed: %v", c.name, got.Allowed)
		}
	}
}
