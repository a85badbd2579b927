package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// startWindow: large shared memory and preloaded libraries take their time
// between the start of the process and pg_postmaster_start_time().
const startWindow = 5 * time.Minute

// postmaster is what pgseal reads of postmaster.pid.
type postmaster struct {
	directory string
	started   time.Time
	port      int
}

// readPostmaster reads postmaster.pid: pid, data directory, start time, port,
// one a line (pidfile.h of PostgreSQL 10 and later).
func readPostmaster(path string) (postmaster, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return postmaster{}, otherServer("no server runs on these files: there is no %s", path)
	}
	if err != nil {
		return postmaster{}, err
	}
	p, err := parsePostmaster(string(content))
	if err != nil {
		return postmaster{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func parsePostmaster(content string) (postmaster, error) {
	lines := strings.Split(content, "\n")
	if len(lines) < 4 {
		return postmaster{}, fmt.Errorf("%d lines instead of 4 or more: the server is starting or stopping; try again", len(lines))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 0 {
		return postmaster{}, fmt.Errorf("pid %q: no server for connections runs on these files", lines[0])
	}
	started, err := strconv.ParseInt(strings.TrimSpace(lines[2]), 10, 64)
	if err != nil {
		return postmaster{}, fmt.Errorf("start time: %w", err)
	}
	port, err := strconv.Atoi(strings.TrimSpace(lines[3]))
	if err != nil {
		return postmaster{}, fmt.Errorf("port: %w", err)
	}
	return postmaster{directory: lines[1], started: time.Unix(started, 0), port: port}, nil
}
