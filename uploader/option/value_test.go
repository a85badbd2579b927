package option

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"1": 1, "100": 100, "1234B": 1234, "1KB": 1024, "1kb": 1024, "1KiB": 1000, "100GB": 100 << 30, "5GiB": 5_000_000_000,
		"1TB": 1 << 40, "1.5MB": 3 << 19, "0.5KB": 512, "12iB": 12, " 4MB ": 4 << 20, "4 MB": 4 << 20, "2EB": 2 << 60, "1e3KB": 1024000,
		"9223372036854775807": 1<<63 - 1,
	} {
		if got, err := ParseSize(s); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "B", "iB", "KB", "GB", "0", "0GB", "-1", "-1GB", "1.5", "1.5B", "ten", "1XB", "1G", "8EB", "9223372036854775808",
		"infGB", "nanGB", "0x1GB", "0x1p4KB", "1_000", "1_0KB", "1KBB", "0.0001KB", "1ZB", "١GB"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("ParseSize(%q) = %d", s, got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "5m": 5 * time.Minute, "5min": 5 * time.Minute, "26h": 26 * time.Hour, "30d": 30 * day, "2w": 14 * day,
		"1d12h": 36 * time.Hour, "1w1d1h1m1s": 8*day + time.Hour + time.Minute + time.Second, "0": 0, "0s": 0, "36500d": 36500 * day,
	} {
		if got, err := ParseDuration(s); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "30", "d", "1.5h", "-1d", "1h1d", "1d1d", "1m1min", "1y", "30 d", "1D", "99999999999999999999s", "2000000w", "106752d", "1h "} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("ParseDuration(%q) = %v", s, got)
		}
	}
}

func TestParseTime(t *testing.T) {
	for s, want := range map[string]string{
		"2027-01-31": "2027-01-31T00:00:00Z", "2027-01-31T18:00:00Z": "2027-01-31T18:00:00Z", "2027-01-31T18:00:00+02:00": "2027-01-31T16:00:00Z",
	} {
		if got, err := ParseTime(s); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("ParseTime(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "tomorrow", "2027-02-30", "2027-01-31 18:00:00", "31.1.2027", "30d"} {
		if got, err := ParseTime(s); err == nil {
			t.Errorf("ParseTime(%q) = %v", s, got)
		}
	}
}

func TestParseTag(t *testing.T) {
	for s, want := range map[string]Tag{
		"k,v": {"k", "v"}, "k,": {"k", ""}, "cost centre,a/b:c@d": {"cost centre", "a/b:c@d"}, `"k","v"`: {"k", "v"}, "größe,1²": {"größe", "1²"},
	} {
		if got, err := ParseTag(s); err != nil || got != want {
			t.Errorf("ParseTag(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "k", ",v", "k,v,w", "k;v", "k,v\n", "k,v\nl,w", "aws:k,v", "AWS:k,v", "k,a*b", "k,a\tb", `"k,v`, "k,\xff",
		strings.Repeat("k", 129) + ",v", "k," + strings.Repeat("v", 257)} {
		if got, err := ParseTag(s); err == nil {
			t.Errorf("ParseTag(%q) = %v", s, got)
		}
	}
}

func TestAnObjectHasTenTagsAtMost(t *testing.T) {
	var tags []Tag
	for i := range 10 {
		var err error
		if tags, err = addTag(tags, Tag{Key: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := addTag(tags, Tag{Key: "one more"}); err == nil {
		t.Error("an eleventh tag was taken")
	}
}

func TestBackupNames(t *testing.T) {
	for _, s := range []string{"weekly", "test-20261123T000000", "ä ö", "20261123T0000001", "-x"} {
		if err := checkBackupName(s); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", "20261123T000000", "last-failed", "auto", "None", " x", "x ", "a\nstatus=DONE", "a\x00b"} {
		if err := checkBackupName(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range []string{"1.5GB", "12iB", "1d12h", "2027-01-31T18:00:00+02:00", "k,v", `"a","b"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseSize(s); err == nil && n < 1 {
			t.Errorf("size %q is %d", s, n)
		}
		if d, err := ParseDuration(s); err == nil && d < 0 {
			t.Errorf("duration %q is %v", s, d)
		}
		_, _ = ParseTime(s)
		if tag, err := ParseTag(s); err == nil && tag.Key == "" {
			t.Errorf("tag %q has no key", s)
		}
	})
}
