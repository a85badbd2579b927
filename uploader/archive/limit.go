package archive

import "golang.org/x/time/rate"

// NewLimit bounds the bytes per second of all writers that share it; nil, which
// is no limit, for 0.
func NewLimit(bytesPerSecond int64) *rate.Limiter {
	if bytesPerSecond <= 0 {
		return nil
	}
	// What a tenth of a second allows may be caught up with, after a store that was slow for a moment.
	burst := max(bytesPerSecond/10, 4<<10)
	return rate.NewLimiter(rate.Limit(bytesPerSecond), int(burst))
}
