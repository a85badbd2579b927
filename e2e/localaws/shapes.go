package localaws

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// S3Event is the payload with which Amazon S3 invokes a function directly, and the body of its messages to a queue.
func S3Event(records ...Record) []byte {
	return document(map[string]any{"Records": records})
}

// TestEvent is what Amazon S3 sends once when a notification is configured. It has no records.
func TestEvent(bucket string) []byte {
	return document(map[string]any{
		"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"Bucket": bucket, "RequestId": requestID(), "HostId": "localaws",
	})
}

// EventBridgeEvent is the record of an object's creation as Amazon EventBridge hands it on. Unlike S3Event, its key is
// not URL-encoded.
func EventBridgeEvent(r Record) []byte {
	reason := map[string]string{
		"ObjectCreated:Put":                     "PutObject",
		"ObjectCreated:Copy":                    "CopyObject",
		"ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
	}[r.EventName]
	object := map[string]any{"key": r.plainKey, "size": r.S3.Object.Size, "etag": r.S3.Object.ETag, "sequencer": r.S3.Object.Sequencer}
	if r.S3.Object.VersionID != "" {
		object["version-id"] = r.S3.Object.VersionID
	}
	return document(map[string]any{
		"version": "0", "id": uuid(), "detail-type": "Object Created", "source": "aws.s3", "account": account,
		"time": r.EventTime[:19] + "Z", "region": Region, "resources": []string{r.S3.Bucket.ARN},
		"detail": map[string]any{
			"version": "0", "bucket": map[string]string{"name": r.S3.Bucket.Name}, "object": object,
			"request-id": r.ResponseElements["x-amz-request-id"], "requester": account,
			"source-ip-address": "127.0.0.1", "reason": reason,
		},
	})
}

// SQSEvent is the payload with which the event source mapping of a queue invokes a function.
func SQSEvent(messages ...Message) []byte {
	records := make([]map[string]any, 0, len(messages))
	for _, m := range messages {
		sum := md5.Sum([]byte(m.Body))
		sent := fmt.Sprint(m.Sent.UnixMilli())
		records = append(records, map[string]any{
			"messageId": m.ID, "receiptHandle": m.receipt, "body": m.Body, "md5OfBody": hex.EncodeToString(sum[:]),
			"attributes": map[string]string{
				"ApproximateReceiveCount": fmt.Sprint(m.Receives), "SentTimestamp": sent,
				"SenderId": "AIDALOCALAWS", "ApproximateFirstReceiveTimestamp": sent,
			},
			"messageAttributes": map[string]any{},
			"eventSource":       "aws:sqs", "eventSourceARN": "arn:aws:sqs:" + Region + ":" + account + ":pgseal", "awsRegion": Region,
		})
	}
	return document(map[string]any{"Records": records})
}

// document is the value as JSON. The values here always marshal.
func document(value any) []byte {
	out, err := json.Marshal(value)
	if err != nil {
		return []byte("null")
	}
	return out
}

// uuid is a random identifier in the form of a UUID.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}
