package s3bucket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/pgseal/pgseal/core/bucket"
)

// Codes that more than one place asks for.
const (
	conflict     = "ConditionalRequestConflict"
	noSuchUpload = "NoSuchUpload"
	noLockConfig = "ObjectLockConfigurationNotFoundError"
	noRetention  = "NoSuchObjectLockConfiguration"
)

func (b *Bucket) name(key string) string { return "s3://" + b.bucket + "/" + b.prefix + key }

func (b *Bucket) refuse(op, key string, kind error, why string) error {
	return &bucket.Error{Op: op, Key: b.name(key), Kind: kind, Code: why}
}

// fail makes the SDK's error one of package bucket. A cancelled context is
// reported as such unless the store has answered.
func (b *Bucket) fail(ctx context.Context, op, key string, err error) error {
	e := &bucket.Error{Op: op, Key: b.name(key), Err: err}
	var api smithy.APIError
	switch {
	case credentialsFailed(err):
		e.Kind, e.Code = bucket.ErrDenied, "no usable credentials: set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role: "+oneLine(rootCause(err))
		if ctx.Err() != nil {
			return fmt.Errorf("%s %s: %w", op, e.Key, ctx.Err())
		}
	case errors.As(err, &api) && status(err) != 0:
		e.Kind = kind(status(err), api.ErrorCode(), api.ErrorMessage())
		e.Code = fmt.Sprintf("%d %s", status(err), api.ErrorCode()) + advice(e.Kind, err, api)
	case ctx.Err() != nil:
		return fmt.Errorf("%s %s: %w", op, e.Key, ctx.Err())
	case status(err) == 0 && invalid(err):
		e.Kind, e.Code = bucket.ErrInvalid, oneLine(rootCause(err))
	default:
		e.Kind, e.Code = bucket.ErrUnavailable, "no answer: "+oneLine(rootCause(err))
	}
	return e
}

// kind sorts an answer by its status and code ("Error responses" in the S3 API
// reference), and by its text where S3 has one code for several causes.
func kind(status int, code, message string) error {
	switch code {
	case "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "SlowDownRead", "SlowDownWrite":
		return bucket.ErrThrottled
	case "RequestTimeout", "IncompleteBody", conflict, "OperationAborted":
		return bucket.ErrUnavailable
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return bucket.ErrDenied
	case "InvalidObjectState":
		return bucket.ErrInvalid
	}
	switch {
	case locked(message):
		return bucket.ErrRetained
	case status == http.StatusPreconditionFailed:
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

// locked knows the texts of AWS and versitygw ("Access Denied because object
// protected by object lock.") and of MinIO ("Object is WORM protected and
// cannot be overwritten"). The bare words do not do: a missing
// s3:PutObjectRetention is also told as AccessDenied.
func locked(message string) bool {
	m := strings.ToLower(message)
	return strings.Contains(m, "protected by object lock") || strings.Contains(m, "worm protected")
}

// permissions that the requests take, by the SDK's names of the operations.
var permissions = map[string]string{
	"PutObject":                  "s3:PutObject (with a lock also s3:PutObjectRetention, with tags s3:PutObjectTagging, with a KMS key kms:GenerateDataKey)",
	"CreateMultipartUpload":      "s3:PutObject (with a lock also s3:PutObjectRetention, with tags s3:PutObjectTagging, with a KMS key kms:GenerateDataKey)",
	"UploadPart":                 "s3:PutObject (with a KMS key also kms:GenerateDataKey and kms:Decrypt)",
	"CompleteMultipartUpload":    "s3:PutObject (with a KMS key also kms:Decrypt)",
	"AbortMultipartUpload":       "s3:AbortMultipartUpload",
	"HeadObject":                 "s3:GetObject, of versions s3:GetObjectVersion; without s3:ListBucket a missing object is told like this too",
	"GetObject":                  "s3:GetObject, of versions s3:GetObjectVersion; without s3:ListBucket a missing object is told like this too",
	"DeleteObject":               "s3:DeleteObjectVersion, to hide s3:DeleteObject",
	"ListObjectsV2":              "s3:ListBucket",
	"ListObjectVersions":         "s3:ListBucketVersions",
	"GetObjectRetention":         "s3:GetObjectRetention",
	"PutObjectRetention":         "s3:PutObjectRetention",
	"GetBucketVersioning":        "s3:GetBucketVersioning",
	"GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",

	"GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
	"ListMultipartUploads":            "s3:ListBucketMultipartUploads",
}

// advice is what stands behind the code: the next step where one is known, and
// what the store says where its code alone does not tell.
func advice(kind error, err error, api smithy.APIError) string {
	said := ""
	if m := oneLine(api.ErrorMessage()); m != "" && !strings.EqualFold(strings.TrimSuffix(m, "."), "access denied") {
		said = ": " + m
	}
	var op *smithy.OperationError
	switch code := api.ErrorCode(); {
	case code == "ExpiredToken", code == "InvalidToken", code == "InvalidAccessKeyId", code == "SignatureDoesNotMatch":
		return ": check the credentials" + said
	case code == "RequestTimeTooSkewed":
		return ": set this machine's clock" + said
	case status(err)/100 == 3, code == "AuthorizationHeaderMalformed", code == "IllegalLocationConstraintException":
		return ": the bucket is in " + region(err) + "; set AWS_REGION" + said
	case kind == bucket.ErrDenied && errors.As(err, &op) && permissions[op.OperationName] != "":
		return ": it takes " + permissions[op.OperationName] + said
	case kind == bucket.ErrInvalid || kind == bucket.ErrDenied:
		return said
	}
	return ""
}

func region(err error) string {
	var r *awshttp.ResponseError
	if errors.As(err, &r) && r.Response != nil {
		if name := r.Response.Header.Get("x-amz-bucket-region"); name != "" {
			return oneLine(name)
		}
	}
	return "another region"
}

func status(err error) int {
	var r *awshttp.ResponseError
	if errors.As(err, &r) && r.Response != nil && r.Response.Response != nil {
		return r.HTTPStatusCode()
	}
	return 0
}

func isCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}

// credentialsFailed: the request was never sent, as nothing could sign it. The
// SDK has no type for it.
func credentialsFailed(err error) bool {
	return strings.Contains(err.Error(), "get identity: get credentials:")
}

// invalid: the SDK refused to send the request.
func invalid(err error) bool {
	var params smithy.InvalidParamsError
	var serialization *smithy.SerializationError
	return errors.As(err, &params) || errors.As(err, &serialization)
}

// rootCause leaves out the SDK's chain of wrappers, which repeats the request.
func rootCause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	var n *net.OpError
	if errors.As(err, &n) {
		return n.Error()
	}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return op.Err.Error()
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
