// Command bootstrap is the finalizer as an AWS Lambda function, for the runtime
// provided.al2023 on arm64 and x86_64:
//
//	CGO_ENABLED=0 go build -tags lambda.norpc -trimpath -ldflags "-s -w" -o bootstrap ./functions/aws
//
// It is woken by the creation of a marker in staging, directly by S3, through
// SQS, or through EventBridge, and by a schedule of EventBridge to sweep. Its
// settings are the environment variables
// PGSEAL_VAULT_URL, PGSEAL_STAGING_URL and those of package finalizer.
package main

import (
	"context"
	"log/slog"
	"os"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/functions/wake"
)

func main() {
	wake.LimitMemory(lambdaMemory(os.Getenv), os.Getenv)
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	f, err := wake.Open(context.Background(), os.Getenv, openBucket, log)
	if err != nil {
		log.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	h := handler{finalize: f.Finalize, sweep: f.Sweep, log: log}
	lambda.Start(h.handle)
}

func openBucket(ctx context.Context, url string) (bucket.Bucket, error) {
	return s3bucket.Open(ctx, s3bucket.Options{URL: url})
}

// lambdaMemory is what Lambda gives the process, in bytes; 0 when it does not
// say.
func lambdaMemory(getenv func(string) string) int64 {
	mib, err := strconv.ParseInt(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 32)
	if err != nil {
		return 0
	}
	return mib << 20
}
