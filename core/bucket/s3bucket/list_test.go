package s3bucket

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

func TestHostileKeysDoNotSpoilAListing(t *testing.T) {
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		_, _ = fmt.Fprint(w, `<ListBucketResult><EncodingType>url</EncodingType>
			<Contents><Key>pre/a%01b</Key></Contents><Contents><Key>pre/c+d%2Be</Key></Contents></ListBucketResult>`)
	})
	var got []string
	for o, err := range b.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key)
	}
	if want := []string{"a\x01b", "c d+e"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestVersionsComeInOneOrderWithoutRepeats(t *testing.T) {
	entry := func(kind, key, id, latest, second string) string {
		return fmt.Sprintf(`<%s><Key>pre/%s</Key><VersionId>%s</VersionId><IsLatest>%s</IsLatest><LastModified>2026-01-01T00:00:%sZ</LastModified></%s>`, kind, key, id, latest, second, kind)
	}
	pages := []string{
		`<IsTruncated>true</IsTruncated><NextKeyMarker>pre/b%2Bc</NextKeyMarker><NextVersionIdMarker>2</NextVersionIdMarker>` +
			entry("DeleteMarker", "a", "3", "true", "03") + entry("Version", "a", "1", "false", "01") + entry("DeleteMarker", "a", "2", "false", "02") +
			entry("Version", "b%2Bc", "2", "true", "09"),
		entry("Version", "b%2Bc", "2", "true", "09") + entry("Version", "b%2Bc", "1", "false", "08") + entry("Version", "c", "null", "true", "07"),
	}
	b, f := connectTo(t, func(n int, r request, w http.ResponseWriter) {
		_, _ = fmt.Fprint(w, `<ListVersionsResult><EncodingType>url</EncodingType>`+pages[n-1]+`</ListVersionsResult>`)
	})
	var got []string
	for o, err := range b.ListVersions(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %t %t", o.Key, o.Version, o.Latest, o.DeleteMarker))
	}
	want := []string{"a 3 true true", "a 2 false true", "a 1 false false", "b+c 2 true false", "b+c 1 false false", "c  true false"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if q, _ := url.ParseQuery(f.requests()[1].Query); q.Get("key-marker") != "pre/b+c" || q.Get("version-id-marker") != "2" {
		t.Errorf("the second page was asked with %q", f.requests()[1].Query)
	}
}
