package azurebucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

// page is an answer of List Blobs.
func page(next string, blobs ...string) string {
	return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>` + strings.Join(blobs, "") + `</Blobs><NextMarker>` + next + `</NextMarker></EnumerationResults>`
}

// entry is a blob in it, created in 2026.
func entry(name, properties, rest string) string {
	return `<Blob>` + name + `<Properties><Creation-Time>Thu, 01 Jan 2026 00:00:00 GMT</Creation-Time><Last-Modified>Fri, 02 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x8D</Etag><Content-Length>9</Content-Length><BlobType>BlockBlob</BlobType>` + properties + `</Properties>` + rest + `</Blob>`
}

func TestAListingTellsAllThatTheFinalizerAsks(t *testing.T) {
	day := 24 * time.Hour
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const sum = `<Metadata><PGSEAL_crc32c>e3069283</PGSEAL_crc32c><Pgseal_SHA256>00</Pgseal_SHA256></Metadata>`
	for _, tc := range []struct {
		name, lock, properties, metadata string
		period                           time.Duration
		until                            time.Time
		seen                             bool
		crc, class, encryption           string
		requests                         int
	}{
		{name: "a container's policy whose period is stated", lock: "policy", period: 30 * day, metadata: sum, until: created.Add(30 * day), seen: true, crc: "e3069283"},
		{name: "a container's policy whose period nobody stated", lock: "policy", metadata: sum, crc: "e3069283"},
		{name: "no policy, though a period is stated", period: 30 * day, metadata: sum, seen: true, crc: "e3069283"},
		{name: "a hold has no end", lock: "hold", period: 30 * day, metadata: sum, seen: true, crc: "e3069283"},
		{name: "a policy that may not be seen", lock: "denied", period: 30 * day, metadata: sum, crc: "e3069283"},
		{name: "a version's own policy", lock: "versions policy", period: 30 * day, metadata: sum, crc: "e3069283", seen: true, until: created.Add(7 * day),
			properties: `<ImmutabilityPolicyUntilDate>Thu, 08 Jan 2026 00:00:00 GMT</ImmutabilityPolicyUntilDate><ImmutabilityPolicyMode>locked</ImmutabilityPolicyMode>`},
		{name: "a version whose policy holds nothing", lock: "versions", metadata: sum, crc: "e3069283", seen: true,
			properties: `<ImmutabilityPolicyUntilDate>Thu, 08 Jan 2026 00:00:00 GMT</ImmutabilityPolicyUntilDate><ImmutabilityPolicyMode>mutable</ImmutabilityPolicyMode>`},
		{name: "a version without a policy", lock: "versions policy", period: 30 * day, metadata: sum, seen: true, crc: "e3069283"},
		{name: "a tier that somebody set", properties: `<AccessTier>Archive</AccessTier>`, metadata: sum, seen: true, crc: "e3069283", class: "Archive"},
		{name: "the account's tier", properties: `<AccessTier>Cool</AccessTier><AccessTierInferred>true</AccessTierInferred>`, metadata: sum, seen: true, crc: "e3069283"},
		{name: "an encryption scope", properties: `<EncryptionScope>scope1</EncryptionScope>`, metadata: sum, seen: true, crc: "e3069283", encryption: "scope1"},
		{name: "its writer's own key", properties: `<CustomerProvidedKeySha256>x</CustomerProvidedKeySha256>`, metadata: sum, seen: true},
		{name: "an append blob has no sum that holds", properties: `<BlobType>AppendBlob</BlobType>`, metadata: sum, seen: true},
		{name: "a sum that is none", metadata: `<Metadata><pgseal_crc32c>E3069283</pgseal_crc32c><Pgseal_SHA256>00</Pgseal_SHA256></Metadata>`, seen: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
				switch {
				case r.is("container") && tc.lock == "denied":
					refuse(w, 403, "AuthorizationPermissionMismatch", "")
				case r.is("container"):
					locked(w, tc.lock)
				default:
					_, _ = fmt.Fprint(w, page("", entry(`<Name>pre/k</Name>`, tc.properties, tc.metadata)))
				}
			}, func(o *Options) { o.Retention = tc.period })
			for o, err := range b.ListVersions(context.Background(), "") {
				if err != nil {
					t.Fatal(err)
				}
				if o.Key != "k" || o.Size != 9 || o.ETag != "0x8D" || !o.Created.Equal(created.Add(day)) || !o.Latest || o.Metadata["pgseal-sha256"] != "00" || len(o.Metadata) != 1 {
					t.Errorf("%+v", o)
				}
				if !o.RetainUntil.Equal(tc.until) || o.RetentionSeen != tc.seen || o.CRC32C != tc.crc || o.Class != tc.class || o.Encryption != tc.encryption {
					t.Errorf("%+v, want until %v, seen %t, sum %q, class %q, encryption %q", o, tc.until, tc.seen, tc.crc, tc.class, tc.encryption)
				}
			}
			if n := len(f.requests()); n != 2 {
				t.Errorf("%d requests, want two", n)
			}
			if include := f.requests()[1].Query.Get("include"); include != "immutabilitypolicy,legalhold,metadata,versions" {
				t.Errorf("asked for %q", include)
			}
		})
	}
}

func TestHostileNamesDoNotSpoilAListing(t *testing.T) {
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		if !r.is("container") {
			_, _ = fmt.Fprint(w, page("", entry(`<Name Encoded="true">pre/a%EF%BF%BEb</Name>`, "", ""), entry(`<Name>pre/c+d%2Be</Name>`, "", "")))
		}
	})
	var got []string
	for o, err := range b.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Key)
	}
	if want := []string{"a\ufffeb", "c+d%2Be"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func versionEntry(name string, second int, current bool) string {
	latest := ""
	if current {
		latest = "<IsCurrentVersion>true</IsCurrentVersion>"
	}
	return entry("<Name>pre/"+name+"</Name>", "", fmt.Sprintf("<VersionId>2026-01-01T00:00:%02d.0000000Z</VersionId>%s", second, latest))
}

func TestVersionsComeNewestFirstOverPages(t *testing.T) {
	pages := []string{
		page("more", versionEntry("a", 1, false), versionEntry("a", 2, false)),
		page("", versionEntry("a", 3, true), versionEntry("b", 1, false), versionEntry("c", 9, true)),
	}
	lists := 0
	b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		if r.is("list") {
			_, _ = fmt.Fprint(w, pages[lists])
			lists++
		}
	})
	var got []string
	for o, err := range b.ListVersions(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %t", o.Key, o.Version[17:19], o.Latest))
	}
	if want := []string{"a 03 true", "a 02 false", "a 01 false", "b 01 false", "c 09 true"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if last := f.requests()[len(f.requests())-1]; last.Query.Get("marker") != "more" || last.Query.Get("prefix") != "pre/" {
		t.Errorf("the second page was asked with %v", last.Query)
	}
}

func TestAKeyWithoutEndOfVersionsIsGivenUp(t *testing.T) {
	var same []string
	for range pageSize {
		same = append(same, versionEntry("a", 1, false))
	}
	pages := 0
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		if r.is("list") {
			pages++
			_, _ = fmt.Fprint(w, page("more", same...))
		}
	})
	var last error
	for _, err := range b.ListVersions(context.Background(), "") {
		last = err
	}
	if !errors.Is(last, bucket.ErrTooLarge) || pages != maxVersions/pageSize+1 {
		t.Errorf("%v after %d pages", last, pages)
	}
}
