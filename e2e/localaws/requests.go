package localaws

import (
	"net/http"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// opOf says what a call of the S3 API asks for.
func opOf(operation, method string) cloud.Op {
	switch operation {
	case "PutObject", "CompleteMultipartUpload", "CopyObject":
		return cloud.Create
	case "CreateMultipartUpload":
		return cloud.Begin
	case "UploadPart":
		return cloud.Part
	case "AbortMultipartUpload":
		return cloud.Abort
	case "GetObject":
		return cloud.Read
	case "HeadObject", "GetObjectRetention", "GetObjectLegalHold", "GetObjectAttributes":
		return cloud.Stat
	case "ListObjectsV2", "ListObjects", "ListObjectVersions":
		return cloud.List
	case "PutObjectRetention", "PutObjectLegalHold":
		return cloud.Retain
	}
	if Deletes(Request{Operation: operation, Method: method}) {
		return cloud.Delete
	}
	return cloud.Other
}

// Requests returns every request that has ended since the start or the last ForgetRequests and that passes all
// filters, in the order of their ends.
func (a *AWS) Requests(filters ...func(Request) bool) []Request { return a.log.Requests(filters...) }

// ForgetRequests empties the request log.
func (a *AWS) ForgetRequests() { a.log.ForgetRequests() }

// By passes the requests of one identity.
func By(identity string) func(Request) bool { return cloud.By(identity) }

// Operations passes the named API operations.
func Operations(names ...string) func(Request) bool { return cloud.Operations(names...) }

// Keys passes keys that match the pattern (* and ?, as in policies).
func Keys(pattern string) func(Request) bool { return cloud.Keys(pattern) }

// Deletes passes what could remove an object: DeleteObject, DeleteObjects and DeleteBucket, but not the abort of an
// upload.
func Deletes(r Request) bool {
	return r.Operation == "DeleteObjects" || r.Method == http.MethodDelete && r.Operation != "AbortMultipartUpload"
}
