package wake

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// LimitMemory makes Go's collector work harder from three quarters of the bytes
// on that the platform gives the process, which it kills without a word when
// they are used up. 0 is unknown and changes nothing, as does a GOMEMLIMIT in
// the environment.
func LimitMemory(given int64, getenv func(string) string) {
	if given > 0 && getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(given / 4 * 3)
	}
}

// ContainerMemory is what the container's control group, of version 2 or 1,
// lets the process have; 0 when there is no limit, or none to be seen.
func ContainerMemory() int64 {
	return controlGroup("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
}

func controlGroup(files ...string) int64 {
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// Version 2 says "max" without a limit, and version 1 nearly 2^63.
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n < 1<<50 {
			return n
		}
	}
	return 0
}
