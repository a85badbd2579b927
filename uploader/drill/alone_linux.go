package drill

import "syscall"

// alone keeps the terminal's signals from the server, which is stopped in order, and ends it when this process is killed.
func alone() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGQUIT}
}
