package localaws

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/pgseal/pgseal/terraform/awsiam"
)

// setting is one part of a bucket's configuration that versitygw does not keep: the proxy keeps it, as documents that
// come back as they were put. Of them only the policy has an effect here.
type setting struct {
	code    string // of the error when it was never put; with an answer instead, empty
	message string
	answer  string // the document of a new bucket
}

// settings are those that Terraform's provider puts or reads, by query parameter, with the answers that Amazon S3 gives
// for a bucket where they were never put (S3 API reference, read 2026-11).
var settings = map[string]setting{
	"lifecycle":         {code: "NoSuchLifecycleConfiguration", message: "The lifecycle configuration does not exist"},
	"policy":            {code: "NoSuchBucketPolicy", message: "The bucket policy does not exist"},
	"tagging":           {code: "NoSuchTagSet", message: "The TagSet does not exist"},
	"cors":              {code: "NoSuchCORSConfiguration", message: "The CORS configuration does not exist"},
	"website":           {code: "NoSuchWebsiteConfiguration", message: "The specified bucket does not have a website configuration"},
	"replication":       {code: "ReplicationConfigurationNotFoundError", message: "The replication configuration was not found"},
	"publicAccessBlock": {code: "NoSuchPublicAccessBlockConfiguration", message: "The public access block configuration was not found"},
	"ownershipControls": {code: "OwnershipControlsNotFoundError", message: "The bucket ownership controls were not found"},
	"encryption": {answer: `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>` +
		`</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`},
	"notification":   {answer: `<NotificationConfiguration/>`},
	"accelerate":     {answer: `<AccelerateConfiguration/>`},
	"logging":        {answer: `<BucketLoggingStatus/>`},
	"requestPayment": {answer: `<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>`},
	"acl": {answer: `<AccessControlPolicy><Owner><ID>` + account + `</ID></Owner><AccessControlList><Grant>` +
		`<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>` + account + `</ID></Grantee>` +
		`<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`},
}

// kept is what was put, by bucket and query parameter.
type kept struct {
	mu        sync.Mutex
	documents map[string][]byte
}

// settingOf is the query parameter of a call on a bucket's settings.
func settingOf(op operation, r *http.Request) (parameter string, ok bool) {
	if op.bucket == "" || op.key != "" {
		return "", false
	}
	for parameter := range settings {
		if r.URL.Query().Has(parameter) {
			return parameter, true
		}
	}
	return "", false
}

// configure answers a call on a bucket's settings.
func (a *AWS) configure(w http.ResponseWriter, r *http.Request, bucket, parameter string) (status int) {
	a.kept.mu.Lock()
	defer a.kept.mu.Unlock()
	at := bucket + "?" + parameter
	// Without this header in the answer Terraform's provider waits for it (S3 API reference, PutBucketLifecycleConfiguration).
	const transitions = "x-amz-transition-default-minimum-object-size"
	if parameter == "lifecycle" {
		w.Header().Set(transitions, "all_storage_classes_128K")
	}
	switch r.Method {
	case http.MethodPut:
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return internalError.send(w, r)
		}
		if sum := md5.Sum(body); r.Header.Get("Content-MD5") != "" && r.Header.Get("Content-MD5") != base64.StdEncoding.EncodeToString(sum[:]) {
			return apiError{status: http.StatusBadRequest, Code: "BadDigest", Message: "The Content-MD5 you specified did not match what we received."}.send(w, r)
		}
		if parameter == "policy" {
			if err := a.setPolicy(bucket, body); err != nil {
				return apiError{status: http.StatusBadRequest, Code: "MalformedPolicy", Message: err.Error()}.send(w, r)
			}
		} else if err := xml.Unmarshal(body, new(struct{})); err != nil {
			return apiError{status: http.StatusBadRequest, Code: "MalformedXML", Message: err.Error()}.send(w, r)
		}
		a.kept.documents[at] = body
		w.WriteHeader(http.StatusOK)
		return http.StatusOK
	case http.MethodDelete:
		delete(a.kept.documents, at)
		if parameter == "policy" {
			if err := a.setPolicy(bucket, nil); err != nil {
				return internalError.send(w, r)
			}
		}
		w.WriteHeader(http.StatusNoContent)
		return http.StatusNoContent
	}
	document, ok := a.kept.documents[at]
	if s := settings[parameter]; !ok && s.code != "" {
		return apiError{status: http.StatusNotFound, Code: s.code, Message: s.message}.send(w, r)
	} else if !ok {
		document = []byte(xml.Header + s.answer)
	}
	w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(w, bytes.NewReader(document))
	return http.StatusOK
}

// maxPolicy is the limit of Amazon S3.
const maxPolicy = 20 << 10

// setPolicy puts a bucket's policy in the place of the one that the rules have for it.
func (a *AWS) setPolicy(bucket string, document []byte) error {
	var fresh []Statement
	if document != nil {
		if len(document) > maxPolicy {
			return fmt.Errorf("the policy has %d bytes, and %d are allowed", len(document), maxPolicy)
		}
		policy, err := awsiam.Parse(document)
		if err != nil {
			return err
		}
		if fresh, err = bucketRules(bucket, policy); err != nil {
			return err
		}
	}
	a.Rules.mu.Lock()
	defer a.Rules.mu.Unlock()
	all := fresh
	for _, s := range a.Rules.statements {
		if s.bucket != bucket {
			all = append(all, s)
		}
	}
	a.Rules.statements = all
	return nil
}
