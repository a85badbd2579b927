package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/functions/wake"
)

// gridEvent is as Event Grid writes it in its own schema.
func gridEvent(kind, url string) string {
	return marshal(map[string]any{
		"topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account", "eventType": kind,
		"subject": "/blobServices/default/containers/staging/blobs/x", "id": "831e1650-001e-001b-66ab-eeb76e069631",
		"eventTime": "2026-11-23T01:02:03.4567891Z", "dataVersion": "", "metadataVersion": "1",
		"data": map[string]any{
			"api": "PutBlob", "requestId": "831e1650-001e-001b-66ab-eeb76e000000", "eTag": "0x8D4BCC2E4835CD0", "contentType": "application/json",
			"contentLength": 120, "blobType": "BlockBlob", "url": url, "sequencer": "00000000000004420000000000028963",
		},
	})
}

// cloudEvent is the same in the schema of CloudEvents 1.0.
func cloudEvent(kind, url string) string {
	return marshal(map[string]any{
		"specversion": "1.0", "type": kind, "source": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account",
		"id": "831e1650-001e-001b-66ab-eeb76e069631", "time": "2026-11-23T01:02:03.4567891Z", "subject": "/blobServices/default/containers/staging/blobs/x",
		"data": map[string]any{"api": "PutBlob", "url": url},
	})
}

func marshal(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// quoted is a JSON string of the text.
func quoted(text string) string { return marshal(text) }

func inBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// read is what the handler does with one binding's value.
func read(value string) (created []wake.Object, errs []error) {
	events, errs := unwrap([]byte(value), 0)
	for _, e := range events {
		o, err := createdIn(e)
		created = append(created, o...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	return created, errs
}

func TestEventsAndWhatTheyWake(t *testing.T) {
	const url, host = "https://account.blob.core.windows.net/staging/a%2Bb%20c%2520/_pgseal/complete/main/20261123T010203.json", "https://account.blob.core.windows.net"
	woken := wake.Object{Bucket: host + "/staging", Key: "a+b c%20/_pgseal/complete/main/20261123T010203.json"}
	event := gridEvent(blobCreated, url)
	invalid := `{"eventType":"Microsoft.Storage.BlobCreated","data":{"url":"` + host + `"}}`
	tests := []struct {
		name, value string
		want        []wake.Object
		errs        int
	}{
		{"an object", event, []wake.Object{woken}, 0},
		{"an object of the CloudEvents schema", cloudEvent(blobCreated, url), []wake.Object{woken}, 0},
		{"a string", quoted(event), []wake.Object{woken}, 0},
		{"a string that was quoted twice", quoted(quoted(event)), []wake.Object{woken}, 0},
		{"a string of base64", quoted(inBase64(event)), []wake.Object{woken}, 0},
		{"a string of base64 that was quoted twice", quoted(quoted(inBase64(event))), []wake.Object{woken}, 0},
		{"a list", "[" + event + "," + cloudEvent(blobCreated, url) + "]", []wake.Object{woken, woken}, 0},
		{"a list of strings", "[" + quoted(event) + "," + quoted(quoted(event)) + "]", []wake.Object{woken, woken}, 0},
		{"a string of a list", quoted(" [" + event + "]\n"), []wake.Object{woken}, 0},
		{"an empty list", "[]", nil, 0},
		{"an emulator, with the account in the path", gridEvent(blobCreated, "http://127.0.0.1:10000/account/staging/p/x"),
			[]wake.Object{{Bucket: "http://127.0.0.1:10000/account/staging", Key: "p/x"}}, 0},
		{"a URL that was not encoded", gridEvent(blobCreated, host+"/staging/a b+c/é"), []wake.Object{{Bucket: host + "/staging", Key: "a b+c/é"}}, 0},
		{"a blob that was deleted", gridEvent("Microsoft.Storage.BlobDeleted", url), nil, 0},
		{"the question whether somebody listens", marshal([]any{map[string]any{
			"eventType": validation, "data": map[string]string{"validationCode": "512d38b6", "validationUrl": "https://x"}}}), nil, 0},
		{"one bad event does not hide the other", "[" + invalid + `,17,"!",` + event + "]", []wake.Object{woken}, 3},
		{"an event without a URL", gridEvent(blobCreated, ""), nil, 1},
		{"an event whose URL is none", gridEvent(blobCreated, "https://%zz/"), nil, 1},
		{"an event whose data is none", `{"eventType":"Microsoft.Storage.BlobCreated","data":"x"}`, nil, 1},
		{"an event without data", `{"eventType":"Microsoft.Storage.BlobCreated"}`, nil, 1},
		{"an event of another service", `{"eventType":"Microsoft.Web.AppUpdated","data":{}}`, nil, 1},
		{"no event", `{}`, nil, 1},
		{"nothing", `null`, nil, 1},
		{"an empty string", `""`, nil, 1},
		{"a text", `"hello, world"`, nil, 1},
		{"far too many quotes", quoted(quoted(quoted(quoted(quoted(quoted(event)))))), nil, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			created, errs := read(test.value)
			if !slices.Equal(created, test.want) || len(errs) != test.errs {
				t.Errorf("%q, %v", created, errs)
			}
			for _, err := range errs {
				var eventErr *wake.EventError
				if !errors.As(err, &eventErr) || len(err.Error()) > 1000 {
					t.Errorf("%T %v", err, err)
				}
			}
		})
	}
}

func FuzzEvent(f *testing.F) {
	event := gridEvent(blobCreated, "https://account.blob.core.windows.net/staging/k")
	for _, seed := range []string{event, cloudEvent(blobCreated, "http://x/account/staging/k"), quoted(quoted(event)), quoted(inBase64(event)), "[" + event + "]", `[[["x"]]]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		created, errs := read(string(value))
		for _, o := range created {
			if !strings.Contains(o.Bucket, "://") {
				t.Errorf("%q", o)
			}
		}
		for _, err := range errs {
			if len(err.Error()) > 4000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		}
	})
}
