package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/pgseal/pgseal/functions/wake"
)

// maxWrappings is more than any host is known to put around an event: a batch,
// a JSON string twice, base64.
const maxWrappings = 5

// unwrap finds the events in what the host hands over for a binding. Event Grid
// events come as objects, and a queue's messages as JSON strings, which some
// versions of the host quote twice; inside may be base64, when the host is told
// not to decode it, or a batch. Events that cannot be reached are told as
// errors, and do not hide the others.
func unwrap(value []byte, depth int) (found []json.RawMessage, errs []error) {
	value = bytes.TrimSpace(value)
	if depth > maxWrappings || len(value) == 0 {
		return nil, []error{&wake.EventError{Text: fmt.Sprintf("an event inside too many wrappings, or none: %.200q", value)}}
	}
	switch value[0] {
	case '{':
		return []json.RawMessage{value}, nil
	case '[':
		var batch []json.RawMessage
		if err := json.Unmarshal(value, &batch); err != nil {
			return nil, []error{malformed(value, err)}
		}
		for _, v := range batch {
			f, e := unwrap(v, depth+1)
			found, errs = append(found, f...), append(errs, e...)
		}
		return found, errs
	case '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return nil, []error{malformed(value, err)}
		}
		if text = strings.TrimSpace(text); text == "" || !strings.ContainsAny(text[:1], `{["`) {
			decoded, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return nil, []error{malformed(value, err)}
			}
			return unwrap(decoded, depth+1)
		}
		return unwrap([]byte(text), depth+1)
	}
	return nil, []error{malformed(value, errors.New("neither an object, nor a list, nor a string"))}
}

func malformed(raw []byte, err error) error {
	return &wake.EventError{Text: fmt.Sprintf("malformed event: %v: %.200q", err, raw)}
}

// The events that can reach the function, by their types. Of storage, only one
// tells of a creation; Event Grid asks once whether somebody listens, which the
// host answers by itself.
const (
	storageEvents = "Microsoft.Storage."
	blobCreated   = storageEvents + "BlobCreated"
	validation    = "Microsoft.EventGrid.SubscriptionValidationEvent"
)

// createdIn takes the created blob out of an event, in Event Grid's own schema
// or in that of CloudEvents 1.0. None, without an error, is an event of a kind
// that is known and wakes nobody.
func createdIn(raw json.RawMessage) ([]wake.Object, error) {
	var e struct {
		EventType string          `json:"eventType"` // Event Grid
		Type      string          `json:"type"`      // CloudEvents
		Data      json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, malformed(raw, err)
	}
	kind := e.EventType
	if kind == "" {
		kind = e.Type
	}
	switch {
	case kind == blobCreated:
		var data struct {
			URL string `json:"url"`
		}
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return nil, malformed(raw, err)
		}
		o, err := blob(data.URL)
		if err != nil {
			return nil, malformed(raw, err)
		}
		return []wake.Object{o}, nil
	case kind == validation, strings.HasPrefix(kind, storageEvents):
		return nil, nil
	}
	return nil, &wake.EventError{Text: fmt.Sprintf("an event of a kind that this function is not woken by: %.200s", raw)}
}

// blob reads a blob's URL, whose path is decoded here and nowhere else. Azure
// has the account in the host's name, and emulators have it in the path, as in
// the URLs of package azurebucket. The event's subject names the blob as well,
// but not its account.
func blob(text string) (wake.Object, error) {
	u, err := url.Parse(text)
	if err != nil {
		return wake.Object{}, err
	}
	if u.Scheme == "" || u.Host == "" {
		return wake.Object{}, fmt.Errorf("%q is no URL of a blob", text)
	}
	place, path := u.Scheme+"://"+u.Host, strings.TrimPrefix(u.Path, "/")
	if !strings.Contains(u.Host, ".blob.") {
		var account string
		account, path, _ = strings.Cut(path, "/")
		place += "/" + account
	}
	container, key, ok := strings.Cut(path, "/")
	if !ok {
		return wake.Object{}, fmt.Errorf("%q is no URL of a blob", text)
	}
	return wake.Object{Bucket: place + "/" + container, Key: key}, nil
}
