package localaws

import (
	"fmt"
	"os"
)

// gatewayVariable names the directory of the gateway's data in the environment of the re-executed binary.
const gatewayVariable = "PGSEAL_LOCALAWS_GATEWAY_DIR"

// Hijack turns the process into the S3 gateway when Start re-executed it for that; it then never returns. Otherwise
// it does nothing. Call it first in main or TestMain: the gateway changes the working directory and holds
// process-wide state, so it must not share a process with anything else.
func Hijack() {
	dir := os.Getenv(gatewayVariable)
	if dir == "" {
		return
	}
	if err := runGateway(dir, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "localaws gateway:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Main is TestMain in one line: Hijack, then the tests.
func Main(m interface{ Run() int }) {
	Hijack()
	code := m.Run()
	removeProfiles()
	os.Exit(code)
}
