package localazure

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"time"
)

// storageError is an error of Blob Storage.
type storageError struct {
	status        int
	code, message string
}

// The errors that the proxy answers itself, in Azure's words ("Blob Storage error codes" in the REST reference, 2026-11).
var (
	immutableError = storageError{http.StatusConflict, "BlobImmutableDueToPolicy", "This operation is not permitted as the blob is immutable due to a policy."}
	heldError      = storageError{http.StatusConflict, "BlobImmutableDueToLegalHold", "This operation is not permitted as the blob is immutable due to one or more legal holds."}
	unknownError   = storageError{http.StatusForbidden, "AuthenticationFailed", "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature."}
	deniedError    = storageError{http.StatusForbidden, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission."}
	busyError      = storageError{http.StatusServiceUnavailable, "ServerBusy", "The server is busy."}
	internalError  = storageError{http.StatusInternalServerError, "InternalError", "The server encountered an internal error. Please retry the request."}
	versionedError = storageError{http.StatusBadRequest, "UnsupportedHeader", "Version-level immutability is not enabled for this container."}
)

// send answers the request with the error. The body of the request is read first, up to a limit, because a client
// that is still sending would otherwise see a broken connection instead of the answer.
func (e storageError) send(w http.ResponseWriter, r *http.Request) int {
	_, _ = io.CopyN(io.Discard, r.Body, 64<<20)
	id := rand.Text()
	w.Header().Set("x-ms-error-code", e.code)
	w.Header().Set("x-ms-request-id", id)
	w.Header().Set("x-ms-version", r.Header.Get("x-ms-version"))
	if r.Method == http.MethodHead {
		w.WriteHeader(e.status)
		return e.status
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.status)
	fmt.Fprintf(w, "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s\nRequestId:%s\nTime:%s</Message></Error>",
		e.code, e.message, id, time.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"))
	return e.status
}
