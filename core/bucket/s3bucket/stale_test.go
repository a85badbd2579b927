package s3bucket

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a real server cannot be made to answer quickly: an upload that ends in between, parts on several pages, the newest
// of them on the first. The rest is tried against a real one.
func TestEndStaleLooksAtEveryPart(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	at := func(ago time.Duration) string { return now.Add(-ago).Format(time.RFC3339) }
	var uploads strings.Builder
	for _, key := range []string{"gone", "idle", "late", "new", "spared", "beyond"} {
		begun := time.Hour
		if key == "new" {
			begun = time.Minute
		}
		fmt.Fprintf(&uploads, "<Upload><Key>pre/%s</Key><UploadId>id-%[1]s</UploadId><Initiated>%s</Initiated></Upload>", key, at(begun))
	}
	part := func(ago time.Duration, more string) string {
		return "<ListPartsResult><Part><PartNumber>1</PartNumber><LastModified>" + at(ago) + "</LastModified></Part>" + more + "</ListPartsResult>"
	}
	const truncated = "<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>"
	b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		switch {
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		case strings.Contains(r.Query, "uploads"):
			fmt.Fprint(w, "<ListMultipartUploadsResult>", uploads.String(), "</ListMultipartUploadsResult>")
		case strings.Contains(r.Query, "id-gone"):
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<Error><Code>NoSuchUpload</Code></Error>")
		case strings.Contains(r.Query, "id-late") && !strings.Contains(r.Query, "part-number-marker=1"):
			fmt.Fprint(w, part(time.Hour, truncated))
		case strings.Contains(r.Query, "id-late"):
			fmt.Fprint(w, part(time.Minute, ""))
		default:
			fmt.Fprint(w, part(time.Hour, ""))
		}
	})
	ended, err := b.EndStale(t.Context(), "", now.Add(-30*time.Minute), 3, func(key string) bool { return key == "spared" })
	if err != nil || !slices.Equal(ended, []string{"idle"}) {
		t.Errorf("%q, %v", ended, err)
	}
	for _, r := range f.requests() {
		if r.Method == http.MethodDelete && !strings.Contains(r.Query, "id-idle") || strings.Contains(r.Query, "id-beyond") || strings.Contains(r.Query, "id-new") {
			t.Errorf("%s %s?%s", r.Method, r.Path, r.Query)
		}
	}
}

func TestWithoutTheRightEndStaleSaysSo(t *testing.T) {
	b, _ := connectTo(t, func(_ int, _ request, w http.ResponseWriter) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<Error><Code>AccessDenied</Code></Error>")
	})
	if _, err := b.EndStale(t.Context(), "main/", time.Now(), 3, func(string) bool { return false }); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Error(err)
	}
}
