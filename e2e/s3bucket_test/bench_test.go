package s3bucket_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/e2e/localaws"
)

// BenchmarkCreate sends 256 MiB; the server behind it shares this machine.
func BenchmarkCreate(b *testing.B) {
	s := start(b, localaws.Config{})
	whole := body(256 << 20)
	for _, o := range []bucket.CreateOptions{
		{PartSize: 8 << 20, PartsInFlight: 1},
		{PartSize: 8 << 20, PartsInFlight: 2},
		{PartSize: 32 << 20, PartsInFlight: 2},
		{PartSize: 8 << 20, PartsInFlight: 4},
		{PartSize: 256 << 20, SingleShot: true},
	} {
		b.Run(fmt.Sprintf("part=%dMiB,inflight=%d", o.PartSize>>20, o.PartsInFlight), func(b *testing.B) {
			to := s.open(b, s.Host, s.Vault)
			b.SetBytes(int64(len(whole)))
			for i := 0; b.Loop(); i++ {
				if _, err := to.Create(b.Context(), fmt.Sprint(i), bytes.NewReader(whole), o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
