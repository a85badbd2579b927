package localaws_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localaws"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		action     localaws.Action
		stored     bool
	}{
		{"a conflict is a 409 and stores nothing", "Conflict ConditionalRequestConflict", localaws.Conflict, false},
		{"throttling is a 503 and stores nothing", "Service Unavailable SlowDown", localaws.SlowDown, false},
		{"an internal error is a 500 and stores nothing", "Internal Server Error InternalError", localaws.Internal, false},
		{"a lost request stores nothing", "no answer", localaws.LoseRequest, false},
		{"a lost response has stored the object", "no answer", localaws.LoseResponse, true},
		{"a slow request is answered", "200", localaws.Slow, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := localaws.Start(t, localaws.Config{})
			key := "main/base/20260101T000000/backup.info"
			happened := a.Faults.Add(localaws.Fault{Operation: "PutObject", Key: "*/backup.info", Identity: "finalizer", Action: c.action, Times: 1})
			client := a.Client(a.Finalizer)

			_, err := putAs(client, a.Vault, key, "first", createOnly)
			if got := outcome(err); got != c.want {
				t.Fatalf("%s, want %s: %v", got, c.want, err)
			}
			if happened() != 1 {
				t.Errorf("happened %d times", happened())
			}
			if events := a.Events.Recorded(); (len(events) == 1) != c.stored {
				t.Errorf("events: %+v", events)
			}

			_, err = putAs(client, a.Vault, key, "second", createOnly)
			want := map[bool]string{true: "Precondition Failed PreconditionFailed", false: "200"}[c.stored]
			if got := outcome(err); got != want {
				t.Errorf("the second try: %s, want %s", got, want)
			}
			if got := read(t, client, a.Vault, key); got != map[bool]string{true: "first", false: "second"}[c.stored] {
				t.Errorf("stored is %q", got)
			}
			noDeletes(t, a, "finalizer")
		})
	}
}

func TestAFaultMayLetSomeRequestsPass(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	a.Faults.Add(localaws.Fault{Method: "PUT", Action: localaws.SlowDown, After: 1, Times: 2})
	var got []string
	for range 4 {
		_, err := putAs(a.Client(a.Host), a.Staging, "main/base/20260101T000000/backup.info", "x")
		got = append(got, outcome(err))
	}
	for i, want := range []string{"200", "Service Unavailable SlowDown", "Service Unavailable SlowDown", "200"} {
		if got[i] != want {
			t.Errorf("request %d: %s, want %s", i, got[i], want)
		}
	}
}

func TestALostResponseOfACompleteHasMadeTheObject(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	a.Faults.Add(localaws.Fault{Operation: "CompleteMultipartUpload", Action: localaws.LoseResponse, Times: 1})
	key := "main/base/20260101T000000/data.tar"
	err := completing(key, aws.String("*"))(context.Background(), a.Client(a.Host), a)
	if outcome(err) != "Not Found NoSuchUpload" { // of the abort that follows: the upload is an object now
		t.Fatalf("%s: %v", outcome(err), err)
	}
	if got := read(t, a.Client(a.Host), a.Vault, key); got != "part" {
		t.Errorf("stored is %q", got)
	}
}

func TestTheRequestLogTellsWhoDidWhat(t *testing.T) {
	t.Parallel()
	a := localaws.Start(t, localaws.Config{})
	key := "main/base/20260101T000000/a b+c.tar"
	if _, err := putAs(a.Client(a.Host), a.Vault, key, "x", createOnly); err != nil {
		t.Fatal(err)
	}
	_, _ = a.Client(a.Host).DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: &a.Vault, Key: &key})
	got := a.Requests(localaws.Keys("*.tar"))
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	if r := got[0]; r.Identity != "host" || r.Operation != "PutObject" || r.Key != key || r.IfNoneMatch != "*" || r.Status != 200 || r.Op != cloud.Create {
		t.Errorf("%+v", r)
	}
	if r := got[1]; r.Operation != "DeleteObject" || r.Status != 403 || len(a.Requests(localaws.Deletes, localaws.By("host"))) != 1 {
		t.Errorf("%+v", r)
	}
	a.ForgetRequests()
	if got := a.Requests(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
