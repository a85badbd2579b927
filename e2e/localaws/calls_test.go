package localaws_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/pgseal/pgseal/e2e/localaws"
)

// outcome is the status and code of a call: "200", "Forbidden AccessDenied", "no answer".
func outcome(err error) string {
	if err == nil {
		return "200"
	}
	var answer *smithyhttp.ResponseError
	var api smithy.APIError
	switch {
	case errors.As(err, &answer) && answer.HTTPStatusCode() == 0:
		return "no answer"
	case errors.As(err, &answer) && errors.As(err, &api):
		return http.StatusText(answer.HTTPStatusCode()) + " " + api.ErrorCode()
	case errors.As(err, &answer):
		return http.StatusText(answer.HTTPStatusCode())
	}
	return "no answer"
}

// putAs writes to the bucket, create-only or not.
func putAs(client *s3.Client, bucket, key, body string, options ...func(*s3.PutObjectInput)) (*s3.PutObjectOutput, error) {
	in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}
	for _, o := range options {
		o(in)
	}
	return client.PutObject(context.Background(), in)
}

// createOnly is If-None-Match: *.
func createOnly(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }

// read returns the content of the newest version.
func read(t *testing.T, client *s3.Client, bucket, key string) string {
	t.Helper()
	out, err := client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// noDeletes fails the test when a DELETE was sent by the identity.
func noDeletes(t *testing.T, a *localaws.AWS, identity string) {
	t.Helper()
	if sent := a.Requests(localaws.By(identity), localaws.Deletes); len(sent) > 0 {
		t.Errorf("%s sent deletes: %+v", identity, sent)
	}
}
