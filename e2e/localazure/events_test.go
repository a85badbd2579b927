package localazure_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localazure"
)

func TestCreationsAreToldAsEventGridTellsThem(t *testing.T) {
	a := localazure.Start(t, localazure.Config{Prefix: "p"})
	got := make(chan cloud.Event, 10)
	defer a.Created(a.Staging, "p/_pgseal/complete/", func(e cloud.Event) { got <- e })()
	c := a.Client(a.Host, a.Staging)
	create(t, c.NewBlockBlobClient("p/main/elsewhere"))
	b := c.NewBlockBlobClient("p/_pgseal/complete/main/20260101T000000.json")
	create(t, b)
	if _, err := b.StageBlock(t.Context(), id, text("x"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.CommitBlockList(t.Context(), []string{id}, nil); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"PutBlob", "PutBlockList"} {
		e := <-got
		if e.Bucket != a.Staging || e.Key != "p/_pgseal/complete/main/20260101T000000.json" {
			t.Errorf("%+v", e)
		}
		r := e.Record.(localazure.Record)
		var event, cloudEvent map[string]any
		if err := errors.Join(json.Unmarshal(localazure.EventGridEvent(r), &event), json.Unmarshal(localazure.CloudEvent(r), &cloudEvent)); err != nil {
			t.Fatal(err)
		}
		const subject = "/blobServices/default/containers/staging/blobs/p/_pgseal/complete/main/20260101T000000.json"
		data := event["data"].(map[string]any)
		if event["subject"] != subject || event["eventType"] != "Microsoft.Storage.BlobCreated" || data["api"] != want || data["blobType"] != "BlockBlob" || !strings.HasSuffix(event["topic"].(string), "/storageAccounts/"+localazure.Account) {
			t.Errorf("event %d: %v", i, event)
		}
		if cloudEvent["specversion"] != "1.0" || cloudEvent["type"] != "Microsoft.Storage.BlobCreated" || cloudEvent["subject"] != subject || cloudEvent["source"] != event["topic"] {
			t.Errorf("CloudEvent %d: %v", i, cloudEvent)
		}
	}
	select {
	case e := <-got:
		t.Errorf("and %+v", e)
	case <-time.After(50 * time.Millisecond):
	}
}

func TestAnEventComesThoughTheAnswerWasLost(t *testing.T) {
	a := localazure.Start(t, localazure.Config{})
	got := make(chan cloud.Event, 1)
	defer a.Created(a.Staging, "", func(e cloud.Event) { got <- e })()
	a.Faults.Add(cloud.Fault{Op: cloud.Create, Action: cloud.LoseResponse})
	if _, err := a.Client(a.Host, a.Staging).NewBlockBlobClient("main/k").Upload(t.Context(), text("x"), nil); err == nil {
		t.Error("the answer came")
	}
	if e := <-got; e.Key != "main/k" {
		t.Errorf("%+v", e)
	}
}

func TestAPushedEventComesAgainUntilItIsGivenUp(t *testing.T) {
	a := localazure.Start(t, localazure.Config{})
	tries, dead := make(chan string, 10), make(chan string, 1)
	defer a.Push(a.Staging, "main/", []time.Duration{time.Millisecond, time.Millisecond},
		func(event []byte) error { tries <- string(event); return errors.New("down") }, func(event []byte) { dead <- string(event) })()
	create(t, a.Client(a.Host, a.Staging).NewBlockBlobClient("main/k"))
	event := <-dead
	if len(tries) != 3 || <-tries != event {
		t.Errorf("%d tries more, and %s", len(tries), event)
	}
}
