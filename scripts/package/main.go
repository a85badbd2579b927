// Command package packs the functions for their platforms, and the service for machines of one's own: the same sources
// give the same bytes, whenever, wherever and by whomever they are packed.
//
//	go run ./scripts/package lambda dist/aws-arm64.zip bin/bootstrap-arm64
//	go run ./scripts/package azure dist/azure.zip bin/azure-handler
//	go run ./scripts/package webhook dist/webhook-amd64.zip bin/webhook-amd64
//	go run ./scripts/package gcp dist/gcp-source.zip v1.2.3
//
// It is run in the root of the module, and prints the digest of what it wrote.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: package lambda|azure|webhook ARCHIVE PROGRAM, or package gcp ARCHIVE VERSION")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

func run(kind, archive, argument string) error {
	var files []file
	var err error
	switch kind {
	case "lambda":
		files, err = lambda(argument)
	case "azure":
		files, err = azure("functions/azure", argument)
	case "webhook":
		files, err = webhook("functions/webhook", argument)
	case "gcp":
		files, err = gcp(".", argument)
	default:
		err = fmt.Errorf("unknown platform %q", kind)
	}
	if err != nil {
		return err
	}
	sum, err := pack(archive, files)
	if err != nil {
		return err
	}
	fmt.Printf("%x  %s\n", sum, archive)
	return nil
}
