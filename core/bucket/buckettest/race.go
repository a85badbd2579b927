package buckettest

import (
	"bytes"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

var raceCases = []testCase{
	{"of 24 writers one wins and its bytes are intact", func(t *testing.T, s suite) {
		race(t, s, 24, 3000)
	}},
	{"of 6 writers of several parts one wins and its bytes are intact", func(t *testing.T, s suite) {
		race(t, s, 6, int(s.PartSize)+1)
	}},
	{"24 writers of the same bytes all succeed", func(t *testing.T, s suite) {
		b := s.Open(t)
		body := content(1, 500)
		errs := atOnce(24, func(int) error {
			_, err := bucket.CreateOrMatch(t.Context(), b, "k", body, bucket.CreateOptions{})
			return err
		})
		for i, err := range errs {
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		}
		wantBody(t, b, "k", "", body)
		wantOneVersion(t, b, "k")
	}},
}

func race(t *testing.T, s suite, writers, size int) {
	t.Helper()
	b := s.Open(t)
	bodies := make([][]byte, writers)
	for i := range bodies {
		bodies[i] = content(i, size)
	}
	made := make([]bucket.Object, writers)
	errs := atOnce(writers, func(i int) (err error) {
		made[i], err = b.Create(t.Context(), "k", bytes.NewReader(bodies[i]), bucket.CreateOptions{PartSize: s.PartSize})
		return err
	})
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("writers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		case !bucket.Exists(err) && !bucket.Retryable(err):
			t.Errorf("writer %d: %v, want ErrExists, ErrRetained or an undecided race", i, err)
		}
	}
	if winner < 0 {
		t.Fatalf("nobody won: %v", errs)
	}
	wantBody(t, b, "k", "", bodies[winner])
	st := stat(t, b, "k", "")
	wantSame(t, "Stat", st, made[winner])
	if st.CRC32C != crc32c(bodies[winner]) {
		t.Errorf("CRC-32C %s, want the winner's %s", st.CRC32C, crc32c(bodies[winner]))
	}
	wantOneVersion(t, b, "k")
	s.wantNoUploads(t, b)
}

// atOnce calls f for 0 to n-1 and starts them together.
func atOnce(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func wantOneVersion(t *testing.T, b bucket.Bucket, key string) {
	t.Helper()
	if all := collect(t, b.ListVersions(t.Context(), key)); len(all) != 1 {
		t.Errorf("%d versions of %q, want one: %+v", len(all), key, all)
	}
}
