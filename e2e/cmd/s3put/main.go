// Command s3put sends its standard input into an object, in parts: with tar before it in a pipe, the least that a base
// backup into S3 could be. A yardstick for the benchmarks.
//
//	tar -c -C PGDATA . | lz4 -1 | s3put BUCKET KEY
//
// The store and the credentials come from the environment, as for the AWS tools.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func main() {
	if err := put(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "s3put:", err)
		os.Exit(1)
	}
}

func put(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: s3put BUCKET KEY")
	}
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	_, err = transfermanager.New(client).UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &args[0], Key: &args[1], Body: struct{ io.Reader }{os.Stdin}, // a pipe, which cannot be rewound
	})
	return err
}
