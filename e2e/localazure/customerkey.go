package localazure

import (
	"net/http"
	"strings"
	"sync"
)

// customerKeys are the digests of the keys that only the writers of some blobs have ("Provide an encryption key on a
// request to Blob Storage", 2026-11). Azurite knows none: it is asked without them, and keeps no metadata of such a blob,
// since nobody without the key would see it. The content itself is not encrypted here.
type customerKeys struct {
	mu sync.Mutex
	of map[blobName]string
}

// Errors about them, in Azure's words.
var (
	keyNeededError = storageError{http.StatusConflict, "BlobUsesCustomerSpecifiedEncryption", "The blob is encrypted with customer specified encryption, but it was not provided in the request."}
	keyWrongError  = storageError{http.StatusConflict, "BlobCustomerSpecifiedEncryptionMismatch", "The given customer specified encryption does not match the encryption used to encrypt the blob."}
)

const keyHeader = "x-ms-encryption-key"

// refusal tells why a request may not have the blob with the key that it shows, or shows none, and takes the key away.
func (k *customerKeys) refusal(o operation, r *http.Request) *storageError {
	shown := r.Header.Get(keyHeader + "-sha256")
	for name := range r.Header {
		if n := strings.ToLower(name); strings.HasPrefix(n, keyHeader) || n == "x-ms-encryption-algorithm" || shown != "" && strings.HasPrefix(n, "x-ms-meta-") {
			r.Header.Del(name)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if o.creates() {
		if k.of == nil {
			k.of = map[blobName]string{}
		}
		k.of[blobName{o.container, o.blob}] = shown
		return nil
	}
	kept := k.of[blobName{o.container, o.blob}]
	switch {
	case kept == shown || o.action != "blobs/read" || o.blob == "":
		return nil
	case shown == "":
		return &keyNeededError
	}
	return &keyWrongError
}
