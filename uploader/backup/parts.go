package backup

// partsInFlight parts of an archive are sent at the same time, or one while the
// next is read: where the network is what is waited for, reading takes no time.
const partsInFlight = 2

const (
	minPart = 5 << 20 // S3 takes no shorter ones
	mib     = 1 << 20
	// An S3 upload has at most 10,000 parts, of which the driver keeps 9,500
	// alike; an archive is longer than asked by one file (1 GiB at most).
	evenParts = 9_500
	overshoot = 1 << 30
)

// partSize is the length of the parts in which archives of up to archiveSize
// bytes are sent, out of total bytes that there are to read: as short as will do,
// because every worker holds two of them in memory. 100 GiB make 11 MiB. What
// comes to more than was expected is sent in longer ones (body.Sizes).
func partSize(archiveSize, total, least int64) int64 {
	size := (min(archiveSize, total) + overshoot + evenParts - 1) / evenParts
	size = (size + mib - 1) / mib * mib
	return max(size, minPart, least)
}
