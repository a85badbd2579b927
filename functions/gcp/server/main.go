// Command server is what Google's buildpack makes of package gcp: its generated
// main program, word by word in what it does. It is for running the function
// elsewhere, with FUNCTION_TARGET=Finalize; it is not part of what is deployed.
package main

import (
	"log/slog"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	_ "github.com/pgseal/pgseal/functions/gcp"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	host := ""
	if os.Getenv("LOCAL_ONLY") == "true" {
		host = "127.0.0.1"
	}
	if err := funcframework.StartHostPort(host, port); err != nil {
		slog.New(slog.NewJSONHandler(os.Stderr, nil)).Error("the function cannot be served", "error", err)
		os.Exit(1)
	}
}
