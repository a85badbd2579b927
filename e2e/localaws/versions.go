package localaws

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/s3response"
)

// versionEntry is one line of a version listing: a version, a delete marker or a common prefix.
type versionEntry struct {
	key, id string
	version *s3response.ObjectVersion
	marker  *types.DeleteMarkerEntry
	prefix  string
}

// cutVersions makes the page that was asked for from a whole listing: keys in order, the newest version first,
// nothing twice, common prefixes counted as entries (Amazon S3, ListObjectVersions).
func cutVersions(whole s3response.ListVersionsResult, in *s3.ListObjectVersionsInput) s3response.ListVersionsResult {
	prefix, delimiter := deref(in.Prefix), deref(in.Delimiter)
	entries := orderVersions(whole)
	page := whole
	page.Versions, page.DeleteMarkers, page.CommonPrefixes = nil, nil, nil
	page.MaxKeys, page.KeyMarker, page.VersionIdMarker, page.Delimiter = in.MaxKeys, in.KeyMarker, in.VersionIdMarker, in.Delimiter
	truncated, none := false, ""
	page.IsTruncated, page.NextKeyMarker, page.NextVersionIdMarker = &truncated, &none, &none

	limit := 1000
	if in.MaxKeys != nil {
		limit = int(*in.MaxKeys)
	}
	var last versionEntry
	count, past := 0, deref(in.KeyMarker) == ""
	for _, e := range entries {
		if delimiter != "" {
			if cut := strings.Index(e.key[len(prefix):], delimiter); cut >= 0 {
				e.prefix = e.key[:len(prefix)+cut+len(delimiter)]
			}
		}
		if !past && !isPast(e, deref(in.KeyMarker), deref(in.VersionIdMarker), &past) {
			continue
		}
		if e.prefix != "" && e.prefix == last.prefix {
			continue
		}
		if count == limit {
			truncated = limit > 0
			break
		}
		count++
		last = e
		switch {
		case e.prefix != "":
			page.CommonPrefixes = append(page.CommonPrefixes, types.CommonPrefix{Prefix: &e.prefix})
		case e.version != nil:
			page.Versions = append(page.Versions, *e.version)
		default:
			page.DeleteMarkers = append(page.DeleteMarkers, *e.marker)
		}
	}
	if truncated {
		next, id := last.key, last.id
		if last.prefix != "" {
			next, id = last.prefix, ""
		}
		page.NextKeyMarker, page.NextVersionIdMarker = &next, &id
	}
	return page
}

// isPast reports whether the entry comes after the markers, and sets past when every later entry does too.
func isPast(e versionEntry, keyMarker, idMarker string, past *bool) bool {
	switch {
	case e.prefix != "" && e.prefix <= keyMarker:
		return false
	case e.key > keyMarker:
		*past = true
		return true
	case e.key == keyMarker && idMarker != "" && e.id == idMarker:
		*past = true // the next one is
	}
	return false
}

// orderVersions merges versions and delete markers, sorts them and drops repeats.
func orderVersions(whole s3response.ListVersionsResult) []versionEntry {
	var entries []versionEntry
	for i := range whole.Versions {
		v := &whole.Versions[i]
		entries = append(entries, versionEntry{key: deref(v.Key), id: deref(v.VersionId), version: v})
	}
	for i := range whole.DeleteMarkers {
		m := &whole.DeleteMarkers[i]
		entries = append(entries, versionEntry{key: deref(m.Key), id: deref(m.VersionId), marker: m})
	}
	slices.SortFunc(entries, func(a, b versionEntry) int {
		if order := strings.Compare(a.key, b.key); order != 0 {
			return order
		}
		if a.latest() != b.latest() {
			if a.latest() {
				return -1
			}
			return 1
		}
		return strings.Compare(b.id, a.id) // version ids are ULIDs: the greater is the newer
	})
	return slices.CompactFunc(entries, func(a, b versionEntry) bool { return a.key == b.key && a.id == b.id })
}

// latest reports whether the entry is the newest of its key.
func (e versionEntry) latest() bool {
	if e.version != nil {
		return e.version.IsLatest != nil && *e.version.IsLatest
	}
	return e.marker.IsLatest != nil && *e.marker.IsLatest
}

// deref is the string behind the pointer, or "".
func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
