package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestEveryExitCodeStandsInTheDocuments(t *testing.T) {
	for _, page := range []string{"../../README.md", "../../docs/operations.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []int{exitOK, exitFailed, exitNetwork, exitUsage, exitInternal, exitWaiting, exitRejected, exitConflict, exitTimedOut, exitDrill, exitStop} {
			if !strings.Contains(string(text), fmt.Sprintf("\n| %d | ", code)) {
				t.Errorf("%s does not explain exit code %d", page, code)
			}
		}
	}
}
