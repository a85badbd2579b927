package gcsbucket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestWhatIsSaidOfAnObject(t *testing.T) {
	created := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, fields string
		check        func(bucket.Object) bool
	}{
		{"the usual", ``, func(o bucket.Object) bool {
			return o.Key == "k" && o.Size == 9 && o.Version == "7" && o.CRC32C == "e3069283" && o.ETag == "25f9e794323b453885f5181ff1372310" && o.Class == "" &&
				o.Encryption == "" && o.Created.Equal(created) && o.Latest && o.RetentionSeen && o.RetainUntil.IsZero()
		}},
		{"under the bucket's policy", `,"retentionExpirationTime":"2026-12-01T00:00:00Z"`, func(o bucket.Object) bool { return o.RetainUntil.Day() == 1 }},
		{"under its own retention", `,"retention":{"mode":"Locked","retainUntilTime":"2026-12-02T00:00:00Z"}`, func(o bucket.Object) bool { return o.RetainUntil.Day() == 2 }},
		{"under both, its own is later", `,"retentionExpirationTime":"2026-12-01T00:00:00Z","retention":{"mode":"Locked","retainUntilTime":"2026-12-02T00:00:00Z"}`,
			func(o bucket.Object) bool { return o.RetainUntil.Day() == 2 }},
		{"under both, the policy is later", `,"retentionExpirationTime":"2026-12-03T00:00:00Z","retention":{"mode":"Locked","retainUntilTime":"2026-12-02T00:00:00Z"}`,
			func(o bucket.Object) bool { return o.RetainUntil.Day() == 3 }},
		{"another class", `,"storageClass":"ARCHIVE"`, func(o bucket.Object) bool { return o.Class == "ARCHIVE" }},
		{"encrypted with a key of the account", `,"kmsKeyName":"projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/3"`,
			func(o bucket.Object) bool {
				return o.Encryption == "kms:projects/p/locations/l/keyRings/r/cryptoKeys/k"
			}},
		{"encrypted with a key that GCS does not have", `,"customerEncryption":{"encryptionAlgorithm":"AES256","keySha256":"x"},"crc32c":"","md5Hash":""`,
			func(o bucket.Object) bool { return o.Encryption == "customer" && o.CRC32C == "" && o.ETag == "" }},
		{"no bytes", `,"size":"0","crc32c":"AAAAAA==","md5Hash":"1B2M2Y8AsgTpgAmY7PhCfg=="`, func(o bucket.Object) bool { return o.CRC32C == "00000000" }},
		{"not the current generation", `,"timeDeleted":"2026-11-27T00:00:00Z"`, func(o bucket.Object) bool { return !o.Latest }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, _ := connectTo(t, func(_ int, _ request, w http.ResponseWriter) {
				tell(w, `{"name":"pre/k","generation":"7","metageneration":"4","size":"9","crc32c":"4waSgw==","md5Hash":"JfnnlDI7RTiF9Rgf8TcjEA==",
					"etag":"CAcQBA==","storageClass":"STANDARD","timeCreated":"2026-11-26T10:00:00Z"`+tc.fields+`}`)
			})
			if o, err := b.Stat(context.Background(), "k", "7"); err != nil || !tc.check(o) {
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
}

func TestAReadStaysWithItsGenerationAndTakesWhatIsStored(t *testing.T) {
	b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		if !r.is("media") {
			tell(w, numbers)
			return
		}
		w.Header().Set("X-Goog-Hash", "crc32c=4waSgw==")
		w.Header().Set("X-Goog-Generation", "7")
		_, _ = io.WriteString(w, "123456789")
	})
	r, obj, err := b.Open(context.Background(), "k", "", 0, -1)
	if err != nil || obj.Version != "7" || !obj.RetentionSeen {
		t.Fatalf("%+v, %v", obj, err)
	}
	if got, err := io.ReadAll(r); string(got) != "123456789" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if media := f.requests()[1]; media.Query.Get("generation") != "7" || media.Header.Get("Accept-Encoding") != "gzip" {
		t.Errorf("%s, %s", media.Query, media.Header)
	}
}

func TestBytesThatDoNotMatchTheirSumAreNoContent(t *testing.T) {
	b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		if !r.is("media") {
			tell(w, numbers)
			return
		}
		w.Header().Set("X-Goog-Hash", "crc32c=4waSgw==")
		_, _ = io.WriteString(w, "123456780")
	})
	r, _, err := b.Open(context.Background(), "k", "", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, bucket.ErrUnavailable) || !strings.Contains(err.Error(), "CRC") {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}

func TestGenerationsComeNewestFirstAcrossPages(t *testing.T) {
	item := func(name, generation, more string) string {
		return `{"name":"pre/` + name + `","generation":"` + generation + `","size":"1","crc32c":"AAAAAQ==","md5Hash":"AAAA"` + more + `}`
	}
	const gone = `,"timeDeleted":"2026-11-27T00:00:00Z"`
	b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		if r.Query.Get("pageToken") == "" {
			tell(w, `{"nextPageToken":"t","items":[`+item("a", "1", "")+","+item("b", "2", gone)+`]}`)
		} else {
			tell(w, `{"items":[`+item("b", "3", gone)+","+item("b", "5", "")+","+item("c", "4", gone)+`]}`)
		}
	})
	got := ""
	for o, err := range b.ListVersions(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got += o.Key + o.Version
		if o.Latest {
			got += "!"
		}
		got += " "
	}
	if got != "a1! b5! b3 b2 c4 " {
		t.Errorf("%s", got)
	}
	q := f.requests()[0].Query
	if q.Get("versions") != "true" || q.Get("prefix") != "pre/" || q.Get("projection") != "noAcl" || !strings.Contains(q.Get("fields"), "retentionExpirationTime") {
		t.Errorf("asked %s", q)
	}
}

func TestAnExtensionIsBoundToWhatWasSeen(t *testing.T) {
	until := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	b, f := connectTo(t, func(n int, r request, w http.ResponseWriter) {
		switch {
		case n == 2:
			panic(http.ErrAbortHandler) // it was done
		case r.is("patch"):
			refuse(w, 412, "conditionNotMet", "")
		case n == 1:
			tell(w, `{"name":"pre/k","generation":"7","metageneration":"1","retention":{"mode":"Unlocked","retainUntilTime":"2026-12-01T00:00:00Z"}}`)
		default:
			tell(w, `{"name":"pre/k","generation":"7","metageneration":"2","retention":{"mode":"Unlocked","retainUntilTime":"2027-01-01T00:00:00Z"}}`)
		}
	})
	if err := b.Retain(context.Background(), "k", "", until); err != nil {
		t.Fatal(err)
	}
	patch := f.requests()[1]
	if patch.Query.Get("ifMetagenerationMatch") != "1" || patch.Query.Get("generation") != "7" || patch.Query.Has("overrideUnlockedRetention") ||
		string(patch.Body) != `{"bucket":"vault","retention":{"mode":"Unlocked","retainUntilTime":"2027-01-01T00:00:00Z"}}`+"\n" {
		t.Errorf("%s %s", patch.Query, patch.Body)
	}
	if len(f.requests()) != 4 {
		t.Errorf("%d requests, want get, patch, patch, get", len(f.requests()))
	}
}
