package functionshost_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/build"
	"github.com/pgseal/pgseal/e2e/functionshost"
)

// created is an event of Event Grid.
func created(url string) []byte {
	raw, err := json.Marshal(map[string]any{
		"topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account", "id": "831e1650-001e-001b-66ab-eeb76e069631",
		"subject": "/blobServices/default/containers/staging/blobs/x", "eventType": "Microsoft.Storage.BlobCreated",
		"eventTime": "2026-11-23T01:02:03.4567891Z", "dataVersion": "", "metadataVersion": "1", "data": map[string]any{"api": "PutBlob", "url": url},
	})
	if err != nil {
		panic(err)
	}
	return raw
}

// The built function app itself, as far as it goes without a store: what it reads, drops, and says of its settings.
func TestTheBuiltFunctionApp(t *testing.T) {
	places := []string{
		"PGSEAL_VAULT_URL=https://account.blob.core.windows.net/vault/p", "PGSEAL_STAGING_URL=https://account.blob.core.windows.net/staging/p",
	}
	dir := build.Azure(t)
	unsettled := functionshost.Start(t, dir, functionshost.Settings()...)
	if _, err := unsettled.Invoke(t.Context(), "sweep", functionshost.Timer()); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Error(err)
	}
	logged(t, unsettled, "PGSEAL_VAULT_URL: ")

	h := functionshost.Start(t, dir, append(functionshost.Settings(), places...)...)
	for key, value := range map[string]functionshost.Value{
		"p/an object": functionshost.Object(created("https://account.blob.core.windows.net/staging/p/an%20object")),
		"p/a text":    functionshost.Text(created("https://account.blob.core.windows.net/staging/p/a%20text")),
		"p/quotes":    functionshost.QuotedText(created("https://account.blob.core.windows.net/staging/p/quotes")),
		"p/base64":    functionshost.Text([]byte(base64.StdEncoding.EncodeToString(created("https://account.blob.core.windows.net/staging/p/base64")))),
	} {
		if _, err := h.Invoke(t.Context(), "finalize", value); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		logged(t, h, `"msg":"not a marker: passed over","key":"`+key+`"`)
	}
	if logs, err := h.Invoke(t.Context(), "finalize", functionshost.Text([]byte("hello"))); err != nil || !strings.Contains(strings.Join(logs, ""), "dropped") {
		t.Errorf("%q, %v", logs, err)
	}

	q, err := h.Queue("finalize", time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	q.Deliver(created("https://account.blob.core.windows.net/vault/p/x"))
	q.Deliver(created("https://account.blob.core.windows.net/staging/p/x"))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := q.Settle(ctx); err != nil || q.Dead() != 1 {
		t.Errorf("%v, %d were given up", err, q.Dead())
	}
	logged(t, h, `"kind":"EventError"`)
}
