package functionsframework_test

import (
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/functionsframework"
)

// The built function itself, as far as it goes without a store: what it reads, drops, and says of its settings.
func TestTheBuiltFunction(t *testing.T) {
	unsettled := functionsframework.Start(t, build.GCP(t))
	if a := unsettled.Call(t.Context(), functionsframework.Finalized("staging", "x", nil).Binary()); a.Status != 500 {
		t.Errorf("%+v", a)
	}
	logged(t, unsettled, `"severity":"ERROR","message":"the function cannot start","error":"PGSEAL_VAULT_URL: `)

	fn := functionsframework.Start(t, build.GCP(t), "PGSEAL_VAULT_URL=gs://vault/p", "PGSEAL_STAGING_URL=gs://staging/p")
	message := functionsframework.Notification("staging", "p/hello from a message", nil)
	for name, r := range map[string]functionsframework.Request{
		"binary":     functionsframework.Finalized("staging", "p/hello in binary", nil).Binary(),
		"structured": functionsframework.Finalized("staging", "p/hello in structure", nil).Structured(),
		"legacy":     functionsframework.LegacyFinalized("staging", "p/hello from the past", nil),
		"message":    message.Event().Binary(),
		"push":       message.Push(),
		"unknown":    functionsframework.Event{ID: "1", Type: "sample.asked", Source: "//sample", Time: time.Now()}.Binary(),
	} {
		if a := fn.Call(t.Context(), r); a.Status != 200 {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	for _, key := range []string{"in binary", "in structure", "from the past", "from a message"} {
		logged(t, fn, `"severity":"WARNING","message":"not a marker: passed over","key":"p/hello `+key+`"`)
	}
	logged(t, fn, `"severity":"ERROR","message":"an event is dropped"`)
	if a := fn.Call(t.Context(), functionsframework.Finalized("vault", "p/x", nil).Binary()); a.Status != 500 {
		t.Errorf("another bucket: %+v", a)
	}
	logged(t, fn, `"kind":"EventError"`)
}
