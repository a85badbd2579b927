package localgcp

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// A key that only the writer has ("Customer-supplied encryption keys", 2026-11): Cloud Storage keeps its digest, tells
// nobody who does not show the key the content or its sums, and tells everybody else the rest. The content itself is not
// encrypted here.

// customerKey is the digest of the key that a request shows, "" without one.
func customerKey(r *http.Request) (digest string, f *failure) {
	key, said := r.Header.Get("X-Goog-Encryption-Key"), r.Header.Get("X-Goog-Encryption-Key-Sha256")
	if key == "" && said == "" && r.Header.Get("X-Goog-Encryption-Algorithm") == "" {
		return "", nil
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	sum := sha256.Sum256(raw)
	digest = base64.StdEncoding.EncodeToString(sum[:])
	switch {
	case r.Header.Get("X-Goog-Encryption-Algorithm") != "AES256":
		return "", fail(400, "customerEncryptionAlgorithmIsInvalid", "Missing an encryption algorithm, or the provided algorithm is not \"AES256.\"")
	case err != nil || len(raw) != 32:
		return "", fail(400, "customerEncryptionKeyFormatIsInvalid", "Missing an encryption key, or it is not base64 encoded, or it does not meet the required length of the encryption algorithm.")
	case said != digest:
		return "", fail(400, "customerEncryptionKeySha256IsInvalid", "Missing a SHA256 hash of the encryption key, or it is not base64 encoded, or it does not match the encryption key.")
	}
	return digest, nil
}

// readable refuses the content of an object to who does not show its key.
func (o *object) readable(r *http.Request) *failure {
	digest, f := customerKey(r)
	switch {
	case f != nil:
		return f
	case o.CustomerKey == digest:
		return nil
	case o.CustomerKey == "":
		return fail(400, "resourceNotEncryptedWithCustomerEncryptionKey", "The target object is not encrypted by a customer-supplied encryption key.")
	case digest == "":
		return fail(400, "resourceIsEncryptedWithCustomerEncryptionKey", "The target object is encrypted by a customer-supplied encryption key.")
	}
	return fail(400, "customerEncryptionKeyIsIncorrect", "The provided encryption key is incorrect.")
}

// hideSums takes from a description what only the key's owner may see, and in listings also the sums of what a Cloud KMS
// key encrypts.
func (o *object) hideSums(resource map[string]any, listed bool, digest string) {
	if o.CustomerKey != "" {
		resource["customerEncryption"] = map[string]any{"encryptionAlgorithm": "AES256", "keySha256": o.CustomerKey}
	}
	if o.CustomerKey != digest && o.CustomerKey != "" || listed && o.KMSKeyName != "" {
		delete(resource, "crc32c")
		delete(resource, "md5Hash")
	}
}
