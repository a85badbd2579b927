package functionshost

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Value is what the host hands over for a trigger, as JSON.
type Value json.RawMessage

// Object is how an event arrives that Event Grid delivers itself.
func Object(event []byte) Value { return Value(event) }

// Text is how a queue's message arrives: as a JSON string, whatever is in it.
func Text(message []byte) Value { return quote(string(message)) }

// QuotedText is Text once more: some versions of the host have quoted messages twice.
func QuotedText(message []byte) Value { return quote(string(quote(string(message)))) }

func quote(text string) Value {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return raw
}

// Timer is the value of a timer that went off in time.
func Timer() Value {
	return Value(`{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}`)
}

// newID is a random id in the form of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	s := hex.EncodeToString(b[:])
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}
