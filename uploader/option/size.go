package option

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const sizeHelp = "Sizes are as barman reads them: GB counts by 1024, GiB by 1000 (KB, MB, TB alike); a plain number is bytes"

// ParseSize reads a size in bytes as barman does: a whole number of bytes with or without "B", or a number with KB, MB,
// GB, TB, PB or EB, which count in powers of 1024, or KiB, MiB ... which count in powers of 1000. Yes, that is the
// reverse of what the units mean elsewhere (barman 3.17, check_size). The result is at least 1.
func ParseSize(s string) (int64, error) {
	bad := fmt.Errorf("'%s' is not a valid size string", s)
	number, base := strings.ToUpper(strings.TrimSpace(s)), 1024.0
	if n, ok := strings.CutSuffix(number, "B"); ok {
		number = n
		if n, ok := strings.CutSuffix(number, "I"); ok {
			number, base = n, 1000
		}
		if number == "" {
			return 0, bad
		}
		if power := strings.IndexByte("KMGTPE", number[len(number)-1]); power >= 0 {
			number = strings.TrimSpace(number[:len(number)-1])
			f, err := strconv.ParseFloat(number, 64)
			f *= math.Pow(base, float64(power+1))
			if err != nil || strings.ContainsAny(number, "XPN_") || !(f >= 1) || f >= math.MaxInt64 {
				return 0, bad
			}
			return int64(f), nil
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 1 {
		return 0, bad
	}
	return n, nil
}
