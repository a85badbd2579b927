package gcsbucket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"cloud.google.com/go/auth"
	"google.golang.org/api/googleapi"

	"github.com/pgseal/pgseal/core/bucket"
)

func (b *Bucket) refuse(op, key string, kind error, why string) error {
	return &bucket.Error{Op: op, Key: b.name(key), Kind: kind, Code: why}
}

// fail makes the library's error one of package bucket. A cancelled context is
// reported as such unless the store has answered.
func (b *Bucket) fail(ctx context.Context, op, key string, err error) error {
	e := &bucket.Error{Op: op, Key: b.name(key), Err: err}
	var answer *googleapi.Error
	var token *auth.Error
	var missing *credentialsError
	switch {
	case errors.As(err, &answer):
		reason, message := told(answer)
		e.Kind = kind(answer.Code, reason, message)
		if op != "write" && op != "try" && op != "remove" && e.Kind == bucket.ErrDenied && strings.Contains(message, "storage.objects.delete") {
			// Replacing takes that right besides the one to create, so something is
			// there. Whether GCS looks at rights or at the condition first when a
			// create meets an object is not documented.
			e.Kind = bucket.ErrExists
		}
		e.Code = strings.TrimSpace(fmt.Sprintf("%d %s", answer.Code, reason)) + advice(e.Kind, answer.Code, reason, message)
	case ctx.Err() != nil:
		return fmt.Errorf("%s %s: %w", op, e.Key, ctx.Err())
	case errors.As(err, &token) && token.Temporary():
		e.Kind, e.Code = bucket.ErrUnavailable, "no token: "+oneLine(token.Error())
	case errors.As(err, &token), errors.As(err, &missing):
		e.Kind = bucket.ErrDenied
		e.Code = "no usable credentials: set GOOGLE_APPLICATION_CREDENTIALS to a service account's key, or give this machine a service account: " + oneLine(rootCause(err))
	case invalid(err):
		e.Kind, e.Code = bucket.ErrInvalid, oneLine(err.Error())
	default:
		e.Kind, e.Code = bucket.ErrUnavailable, "no answer: "+oneLine(rootCause(err))
	}
	return e
}

// told is what the store says: its reason and its text. An answer of a front end
// or of a session has no JSON, and perhaps no text.
func told(e *googleapi.Error) (reason, message string) {
	for _, item := range e.Errors {
		if item.Reason != "" {
			reason = item.Reason
			break
		}
	}
	message = e.Message
	if message == "" && len(e.Errors) == 0 {
		message = e.Body
	}
	return reason, message
}

// kind sorts an answer by its status and reason ("HTTP status and error codes
// for JSON" in the Cloud Storage reference).
//
// An object under retention or a hold is told by 403, where a plain lack of
// rights is told too: the reason is retentionPolicyNotMet (seen in a capture of
// 2026-08) or objectUnderActiveHold, and was "forbidden" with the same text
// between 2019 and 2021.
func kind(status int, reason, message string) error {
	switch reason {
	case "retentionPolicyNotMet", "objectUnderActiveHold":
		return bucket.ErrRetained
	case "rateLimitExceeded", "userRateLimitExceeded":
		return bucket.ErrThrottled
	}
	switch {
	case status == http.StatusForbidden && retained(message):
		return bucket.ErrRetained
	case status == http.StatusPreconditionFailed:
		return bucket.ErrExists
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return bucket.ErrDenied
	case status == http.StatusNotFound:
		return bucket.ErrNotFound
	case status == http.StatusTooManyRequests:
		return bucket.ErrThrottled
	case status == http.StatusConflict, status == http.StatusRequestTimeout, status >= 500 && status != http.StatusNotImplemented:
		return bucket.ErrUnavailable
	}
	return bucket.ErrInvalid
}

func retained(message string) bool {
	m := strings.ToLower(message)
	return strings.Contains(m, "retention policy") || strings.Contains(m, "active hold") || strings.Contains(m, "under hold")
}

// advice is what stands behind the code: the next step where one is known, and
// the store's own text, which names the permission that is missing.
func advice(kind error, status int, reason, message string) string {
	said := ""
	if m := oneLine(message); m != "" {
		said = ": " + m
	}
	switch {
	case status == http.StatusUnauthorized:
		return ": check the credentials" + said
	case reason == "userProjectMissing":
		return ": the bucket makes its readers pay, which pgseal does not support" + said
	case kind == bucket.ErrInvalid || kind == bucket.ErrDenied || kind == bucket.ErrNotFound && reason == "":
		return said
	}
	return ""
}

// again tells whether the same request may be answered otherwise at once: by
// the rules of "Retry strategy" in the Cloud Storage documentation, and when no
// answer came at all.
func again(err error) bool {
	var answer *googleapi.Error
	var token *auth.Error
	var missing *credentialsError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &answer):
		reason, message := told(answer)
		return bucket.Retryable(kind(answer.Code, reason, message))
	case errors.As(err, &token): // was tried again by those who asked for it
		return false
	case errors.As(err, &missing), invalid(err):
		return false
	}
	return true
}

// invalid: the library refused to send the request. It has no type for that.
func invalid(err error) bool {
	return strings.HasPrefix(err.Error(), "storage: ") && !hasCause(err)
}

func hasCause(err error) bool {
	var u *url.Error
	var n net.Error
	return errors.As(err, &u) || errors.As(err, &n) || errors.Unwrap(err) != nil
}

// rootCause leaves out the wrappers, which repeat the request.
func rootCause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	var n *net.OpError
	if errors.As(err, &n) {
		return n.Error()
	}
	return err.Error()
}

// oneLine makes a store's text fit for a log line.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > 400 {
		s = s[:400] + " ..."
	}
	return s
}
