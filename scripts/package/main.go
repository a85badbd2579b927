// Package packs one program as a Lambda function's archive: the same program gives the same bytes, whenever and by
// whomever it is packed.
//
//	go run ./scripts/package dist/aws-arm64.zip bin/bootstrap-arm64
package main

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: package ARCHIVE PROGRAM")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

// pack writes an archive that holds program under the name that the Lambda runtimes provided.al2 and provided.al2023
// start, bootstrap, and prints the archive's digest.
func pack(archive, program string) error {
	body, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(archive), 0o755); err != nil {
		return err
	}
	out, err := os.Create(archive)
	if err != nil {
		return err
	}
	defer out.Close()
	sum := sha256.New()
	z := zip.NewWriter(io.MultiWriter(out, sum))
	// The earliest time that a zip file can hold: no clock, no time zone.
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	fmt.Printf("%x  %s\n", sum.Sum(nil), archive)
	return out.Close()
}
