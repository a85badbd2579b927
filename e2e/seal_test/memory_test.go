package seal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/clouds"
)

// measured is a function of one process, whose memory can be asked for.
type measured struct {
	cloud.Function
	limit   int64
	pidFile string
}

func (s *story) measured(t testing.TB, env ...string) measured {
	t.Helper()
	m := measured{limit: s.Memory, pidFile: filepath.Join(t.TempDir(), "pid")}
	if s.Kind.Name != clouds.AWS.Name { // Lambda tells the process what it has; elsewhere it is the container's, and here is none
		env = append(env, fmt.Sprint("GOMEMLIMIT=", s.Memory/4*3))
	}
	m.Function = s.DeployProgram(t, func(program string) string {
		return fmt.Sprintf("#!/bin/sh\necho $$ >'%s'\nexec '%s'\n", m.pidFile, program)
	}, env...)
	return m
}

// peak is the largest resident set that the process has had, in bytes. The process must still be there.
func (m measured) peak(t testing.TB) int64 {
	t.Helper()
	pid, err := os.ReadFile(m.pidFile)
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// checkPeak holds the process to the function's memory.
func (m measured) checkPeak(t testing.TB) {
	t.Helper()
	peak := m.peak(t)
	t.Logf("%d MiB", peak>>20)
	if peak > m.limit {
		t.Errorf("it took %d MiB of memory, and is given %d", peak>>20, m.limit>>20)
	}
}
