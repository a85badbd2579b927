package option

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// ParseDuration reads a duration in the units that people who run PostgreSQL use: s, m or min, h, d (24 hours) and w
// (7 days), each with a whole number, largest first, such as 90s, 26h, 30d or 1d12h. "0" needs no unit. The result is
// never negative.
func ParseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	bad := fmt.Errorf("'%s' is not a valid duration: write 90s, 5m, 26h, 30d or 2w", s)
	units := []struct {
		name string
		size time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"m", time.Minute}, {"s", time.Second}}
	var sum time.Duration
	last := time.Duration(math.MaxInt64)
	for rest := s; rest != "" || s == ""; {
		var count int64
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			if count = count*10 + int64(rest[digits]-'0'); count > math.MaxInt32 {
				return 0, bad
			}
			digits++
		}
		if digits == 0 {
			return 0, bad
		}
		rest = rest[digits:]
		size := time.Duration(0)
		for _, u := range units {
			if r, ok := strings.CutPrefix(rest, u.name); ok {
				rest, size = r, u.size
				break
			}
		}
		if size == 0 || size >= last || time.Duration(count) > (math.MaxInt64-sum)/size {
			return 0, bad
		}
		sum += time.Duration(count) * size
		last = size
	}
	return sum, nil
}

// ParseTime reads a moment: YYYY-MM-DD, which is midnight UTC, or RFC 3339. The result is in UTC.
func ParseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("'%s' is not a valid time: write 2027-01-31 or 2027-01-31T18:00:00Z", s)
}
