package azurebucket

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/pgseal/pgseal/core/bucket"
)

func (b *Bucket) name(key string) string { return b.url + "/" + key }

func (b *Bucket) refuse(op, key string, kind error, why string) error {
	return &bucket.Error{Op: op, Key: b.name(key), Kind: kind, Code: why}
}

// fail makes the SDK's error one of package bucket. A cancelled context is
// reported as such unless the store has answered. The SDK's own texts name URLs
// with the SAS token in them, so that only what was taken out of them is told
// and kept.
func (b *Bucket) fail(ctx context.Context, op, key string, err error) error {
	e := &bucket.Error{Op: op, Key: b.name(key)}
	var answer *azcore.ResponseError
	var token *noToken
	switch {
	case errors.As(err, &token):
		if ctx.Err() != nil {
			return fmt.Errorf("%s %s: %w", op, e.Key, ctx.Err())
		}
		e.Kind, e.Code = bucket.ErrDenied, "no usable credentials: set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_KEY, run az login, or give this machine an identity: "+oneLine(token.Error())
	case errors.As(err, &answer):
		e.Kind = kind(answer.StatusCode, bloberror.Code(answer.ErrorCode))
		e.Code = strings.TrimSpace(fmt.Sprintf("%d %s", answer.StatusCode, oneLine(answer.ErrorCode))) + advice(op, e.Kind, answer)
	case ctx.Err() != nil:
		return fmt.Errorf("%s %s: %w", op, e.Key, ctx.Err())
	default:
		e.Kind, e.Code = bucket.ErrUnavailable, "no answer: "+oneLine(rootCause(err))
	}
	return e
}

// kind sorts an answer by its status and code ("Common REST API error codes" and
// "Blob Storage error codes" in the REST reference, 2026-11).
func kind(status int, code bloberror.Code) error {
	switch code {
	case bloberror.ServerBusy:
		return bucket.ErrThrottled
	case bloberror.OperationTimedOut, bloberror.InternalError:
		return bucket.ErrUnavailable
	case bloberror.BlobAlreadyExists:
		return bucket.ErrExists
	case bloberror.UnauthorizedBlobOverwrite:
		// A SAS token that may create and not overwrite: it met something.
		return bucket.ErrExists
	case bloberror.BlobImmutableDueToPolicy, immutableDueToHold, bloberror.ImmutabilityPolicyDeleteOnLockedPolicy:
		return bucket.ErrRetained
	}
	switch {
	case status == http.StatusPreconditionFailed: // ConditionNotMet, TargetConditionNotMet, LeaseIdMissing
		return bucket.ErrExists
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return bucket.ErrDenied
	case status == http.StatusNotFound:
		return bucket.ErrNotFound
	case status == http.StatusTooManyRequests:
		return bucket.ErrThrottled
	case status >= 500 && status != http.StatusNotImplemented, status == http.StatusRequestTimeout:
		return bucket.ErrUnavailable
	}
	return bucket.ErrInvalid
}

// immutableDueToHold is a code that the SDK has no name for.
const immutableDueToHold bloberror.Code = "BlobImmutableDueToLegalHold"

// permissions that the requests take, as Azure's roles name them.
var permissions = map[string]string{
	"create": "blobs/write (to make new blobs in one request also blobs/add/action; with tags blobs/tags/write) on this path",
	"write":  "blobs/write on this path",
	"check":  "blobs/write on this path",
	"read":   "blobs/read on this path",
	"list":   "blobs/read on the container",
	"remove": "blobs/delete on this path (of versions blobs/deleteBlobVersion/action)",
	"retain": "the role Storage Blob Data Owner",
}

// advice is what stands behind the code: the next step where one is known, and
// what the store says where its code alone does not tell.
func advice(op string, kind error, answer *azcore.ResponseError) string {
	code := bloberror.Code(answer.ErrorCode)
	switch {
	case code == bloberror.AuthenticationFailed, code == bloberror.InvalidAuthenticationInfo, code == bloberror.NoAuthenticationInformation:
		// The store's words here quote what was signed.
		return ": check the key or the SAS token (is it expired?), and this machine's clock"
	case code == bloberror.AuthorizationFailure:
		return ": the account's network rules, or the SAS token's, keep this machine out" + said(answer)
	case kind == bucket.ErrDenied && permissions[op] != "":
		return ": it takes " + permissions[op] + said(answer)
	case code == bloberror.InvalidBlobOrBlock:
		return ": another program left unfinished blocks of this blob; they vanish within a week, and at once when the blob is created in one request" + said(answer)
	case kind == bucket.ErrInvalid || kind == bucket.ErrDenied:
		return said(answer)
	}
	return ""
}

// said is the first line of what the store says; what follows are the request's
// number and time. The SDK has read the body already.
func said(answer *azcore.ResponseError) string {
	if answer.RawResponse == nil || answer.RawResponse.Body == nil {
		return ""
	}
	body, err := runtime.Payload(answer.RawResponse)
	if err != nil {
		return ""
	}
	var text struct{ Message string }
	if err := xml.Unmarshal([]byte(strings.TrimPrefix(string(body), "\ufeff")), &text); err != nil {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimSpace(text.Message), "\n")
	if first = oneLine(first); first == "" {
		return ""
	}
	return ": " + first
}

// rootCause leaves out the SDK's chain of wrappers, which repeats the URL.
func rootCause(err error) string {
	var n *net.OpError
	var u *url.Error
	switch {
	case errors.As(err, &n):
		return n.Error()
	case errors.As(err, &u):
		return u.Err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF.Error()
	}
	return strings.ReplaceAll(err.Error(), "?", " ?") // no query in what is not a URL's
}

// oneLine makes a store's text fit for a log line.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > 400 {
		s = s[:400] + " ..."
	}
	return s
}
