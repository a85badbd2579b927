//go:build !linux

package drill

import "syscall"

// alone keeps the terminal's signals from the server, which is stopped in order. When this process is killed, the server
// ends with its directory: the next drill removes that.
func alone() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
