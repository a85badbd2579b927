package archive

import "golang.org/x/time/rate"

// NewLimit bounds the bytes per second of all writers that share it; nil, which
// is no limit, for 0.
func NewLimit(bytesPerSecond int64) *rate.Limiter {
	if bytesPerSecond <= 0 {
		return nil
	}
	burst := min(max(bytesPerSecond/10, 4<<10), sendSize)
	return rate.NewLimiter(rate.Limit(bytesPerSecond), int(burst))
}
