// Package figures keeps what benchmarks measured, and makes a page with tables and charts of it.
package figures

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Table is one comparison.
type Table struct {
	Title string    `json:"title"`
	At    time.Time `json:"at"`
	Runs  int       `json:"runs"`
	// Unit says what a row's figures are: "s", or "ms".
	Unit string `json:"unit"`
	Rows []Row  `json:"rows"`
}

// Row is one contender. Against is the name of the one it is compared with.
type Row struct {
	Name    string  `json:"name"`
	Against string  `json:"against,omitempty"`
	Median  float64 `json:"median"`
	Least   float64 `json:"least"`
	Most    float64 `json:"most"`
	CPU     float64 `json:"cpu,omitempty"`    // seconds
	RSS     int64   `json:"rss,omitempty"`    // bytes
	Stored  int64   `json:"stored,omitempty"` // bytes
	Note    string  `json:"note,omitempty"`
}

// Dir is the environment variable that names the directory for results; without it none are kept.
const Dir = "PGSEAL_BENCH_RESULTS"

var noName = regexp.MustCompile(`[^a-z]+`)

// Name is the table's in file names: its title up to the first comma, its letters alone.
func (t Table) Name() string {
	short, _, _ := strings.Cut(t.Title, ",")
	return strings.Trim(noName.ReplaceAllString(strings.ToLower(short), "-"), "-")
}

// Keep writes the table where the environment says.
func (t Table) Keep() error {
	dir := os.Getenv(Dir)
	if dir == "" {
		return nil
	}
	body, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, t.Name()+".json"), body, 0o644)
}

// Read reads all that was kept, in the order of the measurements.
func Read(dir string) (all []Table, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no results in %s", dir)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var t Table
		if err := json.Unmarshal(body, &t); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Table) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Title, b.Title)) })
	return all, nil
}

// Machine describes this one, from /proc.
func Machine() (string, error) {
	info, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	defer info.Close()
	model := ""
	lines := bufio.NewScanner(info)
	for lines.Scan() && model == "" {
		if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
		}
	}
	memory, readErr := os.ReadFile("/proc/meminfo")
	var kib int64
	if _, err := fmt.Sscanf(string(memory), "MemTotal: %d kB", &kib); err != nil {
		readErr = errors.Join(readErr, err)
	}
	return fmt.Sprintf("%d processors (%s), %d GiB of memory, %s/%s", runtime.NumCPU(), model, (kib+1<<19)>>20, runtime.GOOS, runtime.GOARCH),
		errors.Join(lines.Err(), readErr)
}
