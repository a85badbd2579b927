// Schemaprovider stands in for the google and azurerm providers where tests check the modules: it serves a part of their
// schemas, so that Terraform can initialise, validate and run tests with mock_provider. It manages nothing; what is planned
// or applied outside mock_provider is refused. Which provider it is stands in its own file name, as Terraform looks for it:
//
//	terraform-provider-google_v6.50.0_x5
//
// It answers to the real name: keep it out of every mirror that a person might plan with.
package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

func main() {
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "terraform-provider-")
	name, _, _ = strings.Cut(name, "_")
	if err := serve(name); err != nil {
		slog.New(slog.NewTextHandler(os.Stderr, nil)).Error("the stand-in cannot start", "provider", name, "error", err)
		os.Exit(1)
	}
}

func serve(name string) error {
	address, schemas, err := load(name)
	if err != nil {
		return err
	}
	return tf5server.Serve(address, func() tfprotov5.ProviderServer {
		return &server{schemas: schemas, rules: rulesOf[name]}
	})
}
