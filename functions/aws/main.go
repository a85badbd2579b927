// Command bootstrap is the finalizer as an AWS Lambda function, for the runtime
// provided.al2023 on arm64 and x86_64:
//
//	CGO_ENABLED=0 go build -tags lambda.norpc -trimpath -ldflags "-s -w" -o bootstrap ./functions/aws
//
// It is woken by the creation of a marker in staging, directly by S3, through
// SQS, or through EventBridge. Its settings are the environment variables
// PGSEAL_VAULT_URL, PGSEAL_STAGING_URL and those of package finalizer.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/pgseal/pgseal/codec"
	"github.com/pgseal/pgseal/core/bucket/s3bucket"
	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/core/version"
)

// Names of the two variables that have no default.
const (
	envVault   = "PGSEAL_VAULT_URL"
	envStaging = "PGSEAL_STAGING_URL"
)

func main() {
	if limit := memoryLimit(os.Getenv); limit > 0 {
		debug.SetMemoryLimit(limit)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	h, err := newHandler(context.Background(), os.Getenv, log)
	if err != nil {
		log.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(h.handle)
}

// memoryLimit is where Go's collector begins to work harder: at three quarters
// of what Lambda gives the process, which it kills without a word when that is
// used up. 0 when Lambda does not say, or GOMEMLIMIT decides already.
func memoryLimit(getenv func(string) string) int64 {
	mib, err := strconv.ParseInt(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 32)
	if err != nil || getenv("GOMEMLIMIT") != "" {
		return 0
	}
	return mib << 20 / 4 * 3
}

// newHandler reads the configuration; an error names the variable.
func newHandler(ctx context.Context, getenv func(string) string, log *slog.Logger) (*handler, error) {
	config, err := finalizer.ConfigFromEnv(getenv)
	if err != nil {
		return nil, err
	}
	open := func(name string) (*s3bucket.Bucket, error) {
		url := getenv(name)
		if !strings.HasPrefix(url, "s3://") {
			return nil, fmt.Errorf("%s: %q is not like s3://bucket/prefix", name, url)
		}
		b, err := s3bucket.Open(ctx, s3bucket.Options{URL: url})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return b, nil
	}
	vault, err := open(envVault)
	if err != nil {
		return nil, err
	}
	staging, err := open(envStaging)
	if err != nil {
		return nil, err
	}
	v, st := vault.URL()+"/", staging.URL()+"/"
	if strings.HasPrefix(v, st) || strings.HasPrefix(st, v) {
		return nil, fmt.Errorf("%s and %s are the same place, or one inside the other: staging must not be locked, and the vault must be", envVault, envStaging)
	}
	f := finalizer.Finalizer{
		Vault: vault, Staging: staging, Config: config, Decompress: codec.Decompress,
		Now: time.Now, Build: version.String(), Log: log,
	}
	return &handler{finalize: f.Finalize, staging: parsePlace(staging.URL()), log: log}, nil
}
