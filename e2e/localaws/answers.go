package localaws

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"

	"crypto/rand"
)

// apiError is an error document of Amazon S3.
type apiError struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Key       string `xml:",omitempty"`
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
	status    int
}

// The errors that the proxy answers itself, in Amazon's words.
var (
	conflictError = apiError{status: http.StatusConflict, Code: "ConditionalRequestConflict",
		Message: "The conditional request cannot succeed due to a conflicting operation against this resource."}
	slowDownError = apiError{status: http.StatusServiceUnavailable, Code: "SlowDown", Message: "Please reduce your request rate."}
	internalError = apiError{status: http.StatusInternalServerError, Code: "InternalError",
		Message: "We encountered an internal error. Please try again."}
	noBucketError = apiError{status: http.StatusNotFound, Code: "NoSuchBucket", Message: "The specified bucket does not exist"}
	checksumError = apiError{status: http.StatusBadRequest, Code: "InvalidRequest",
		Message: "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"}
)

// denied is 403 AccessDenied with the message.
func denied(message string) apiError {
	return apiError{status: http.StatusForbidden, Code: "AccessDenied", Message: message}
}

// send answers the request with the error. The body of the request is read first, up to a limit, because a client
// that is still sending would otherwise see a broken connection instead of the answer.
func (e apiError) send(w http.ResponseWriter, r *http.Request) int {
	_, _ = io.CopyN(io.Discard, r.Body, 64<<20)
	e.RequestID, e.HostID = requestID(), "localaws"
	w.Header().Set("x-amz-request-id", e.RequestID)
	if r.Method == http.MethodHead {
		w.WriteHeader(e.status)
		return e.status
	}
	return sendXML(w, e.status, e)
}

// sendXML answers with a document.
func sendXML(w http.ResponseWriter, status int, document any) int {
	body, err := xml.Marshal(document)
	if err != nil {
		body = []byte(fmt.Sprintf("<Error><Code>InternalError</Code><Message>%v</Message></Error>", err))
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), body...))
	return status
}

// requestID looks like one of Amazon's.
func requestID() string { return strings.ToUpper(rand.Text()[:16]) }
