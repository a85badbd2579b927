package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgseal/pgseal/e2e/bench/figures"
	"github.com/pgseal/pgseal/e2e/pgtest"
)

// BenchmarkMemory backs up clusters of more and more data. The data are relation files without blocks, which read as
// zeros: with lz4 all that a backup does is done to them, and the store need not keep 20 GB.
func BenchmarkMemory(b *testing.B) {
	const tries = 3
	s := startStores(b)
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15), ArchiveCommand: "true", Settings: map[string]string{"autovacuum": "off"}})
	c.ArchiveAll()
	for range b.N {
		t := figures.Table{Title: "Memory of a base backup, by the size of the cluster", At: time.Now(), Runs: tries, Unit: "s"}
		fmt.Printf("\n%s\n", t.Title)
		for _, gigabytes := range []int{1, 5, 20} {
			grow(b, c, gigabytes)
			for _, codec := range []string{"none", "lz4"} {
				if codec == "none" && gigabytes > 1 {
					continue // as much on the disk of the store
				}
				var all []sample
				contender := s.backupOf(b, c, codec, "")
				for run := range tries {
					all = append(all, measure(b, contender.command(run)))
					all[run].stored = contender.stored(run)
					contender.clean(run)
				}
				r := row(fmt.Sprintf("pgseal %s %d GB", codec, gigabytes), all, time.Second)
				t.Rows = append(t.Rows, r)
				fmt.Printf("%-26s %9.2f s %9d MiB\n", r.Name, r.Median, r.RSS>>20)
				b.ReportMetric(float64(r.RSS)/(1<<20), metricName(r.Name)+"-MiB")
			}
		}
		keep(b, t)
	}
}

// grow makes the cluster so many gigabytes large, in segments of 1 GB as PostgreSQL's are (of 1 GiB).
func grow(b *testing.B, c *pgtest.Cluster, gigabytes int) {
	b.Helper()
	relation := filepath.Join(c.DataDir, c.SQL("SELECT 'base/' || oid || '/99999999' FROM pg_database WHERE datname = current_database()"))
	for n := range gigabytes {
		name := relation
		if n > 0 {
			name = fmt.Sprint(relation, ".", n)
		}
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Truncate(1_000_005_632); err != nil { // whole pages
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		pgtest.Own(b, name)
	}
}

// BenchmarkBandwidth holds a backup to a bandwidth at which it takes a quarter of a minute. What counts is the whole of the
// command, of which sending is nearly all.
func BenchmarkBandwidth(b *testing.B) {
	const tries, seconds = 3, 15
	s := startStores(b)
	c := pgtest.New(b, pgtest.Options{Install: pgtest.Find(b, 15), ArchiveCommand: "true", Settings: map[string]string{"autovacuum": "off"}})
	c.LoadPgbench(scale(b))
	c.SQL("CHECKPOINT")
	c.ArchiveAll()
	allowed := readAll(b, c.DataDir) / seconds
	for range b.N {
		t := figures.Table{Title: "A base backup with --max-bandwidth", At: time.Now(), Runs: tries, Unit: "s"}
		var all []sample
		contender := s.backupOf(b, c, "none", "", "--max-bandwidth", fmt.Sprint(allowed))
		for run := range tries {
			all = append(all, measure(b, contender.command(run)))
			all[run].stored = contender.stored(run)
			contender.clean(run)
		}
		m := median(all)
		rate := float64(m.stored) / m.wall.Seconds()
		r := row(fmt.Sprintf("pgseal %.1f MB/s", float64(allowed)/1e6), all, time.Second)
		r.Note = fmt.Sprintf("%.1f MB/s, %.1f%% of what was allowed", rate/1e6, 100*rate/float64(allowed))
		t.Rows = append(t.Rows, r)
		fmt.Printf("\n%s\n%-26s %s\n", t.Title, r.Name, r.Note)
		b.ReportMetric(100*rate/float64(allowed), "percent")
		keep(b, t)
	}
}
