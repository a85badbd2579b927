// Package bench measures pgseal beside stock barman-cloud (Debian's package):
// the same cluster, the same machine, the same S3 server, in turn. The S3
// server runs here too and takes its share of the processors from both.
//
//	make bench                             # pgbench scale 15, about 260 MB
//	PGSEAL_BENCH_SCALE=90 make bench       # about 1.3 GB
//
// pgbench's tables compress unusually well: the ratios between the compressions
// say little about other data.
//
// Each number is the median of five runs. Before each run all files are read
// once, so that nobody pays for the other's use of the page cache. pgseal
// writes as the host into the vault, with conditional creates; stock barman
// overwrites, so it has a bucket of its own without rules.
package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/bench/figures"
	"github.com/pgseal/pgseal/e2e/localaws"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestMain(m *testing.M) { localaws.Main(m) }

const runs = 5

// sample is one run of a program.
type sample struct {
	wall, cpu time.Duration
	rss       int64 // bytes, of the largest process
	stored    int64 // bytes
}

// measure runs a prepared program.
func measure(b *testing.B, cmd *exec.Cmd) sample {
	b.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	peak, err := pgtest.RunPeak(cmd)
	if err != nil {
		b.Fatalf("%q: %v\n%s", cmd.Args, err, &out)
	}
	s := sample{wall: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	s.rss = peak
	return s
}

// median of each number by itself.
func median(all []sample) sample {
	middle := func(of func(sample) int64) int64 {
		values := make([]int64, len(all))
		for i, s := range all {
			values[i] = of(s)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return sample{
		wall:   time.Duration(middle(func(s sample) int64 { return int64(s.wall) })),
		cpu:    time.Duration(middle(func(s sample) int64 { return int64(s.cpu) })),
		rss:    middle(func(s sample) int64 { return s.rss }),
		stored: middle(func(s sample) int64 { return s.stored }),
	}
}

// contender is one way to do a job. Runs are numbered, so that each can have
// keys of its own.
type contender struct {
	name    string
	against string // the contender to compare with; "" for the yardsticks
	command func(run int) *exec.Cmd
	stored  func(run int) int64 // what the run left in the store; nil: nobody asks
	clean   func(run int)
}

// race runs all contenders in turn, several times, and prints what came out.
func race(b *testing.B, title string, size int64, warm func(), all []contender) {
	b.Helper()
	samples := map[string][]sample{}
	for run := range runs {
		for _, c := range all {
			warm()
			s := measure(b, c.command(run))
			if c.stored != nil {
				s.stored = c.stored(run)
			}
			if c.clean != nil {
				c.clean(run)
			}
			samples[c.name] = append(samples[c.name], s)
		}
	}
	t := figures.Table{Title: title, At: time.Now(), Runs: runs, Unit: "s"}
	fmt.Printf("\n%s\n%-26s %9s %9s %9s %9s %11s  %s\n", title, "", "wall s", "MB/s", "cpu s", "RSS MiB", "stored MB", "times as fast")
	for _, c := range all {
		m := median(samples[c.name])
		ratio := ""
		if c.against != "" {
			other := median(samples[c.against])
			times := other.wall.Seconds() / m.wall.Seconds()
			ratio = fmt.Sprintf("%.1f x %s, with 1/%.1f of its cpu", times, c.against, other.cpu.Seconds()/m.cpu.Seconds())
			b.ReportMetric(times, metricName(c.name)+"-times")
		}
		fmt.Printf("%-26s %9.2f %9.0f %9.2f %9d %11.1f  %s\n", c.name, m.wall.Seconds(), float64(size)/1e6/m.wall.Seconds(),
			m.cpu.Seconds(), m.rss>>20, float64(m.stored)/1e6, ratio)
		r := row(c.name, samples[c.name], time.Second)
		r.Against = c.against
		t.Rows = append(t.Rows, r)
	}
	keep(b, t)
}

// row is what a page says of one contender.
func row(name string, all []sample, unit time.Duration) figures.Row {
	m := median(all)
	in := func(d time.Duration) float64 { return float64(d) / float64(unit) }
	r := figures.Row{Name: name, Median: in(m.wall), Least: in(m.wall), Most: in(m.wall), CPU: m.cpu.Seconds(), RSS: m.rss, Stored: m.stored}
	for _, s := range all {
		r.Least, r.Most = min(r.Least, in(s.wall)), max(r.Most, in(s.wall))
	}
	return r
}

// keep leaves a table for the page.
func keep(b *testing.B, t figures.Table) {
	b.Helper()
	if err := t.Keep(); err != nil {
		b.Fatal(err)
	}
}

// metricName may hold no blanks.
func metricName(name string) string {
	return strings.ReplaceAll(name, " ", "-")
}

// scale is pgbench's.
func scale(b *testing.B) int {
	b.Helper()
	text := os.Getenv("PGSEAL_BENCH_SCALE")
	if text == "" {
		return 15
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("PGSEAL_BENCH_SCALE=%q is not a scale of pgbench", text)
	}
	return n
}

// readAll reads every file below a directory but for WAL, and returns how many
// bytes that are.
func readAll(b *testing.B, dir string) (size int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "pg_wal":
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := io.Copy(io.Discard, f)
		size += n
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}

// program prepares a program as the servers' user and as an identity of the
// local AWS.
func program(who localaws.Identity, path string, args ...string) *exec.Cmd {
	cmd := pgtest.Command(context.Background(), path, args...)
	cmd.Env = append(cmd.Env, who.Env()...)
	return cmd
}
