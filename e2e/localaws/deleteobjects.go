package localaws

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// deleteRequest and deleteResult are the documents of DeleteObjects.
type deleteRequest struct {
	Quiet   bool
	Objects []struct {
		Key       string
		VersionID string `xml:"VersionId"`
	} `xml:"Object"`
}

type deleteResult struct {
	XMLName xml.Name      `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedKey  `xml:"Deleted"`
	Errors  []deleteError `xml:"Error"`
}

type deletedKey struct {
	Key                   string
	VersionID             string `xml:"VersionId,omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

type deleteError struct {
	Key, Code, Message string
	VersionID          string `xml:"VersionId,omitempty"`
}

// deleteObjects asks the rules for each key on its own, as Amazon S3 does: the answer is 200 and names the keys that
// were refused.
func (a *AWS) deleteObjects(w http.ResponseWriter, r *http.Request, x exchange) int {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return internalError.send(w, r)
	}
	var asked deleteRequest
	if err := xml.Unmarshal(body, &asked); err != nil {
		return apiError{status: http.StatusBadRequest, Code: "MalformedXML", Message: err.Error()}.send(w, r)
	}
	bypass := strings.EqualFold(r.Header.Get("x-amz-bypass-governance-retention"), "true")
	var result deleteResult
	for _, object := range asked.Objects {
		one := exchange{who: x.who, op: operation{name: "DeleteObject", bucket: x.op.bucket, key: object.Key, version: object.VersionID}}
		one.op.actions = []string{"s3:DeleteObject"}
		if object.VersionID != "" {
			one.op.actions = []string{"s3:DeleteObjectVersion"}
			one.op.alsoBypass(r)
		}
		if no := a.refuse(one, r); no != nil {
			result.Errors = append(result.Errors, deleteError{Key: object.Key, VersionID: object.VersionID,
				Code: "AccessDenied", Message: no.message(x.who)})
			continue
		}
		in := &s3.DeleteObjectInput{Bucket: aws.String(x.op.bucket), Key: aws.String(object.Key)}
		if object.VersionID != "" {
			in.VersionId = aws.String(object.VersionID)
		}
		if bypass {
			in.BypassGovernanceRetention = aws.Bool(true)
		}
		out, err := a.clientOf(x.who).DeleteObject(r.Context(), in)
		if err != nil {
			code, message := errorCode(err)
			result.Errors = append(result.Errors, deleteError{Key: object.Key, VersionID: object.VersionID, Code: code, Message: message})
			continue
		}
		deleted := deletedKey{Key: object.Key, VersionID: object.VersionID, DeleteMarker: aws.ToBool(out.DeleteMarker)}
		if deleted.DeleteMarker {
			deleted.DeleteMarkerVersionID = aws.ToString(out.VersionId)
		}
		a.publishDelete(one, deleted.DeleteMarker && object.VersionID == "", aws.ToString(out.VersionId))
		if !asked.Quiet {
			result.Deleted = append(result.Deleted, deleted)
		}
	}
	return sendXML(w, http.StatusOK, result)
}

// refuse returns the first permission that is missing.
func (a *AWS) refuse(x exchange, r *http.Request) *refusal {
	for _, q := range x.op.questions(r) {
		if no := a.Rules.decide(x.who, q); no != nil {
			return no
		}
	}
	return nil
}
