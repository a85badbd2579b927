package localaws

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// operation is a request as Amazon S3 understands it.
type operation struct {
	name    string // of the API: "PutObject", "CompleteMultipartUpload"; "" when it is none that is known here
	bucket  string
	key     string
	version string
	actions []string
	source  string // "bucket/key" of a copy
}

// bucketCalls are the calls on a bucket told by a query parameter: API name and action for GET, PUT, DELETE.
var bucketCalls = map[string][3][2]string{
	"object-lock":       {{"GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"}, {"PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration"}},
	"versioning":        {{"GetBucketVersioning", "s3:GetBucketVersioning"}, {"PutBucketVersioning", "s3:PutBucketVersioning"}},
	"location":          {{"GetBucketLocation", "s3:GetBucketLocation"}},
	"policy":            {{"GetBucketPolicy", "s3:GetBucketPolicy"}, {"PutBucketPolicy", "s3:PutBucketPolicy"}, {"DeleteBucketPolicy", "s3:DeleteBucketPolicy"}},
	"policyStatus":      {{"GetBucketPolicyStatus", "s3:GetBucketPolicyStatus"}},
	"acl":               {{"GetBucketAcl", "s3:GetBucketAcl"}, {"PutBucketAcl", "s3:PutBucketAcl"}},
	"tagging":           {{"GetBucketTagging", "s3:GetBucketTagging"}, {"PutBucketTagging", "s3:PutBucketTagging"}, {"DeleteBucketTagging", "s3:PutBucketTagging"}},
	"lifecycle":         {{"GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"}, {"PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"}, {"DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"}},
	"encryption":        {{"GetBucketEncryption", "s3:GetEncryptionConfiguration"}, {"PutBucketEncryption", "s3:PutEncryptionConfiguration"}, {"DeleteBucketEncryption", "s3:PutEncryptionConfiguration"}},
	"notification":      {{"GetBucketNotificationConfiguration", "s3:GetBucketNotification"}, {"PutBucketNotificationConfiguration", "s3:PutBucketNotification"}},
	"publicAccessBlock": {{"GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"}, {"PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"}, {"DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"}},
	"ownershipControls": {{"GetBucketOwnershipControls", "s3:GetBucketOwnershipControls"}, {"PutBucketOwnershipControls", "s3:PutBucketOwnershipControls"}, {"DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls"}},
	"website":           {{"GetBucketWebsite", "s3:GetBucketWebsite"}, {"PutBucketWebsite", "s3:PutBucketWebsite"}, {"DeleteBucketWebsite", "s3:DeleteBucketWebsite"}},
	"replication":       {{"GetBucketReplication", "s3:GetReplicationConfiguration"}, {"PutBucketReplication", "s3:PutReplicationConfiguration"}, {"DeleteBucketReplication", "s3:PutReplicationConfiguration"}},
	"accelerate":        {{"GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration"}, {"PutBucketAccelerateConfiguration", "s3:PutAccelerateConfiguration"}},
	"logging":           {{"GetBucketLogging", "s3:GetBucketLogging"}, {"PutBucketLogging", "s3:PutBucketLogging"}},
	"requestPayment":    {{"GetBucketRequestPayment", "s3:GetBucketRequestPayment"}, {"PutBucketRequestPayment", "s3:PutBucketRequestPayment"}},
	"cors":              {{"GetBucketCors", "s3:GetBucketCORS"}, {"PutBucketCors", "s3:PutBucketCORS"}, {"DeleteBucketCors", "s3:PutBucketCORS"}},
	"versions":          {{"ListObjectVersions", "s3:ListBucketVersions"}},
	"uploads":           {{"ListMultipartUploads", "s3:ListBucketMultipartUploads"}},
}

// objectCalls are the same for objects. An action that has a variant for versions is suffixed by versioned.
var objectCalls = map[string][3][2]string{
	"retention":  {{"GetObjectRetention", "s3:GetObjectRetention"}, {"PutObjectRetention", "s3:PutObjectRetention"}},
	"legal-hold": {{"GetObjectLegalHold", "s3:GetObjectLegalHold"}, {"PutObjectLegalHold", "s3:PutObjectLegalHold"}},
	"tagging":    {{"GetObjectTagging", "s3:GetObjectTagging"}, {"PutObjectTagging", "s3:PutObjectTagging"}, {"DeleteObjectTagging", "s3:DeleteObjectTagging"}},
	"acl":        {{"GetObjectAcl", "s3:GetObjectAcl"}, {"PutObjectAcl", "s3:PutObjectAcl"}},
}

// understand reads method, path, query and headers of a path-style request.
func understand(r *http.Request) operation {
	var op operation
	op.bucket, op.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	query := r.URL.Query()
	op.version = query.Get("versionId")
	switch {
	case op.bucket == "":
		if r.Method == http.MethodGet {
			op.name, op.actions = "ListBuckets", []string{"s3:ListAllMyBuckets"}
		}
	case op.key == "":
		op.name, op.actions = bucketOperation(r.Method, query)
	default:
		op.objectOperation(r, query)
	}
	return op
}

// bucketOperation tells calls on a bucket apart.
func bucketOperation(method string, query url.Values) (string, []string) {
	for parameter, calls := range bucketCalls {
		if !query.Has(parameter) {
			continue
		}
		return pick(calls, method)
	}
	switch method {
	case http.MethodHead:
		return "HeadBucket", []string{"s3:ListBucket"}
	case http.MethodGet:
		if query.Get("list-type") == "2" {
			return "ListObjectsV2", []string{"s3:ListBucket"}
		}
		return "ListObjects", []string{"s3:ListBucket"}
	case http.MethodPut:
		return "CreateBucket", []string{"s3:CreateBucket"}
	case http.MethodDelete:
		return "DeleteBucket", []string{"s3:DeleteBucket"}
	case http.MethodPost:
		if query.Has("delete") {
			return "DeleteObjects", nil // each key is asked for on its own
		}
	}
	return "", nil
}

// objectOperation tells calls on an object apart.
func (op *operation) objectOperation(r *http.Request, query url.Values) {
	for parameter, calls := range objectCalls {
		if !query.Has(parameter) {
			continue
		}
		op.name, op.actions = pick(calls, r.Method)
		if (parameter == "tagging" || parameter == "acl") && op.version != "" && len(op.actions) == 1 {
			op.actions[0] = versioned(op.actions[0])
		}
		op.alsoBypass(r)
		return
	}
	upload, part := query.Has("uploadId"), query.Has("partNumber")
	op.source = copySource(r)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		op.readOperation(r.Method, query)
	case http.MethodPut:
		switch {
		case upload && part && op.source != "":
			op.name, op.actions = "UploadPartCopy", []string{"s3:PutObject"}
		case upload && part:
			op.name, op.actions = "UploadPart", []string{"s3:PutObject"}
		case op.source != "":
			op.name, op.actions = "CopyObject", creationActions(r)
		default:
			op.name, op.actions = "PutObject", creationActions(r)
		}
	case http.MethodPost:
		switch {
		case query.Has("uploads"):
			op.name, op.actions = "CreateMultipartUpload", creationActions(r)
		case upload:
			op.name, op.actions = "CompleteMultipartUpload", []string{"s3:PutObject"}
		}
	case http.MethodDelete:
		switch {
		case upload:
			op.name, op.actions = "AbortMultipartUpload", []string{"s3:AbortMultipartUpload"}
		case op.version != "":
			op.name, op.actions = "DeleteObject", []string{"s3:DeleteObjectVersion"}
			op.alsoBypass(r)
		default:
			op.name, op.actions = "DeleteObject", []string{"s3:DeleteObject"}
		}
	}
}

// readOperation tells the reading calls on an object apart.
func (op *operation) readOperation(method string, query url.Values) {
	get := "s3:GetObject"
	if op.version != "" {
		get = "s3:GetObjectVersion"
	}
	switch {
	case query.Has("uploadId"):
		op.name, op.actions = "ListParts", []string{"s3:ListMultipartUploadParts"}
	case query.Has("attributes"):
		op.name, op.actions = "GetObjectAttributes", []string{get, get + "Attributes"}
	case method == http.MethodHead:
		op.name, op.actions = "HeadObject", []string{get}
	default:
		op.name, op.actions = "GetObject", []string{get}
	}
}

// alsoBypass adds the permission that the bypass header needs.
func (op *operation) alsoBypass(r *http.Request) {
	if strings.EqualFold(r.Header.Get("x-amz-bypass-governance-retention"), "true") {
		op.actions = append(op.actions, "s3:BypassGovernanceRetention")
	}
}

// creationActions are the permissions for making an object with these headers.
func creationActions(r *http.Request) []string {
	actions := []string{"s3:PutObject"}
	for header, action := range map[string]string{
		"x-amz-object-lock-mode":       "s3:PutObjectRetention",
		"x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
		"x-amz-tagging":                "s3:PutObjectTagging",
		"x-amz-acl":                    "s3:PutObjectAcl",
	} {
		if r.Header.Get(header) != "" {
			actions = append(actions, action)
		}
	}
	return actions
}

// creates reports whether the operation makes an object appear.
func (op operation) creates() bool {
	return op.name == "PutObject" || op.name == "CopyObject" || op.name == "CompleteMultipartUpload"
}

// questions are the permissions the request needs.
func (op operation) questions(r *http.Request) []question {
	context := conditionContext(op, r)
	if op.name == "" {
		return []question{{action: "s3:Unknown", resource: op.resource(), context: context}}
	}
	var out []question
	for _, action := range op.actions {
		out = append(out, question{action: action, resource: op.resource(), context: context})
	}
	if op.source != "" {
		out = append(out, question{action: "s3:GetObject", resource: "arn:aws:s3:::" + op.source, context: context})
	}
	return out
}

// resource is the ARN of what the operation touches.
func (op operation) resource() string {
	switch {
	case op.bucket == "":
		return "*"
	case op.key == "":
		return "arn:aws:s3:::" + op.bucket
	}
	return "arn:aws:s3:::" + op.bucket + "/" + op.key
}

// conditionContext makes the condition keys of Amazon S3 from the request. The object-lock keys hold what the request
// says, never the bucket's default.
func conditionContext(op operation, r *http.Request) map[string]string {
	context := map[string]string{"aws:SecureTransport": "true"} // plain HTTP stands for TLS here
	for header, key := range map[string]string{
		"If-None-Match":                                   "s3:if-none-match",
		"If-Match":                                        "s3:if-match",
		"x-amz-object-lock-mode":                          "s3:object-lock-mode",
		"x-amz-object-lock-retain-until-date":             "s3:object-lock-retain-until-date",
		"x-amz-object-lock-legal-hold":                    "s3:object-lock-legal-hold",
		"x-amz-server-side-encryption":                    "s3:x-amz-server-side-encryption",
		"x-amz-server-side-encryption-aws-kms-key-id":     "s3:x-amz-server-side-encryption-aws-kms-key-id",
		"x-amz-server-side-encryption-customer-algorithm": "s3:x-amz-server-side-encryption-customer-algorithm",
		"x-amz-storage-class":                             "s3:x-amz-storage-class",
		"x-amz-acl":                                       "s3:x-amz-acl",
		"x-amz-copy-source":                               "s3:x-amz-copy-source",
		"x-amz-content-sha256":                            "s3:x-amz-content-sha256",
	} {
		if value := r.Header.Get(header); value != "" {
			context[key] = value
		}
	}
	if until, err := time.Parse(time.RFC3339, r.Header.Get("x-amz-object-lock-retain-until-date")); err == nil {
		days := time.Until(until) / (24 * time.Hour)
		context["s3:object-lock-remaining-retention-days"] = strconv.Itoa(int(days))
	}
	switch op.name {
	case "PutObject", "CopyObject", "CompleteMultipartUpload":
		context["s3:objectcreationoperation"] = "true"
	case "CreateMultipartUpload", "UploadPart", "UploadPartCopy":
		context["s3:objectcreationoperation"] = "false"
	}
	query := r.URL.Query()
	for _, parameter := range []string{"prefix", "delimiter", "max-keys"} {
		if query.Has(parameter) {
			context["s3:"+parameter] = query.Get(parameter)
		}
	}
	if op.version != "" {
		context["s3:versionid"] = op.version
	}
	return context
}

// pick chooses among the calls of one query parameter by method.
func pick(calls [3][2]string, method string) (string, []string) {
	index := map[string]int{http.MethodGet: 0, http.MethodPut: 1, http.MethodDelete: 2}
	i, ok := index[method]
	if !ok || calls[i][0] == "" {
		return "", nil
	}
	return calls[i][0], []string{calls[i][1]}
}

// versioned turns s3:GetObjectTagging into s3:GetObjectVersionTagging.
func versioned(action string) string {
	return strings.Replace(action, "Object", "ObjectVersion", 1)
}

// copySource is "bucket/key" of the copy header, decoded, without a version.
func copySource(r *http.Request) string {
	source, _, _ := strings.Cut(r.Header.Get("x-amz-copy-source"), "?")
	decoded, err := url.PathUnescape(source)
	if err != nil {
		decoded = source
	}
	return strings.TrimPrefix(decoded, "/")
}
