package main

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/functions/wake"
)

const backupID = "20261123T010203"

// The events of five servers, with the values that matter in which they differ. versitygw's was taken from 1.8.0 as it
// sent it, MinIO's is as 2026-02 sends it, the others follow their documentation of November 2026.
var shapes = map[string]func(bucket, key string) string{
	"Amazon S3": func(bucket, key string) string {
		return `{"Records":[{"eventVersion":"2.5","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"s3SchemaVersion":"1.0",
		"bucket":{"name":"` + bucket + `"},"object":{"key":"` + form(key) + `","size":120,"sequencer":"0055AED6DCD90281E5"}}}]}`
	},
	"versitygw": func(bucket, key string) string {
		return `{"Records":[{"eventVersion":"2.2","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2026-11-26T22:20:00Z","eventName":"s3:ObjectCreated:Put",
		"userIdentity":{"PrincipalId":"host"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},"responseElements":{"x-amz-request-id":"","x-amz-id-2":""},
		"s3":{"s3SchemaVersion":"1.0","configurationId":"webhook-global","bucket":{"name":"` + bucket + `","ownerIdentity":{"PrincipalId":"root"},
		"arn":"arn:aws:s3:::/` + bucket + `/` + key + `"},"object":{"key":"` + key + `","size":2,"eTag":"\"99914b932bd37a50b983c5e7c90ae93b\"","versionId":null,"sequencer":"1"}},
		"glacierEventData":{"restoreEventData":{"lifecycleRestorationExpiryTime":"","lifecycleRestoreStorageClass":""}}}]}`
	},
	"MinIO": func(bucket, key string) string {
		return `{"EventName":"s3:ObjectCreated:Put","Key":"` + bucket + `/` + key + `","Records":[{"eventVersion":"2.0","eventSource":"minio:s3","eventName":"s3:ObjectCreated:Put",
		"s3":{"bucket":{"name":"` + bucket + `"},"object":{"key":"` + url.QueryEscape(key) + `","size":2}}}]}`
	},
	"Ceph": func(bucket, key string) string {
		return `{"Records":[{"eventVersion":"2.1","eventSource":"ceph:s3","eventName":"ObjectCreated:Put","s3":{"configurationId":"pgseal",
		"bucket":{"name":"` + bucket + `","id":"503a4c37"},"object":{"key":"` + key + `","size":"120","metadata":[],"tags":[]}},"eventId":"","opaqueData":"x"}]}`
	},
	"StorageGRID": func(bucket, key string) string {
		return `{"Records":[{"eventSource":"sgws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"` + bucket + `"},"object":{"key":"` + form(key) + `"}}}]}`
	},
}

// form is how Amazon encodes a key: form style, with its slashes.
func form(key string) string { return strings.ReplaceAll(url.QueryEscape(key), "%2F", "/") }

func TestTheMarkerOfEveryServersEvent(t *testing.T) {
	for _, key := range []string{"barman/_pgseal/complete/main/" + backupID + ".json", "a+b c%/_pgseal/complete/main/" + backupID + ".json"} {
		for name, shape := range shapes {
			records, err := recordsOf([]byte(shape("staging", key)))
			if err != nil || len(records) != 1 {
				t.Fatalf("%s: %v, %v", name, records, err)
			}
			if want := (wake.Object{Bucket: "s3://staging", Key: key}); !slices.Contains(records[0].created(), want) {
				t.Errorf("%s: %q is not among %q", name, want, records[0].created())
			}
		}
	}
}

func TestWhatNamesNoObject(t *testing.T) {
	marker := shapes["versitygw"]("staging", "_pgseal/complete/main/"+backupID+".json")
	records, err := recordsOf([]byte(strings.Replace(marker, "s3:ObjectCreated:Put", "s3:ObjectRemoved:Delete", 1)))
	if err != nil || len(records) != 1 || records[0].created() != nil {
		t.Errorf("a removal: %v, %v", records, err)
	}
	for name, event := range map[string]string{
		"versitygw's": `{"Bucket":"Test-Bucket","Event":"s3:TestEvent","Service":"S3","Time":"2026-11-26T22:20:00Z"}`,
		"Amazon's":    `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"staging"}`,
	} {
		if records, err := recordsOf([]byte(event)); err != nil || len(records) != 0 {
			t.Errorf("%s test: %v, %v", name, records, err)
		}
	}
	for name, event := range map[string]string{
		"nothing": "", "no JSON": "hello", "a list": "[]", "no records": "{}", "records of another kind": `{"Records":["x"]}`,
		"a name of another type": `{"Records":[{"s3":{"bucket":{"name":7}}}]}`, "two documents": marker + marker, "cut short": marker[:len(marker)-9],
		"deep": strings.Repeat(`{"Records":[`, 20_000),
	} {
		var eventErr *wake.EventError
		if _, err := recordsOf([]byte(event)); !errors.As(err, &eventErr) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever comes in, what goes on is an object under an s3:// URL, and a marker of the one staging or nothing.
func FuzzEvent(f *testing.F) {
	for _, shape := range shapes {
		f.Add([]byte(shape("staging", "p/_pgseal/complete/main/"+backupID+".json")))
		f.Add([]byte(shape("vault", "p/../_pgseal/complete/%2e%2e/x.json")))
	}
	f.Add([]byte(`{"Event":"s3:TestEvent"}`))
	service, _ := newTestService(f, settings{})
	f.Fuzz(func(t *testing.T, body []byte) {
		records, err := recordsOf(body)
		if err != nil {
			return
		}
		for _, r := range records {
			server, o, ok := service.marker(r)
			if !ok {
				continue
			}
			id := strings.TrimSuffix(o.Key[strings.LastIndexByte(o.Key, '/')+1:], ".json")
			if o.Bucket != "s3://staging" || o.Key != "p/_pgseal/complete/"+server+"/"+id+".json" || strings.ContainsAny(server, "/%\n") || len(id) != len(backupID) {
				text, _ := json.Marshal(r)
				t.Errorf("%s woke %q for %q", text, o, server)
			}
		}
	})
}
