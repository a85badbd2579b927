package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// RunPeak runs a prepared program to its end, and tells the largest resident set it had, in bytes. The kernel's own
// figure for a child (ru_maxrss) will not do: it begins with the memory of the process that started it.
func RunPeak(cmd *exec.Cmd) (peak int64, err error) {
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	seen := make(chan int64)
	go func() {
		var last int64
		for {
			if now, ok := highWater(cmd.Process.Pid); ok {
				last = now
			}
			select {
			case <-ended:
				seen <- last
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	err = cmd.Wait()
	close(ended)
	return <-seen, err
}

// highWater is VmHWM of a process, which starts anew with the program it runs; false when the process has ended.
func highWater(pid int) (bytes int64, ok bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	_, after, found := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(after)
	if !found || len(fields) == 0 {
		return 0, false
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	return kib << 10, err == nil
}
