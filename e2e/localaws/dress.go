package localaws

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// encryptedAnswers are the operations whose answers say how the object is encrypted at rest.
var encryptedAnswers = []string{"PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy",
	"CompleteMultipartUpload", "HeadObject", "GetObject"}

// dress makes the gateway's answer look as Amazon's would to this identity.
func (a *AWS) dress(answer *http.Response) error {
	x, ok := answer.Request.Context().Value(exchangeKey{}).(exchange)
	if !ok {
		return nil
	}
	answer.Header.Del("Server") // ServeHTTP has said who answers, and when
	answer.Header.Del("Date")
	if answer.StatusCode/100 == 2 && slices.Contains(encryptedAnswers, x.op.name) {
		answer.Header.Set("x-amz-server-side-encryption", "AES256") // every object since January 2023
	}
	if x.op.name == "HeadObject" || x.op.name == "GetObject" {
		a.hide(x, answer)
	}
	return nil
}

// hide takes from the answer what the identity may not see: lock headers without the right to them, and, without
// s3:ListBucket, that an object does not exist (Amazon S3 then answers 403 for 404).
func (a *AWS) hide(x exchange, answer *http.Response) {
	may := func(action, resource string) bool {
		return a.Rules.decide(x.who, question{action: action, resource: resource}) == nil
	}
	if !may("s3:GetObjectRetention", x.op.resource()) {
		answer.Header.Del("x-amz-object-lock-mode")
		answer.Header.Del("x-amz-object-lock-retain-until-date")
	}
	if !may("s3:GetObjectLegalHold", x.op.resource()) {
		answer.Header.Del("x-amz-object-lock-legal-hold")
	}
	if answer.StatusCode == http.StatusNotFound && !may("s3:ListBucket", "arn:aws:s3:::"+x.op.bucket) {
		q := question{action: "s3:ListBucket", resource: "arn:aws:s3:::" + x.op.bucket}
		replace(answer, denied((&refusal{question: q}).message(x.who)))
	}
}

// replace puts the error in the place of the answer.
func replace(answer *http.Response, e apiError) {
	_ = answer.Body.Close()
	held := &heldAnswer{header: http.Header{}}
	e.send(held, &http.Request{Method: answer.Request.Method, Body: http.NoBody})
	answer.StatusCode, answer.Status, answer.Header = held.status, "", held.header
	answer.Body, answer.ContentLength = io.NopCloser(&held.body), int64(held.body.Len())
}

// lacksChecksum reports whether the request would put a locked version without saying what its bytes should be, which
// Amazon S3 refuses.
func (a *AWS) lacksChecksum(r *http.Request, op operation) bool {
	if op.name != "PutObject" && op.name != "UploadPart" {
		return false
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if name == "content-md5" || name == "x-amz-trailer" || strings.HasPrefix(name, "x-amz-checksum-") {
			return false
		}
	}
	return r.Header.Get("x-amz-object-lock-mode") != "" || r.Header.Get("x-amz-object-lock-legal-hold") != "" ||
		a.hasDefaultRetention(r.Context(), op.bucket)
}

// hasDefaultRetention asks the gateway for the bucket's lock configuration.
func (a *AWS) hasDefaultRetention(ctx context.Context, bucket string) bool {
	out, err := a.root.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: aws.String(bucket)})
	return err == nil && out.ObjectLockConfiguration != nil && out.ObjectLockConfiguration.Rule != nil &&
		out.ObjectLockConfiguration.Rule.DefaultRetention != nil
}

// notKept refuses what would be accepted and forgotten: storage classes and other keys than S3's own. A test must not
// believe in them.
func notKept(r *http.Request) *apiError {
	class, encryption := r.Header.Get("x-amz-storage-class"), r.Header.Get("x-amz-server-side-encryption")
	if (class == "" || class == "STANDARD") && (encryption == "" || encryption == "AES256") &&
		r.Header.Get("x-amz-server-side-encryption-customer-algorithm") == "" {
		return nil
	}
	return &apiError{status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: "The local AWS keeps objects in class STANDARD with encryption AES256 only."}
}
