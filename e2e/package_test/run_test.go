package package_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/functionsframework"
	"github.com/pgseal/pgseal/e2e/functionshost"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/runtimeapi"
)

// logged waits for a line: what a function writes comes through a pipe, and may arrive after its answer.
func logged(t *testing.T, logs func() string, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(logs(), want); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("no %q in the log:\n%s", want, logs())
			return
		}
	}
}

// emulators run the programs of the other architecture; Debian's qemu-user-static has them.
var emulators = map[string]string{"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}

// runnable is a program that runs another one, here.
func runnable(t *testing.T, arch, program string) string {
	t.Helper()
	if arch == runtime.GOARCH {
		return program
	}
	emulator, err := exec.LookPath(emulators[arch])
	if err != nil {
		t.Fatalf("%v: scripts/install-deps test installs it", err)
	}
	script := filepath.Join(t.TempDir(), filepath.Base(program))
	if err := os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\nexec '%s' '%s'\n", emulator, program), 0o755); err != nil {
		t.Fatal(err)
	}
	return script
}

func TestTheLambdaFunctionsRun(t *testing.T) {
	for _, arch := range []string{"arm64", "amd64"} {
		t.Run(arch, func(t *testing.T) {
			program := runnable(t, arch, filepath.Join(unpacked(t, "aws-"+arch+".zip"), "bootstrap"))
			fn := runtimeapi.Start(t, program, "PGSEAL_VAULT_URL=s3://vault/p", "PGSEAL_STAGING_URL=s3://staging/p")
			if r := fn.Call(t.Context(), localaws.TestEvent("staging")); r.Err != nil || string(r.Payload) != `{"results":[]}` {
				t.Errorf("%s, %v\n%s", r.Payload, r.Err, fn.Logs())
			}
		})
	}
}

func TestTheAzureFunctionAppRuns(t *testing.T) {
	dir := unpacked(t, "azure.zip")
	h, err := functionshost.New(functionshost.Config{Dir: dir, Program: runnable(t, "amd64", filepath.Join(dir, "handler")), Env: append(functionshost.Settings(),
		"PGSEAL_VAULT_URL=https://account.blob.core.windows.net/vault/p", "PGSEAL_STAGING_URL=https://account.blob.core.windows.net/staging/p")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	event := `{"eventType":"Microsoft.Storage.BlobCreated","data":{"url":"https://account.blob.core.windows.net/staging/p/hello"}}`
	if _, err := h.Invoke(t.Context(), "finalize", functionshost.Text([]byte(event))); err != nil {
		t.Errorf("%v\n%s", err, h.Logs())
	}
	logged(t, h.Logs, `"key":"p/hello"`)
}

// The steps of Google's buildpack for Go functions, as its sources had them in August 2026: the source goes into a
// directory of its own in the module of an application, and that application's main program is generated below it.
func TestTheGoogleCloudFunctionIsBuiltOfflineAndRuns(t *testing.T) {
	app := t.TempDir()
	source := filepath.Join(app, "serverless_function_source_code")
	if err := os.Rename(unpacked(t, "gcp-source.zip"), source); err != nil {
		t.Fatal(err)
	}
	generated := filepath.Join(source, "functions.local", "app")
	if err := os.MkdirAll(generated, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(generated, "main.go"), []byte(buildpackMain), 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(app, "main")
	// Trimmed, so that Go's cache knows the packages again the next time, wherever they lie.
	cmd := exec.Command("go", "build", "-trimpath", "-o", program, "./functions.local/app")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=off", "GOMODCACHE="+filepath.Join(app, "nothing"), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fn := functionsframework.Start(t, program, "PGSEAL_VAULT_URL=gs://vault/p", "PGSEAL_STAGING_URL=gs://staging/p")
	if a := fn.Call(t.Context(), functionsframework.Notification("staging", "p/hello", nil).Event().Binary()); a.Status != 200 {
		t.Errorf("%d %s\n%s", a.Status, a.Body, fn.Logs())
	}
	logged(t, fn.Logs, `"key":"p/hello"`)
	if text, err := os.ReadFile(program); err != nil || !strings.Contains(string(text), version) {
		t.Errorf("the version is not in the program: %v", err)
	}
}

const buildpackMain = `package main

import (
	"log"
	"os"

	_ "github.com/pgseal/pgseal"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	hostname := ""
	if os.Getenv("LOCAL_ONLY") == "true" {
		hostname = "127.0.0.1"
	}
	if err := funcframework.StartHostPort(hostname, port); err != nil {
		log.Fatalf("funcframework.StartHostPort: %v\n", err)
	}
}
`
