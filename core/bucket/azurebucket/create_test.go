package azurebucket

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc64"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestOneRequestCarriesConditionSumsAndLabels(t *testing.T) {
	b, f := connectTo(t, func(_ int, _ request, w http.ResponseWriter) {
		w.Header().Set("ETag", `"0x8D"`)
		w.Header().Set("x-ms-version-id", "2026-01-01T00:00:00.0000000Z")
		w.WriteHeader(http.StatusCreated)
	}, func(o *Options) {
		o.EncryptionScope, o.Tags = "scope1", map[string]string{"team": "db", "kept": "no"}
	})
	obj, err := b.Create(context.Background(), "a b/k", strings.NewReader("123456789"), bucket.CreateOptions{
		Metadata: map[string]string{"pgseal-sha256": "00"}, Tags: map[string]string{"kept": "yes"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if obj.Key != "a b/k" || obj.Size != 9 || obj.Version != "2026-01-01T00:00:00.0000000Z" || obj.ETag != "0x8D" || obj.CRC32C != "e3069283" || !obj.Latest {
		t.Errorf("%+v", obj)
	}
	if len(f.requests()) != 1 {
		t.Fatalf("%d requests, want one", len(f.requests()))
	}
	r := f.requests()[0]
	if !r.is("Put Blob") || r.Path != "/account1/vault/pre%2Fa%20b%2Fk" || string(r.Body) != "123456789" {
		t.Errorf("%s %s with %q", r.Method, r.Path, r.Body)
	}
	sum := md5.Sum([]byte("123456789"))
	for header, value := range map[string]string{
		"If-None-Match":                  "*",
		"Content-Length":                 "9",
		"Content-Md5":                    base64.StdEncoding.EncodeToString(sum[:]),
		"X-Ms-Blob-Type":                 "BlockBlob",
		"X-Ms-Encryption-Scope":          "scope1",
		"X-Ms-Meta-Pgseal_sha256":        "00",
		"X-Ms-Meta-Pgseal_crc32c":        "e3069283",
		"X-Ms-Immutability-Policy-Mode":  "",
		"X-Ms-Access-Tier":               "",
		"X-Ms-Copy-Source":               "",
		"X-Ms-Immutability-Policy-Until": "",
	} {
		if got := r.Header.Get(header); got != value {
			t.Errorf("%s: %q, want %q", header, got, value)
		}
	}
	if tags := strings.Split(r.Header.Get("X-Ms-Tags"), "&"); len(tags) != 2 || !slices.Contains(tags, "kept=yes") || !slices.Contains(tags, "team=db") {
		t.Errorf("tags %q", tags)
	}
}

func TestALostAnswerEndsInExists(t *testing.T) {
	for code, want := range map[string]error{"BlobAlreadyExists": bucket.ErrExists, "BlobImmutableDueToPolicy": bucket.ErrRetained} {
		b, _ := connectTo(t, func(n int, _ request, w http.ResponseWriter) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			refuse(w, 409, code, "")
		})
		if _, err := b.Create(context.Background(), "k", strings.NewReader("x"), bucket.CreateOptions{}); !errors.Is(err, want) || !bucket.Exists(err) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestWhoMayOnlyAddIsToldWhatIsThere(t *testing.T) {
	for head, want := range map[int]error{200: bucket.ErrExists, 404: bucket.ErrDenied, 403: bucket.ErrDenied} {
		b, _ := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
			switch {
			case r.is("Put Block"):
				w.WriteHeader(http.StatusCreated)
			case r.is("HEAD"):
				w.WriteHeader(head)
			default:
				refuse(w, 403, "AuthorizationPermissionMismatch", "")
			}
		})
		for _, size := range []int64{10, 3} { // in one request, and in blocks
			_, err := b.Create(t.Context(), "k", strings.NewReader("12345678"), bucket.CreateOptions{PartSize: size})
			if !errors.Is(err, want) || !strings.Contains(err.Error(), "403") {
				t.Errorf("a HEAD answers %d: %v, want %v", head, err, want)
			}
		}
	}
}

func TestBlocksCarryTheirSumsAndTheListTheWhole(t *testing.T) {
	b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
		w.Header().Set("ETag", `"e"`)
		w.WriteHeader(http.StatusCreated)
	}, func(o *Options) { o.EncryptionScope = "scope1" })
	whole := bytes.Repeat([]byte("pgseal "), 10_000)
	seen := map[string]bool{}
	for call := range 2 {
		obj, err := b.Create(context.Background(), "k", bytes.NewReader(whole), bucket.CreateOptions{PartSize: 30_000, PartsInFlight: 3})
		if err != nil || obj.Size != 70_000 || obj.ETag != "e" || len(obj.CRC32C) != 8 {
			t.Fatalf("%+v, %v", obj, err)
		}
		stored := map[string][]byte{}
		for _, r := range f.requests()[call*4 : call*4+3] {
			id := r.Query.Get("blockid")
			if !r.is("Put Block") || len(id) != 44 || seen[id] {
				t.Errorf("%s %v", r.Method, r.Query)
			}
			seen[id], stored[id] = true, r.Body
			sum := make([]byte, 8)
			for i := range sum {
				sum[i] = byte(crc64.Checksum(r.Body, crc64Table) >> (8 * i))
			}
			if got := r.Header.Get("X-Ms-Content-Crc64"); got != base64.StdEncoding.EncodeToString(sum) || r.Header.Get("X-Ms-Encryption-Scope") != "scope1" {
				t.Errorf("a block was sent with %v", r.Header)
			}
		}
		last := f.requests()[call*4+3]
		sum := md5.Sum(whole)
		if !last.is("Put Block List") || last.Header.Get("If-None-Match") != "*" || last.Header.Get("X-Ms-Meta-Pgseal_crc32c") != obj.CRC32C ||
			last.Header.Get("X-Ms-Blob-Content-Md5") != base64.StdEncoding.EncodeToString(sum[:]) {
			t.Errorf("the list was sent with %v", last.Header)
		}
		var joined []byte
		for part := range strings.SplitSeq(string(last.Body), "<Latest>") {
			if id, _, ok := strings.Cut(part, "</Latest>"); ok {
				joined = append(joined, stored[id]...)
			}
		}
		if !bytes.Equal(joined, whole) {
			t.Errorf("the list names %d bytes: %s", len(joined), last.Body)
		}
	}
}

// Creates share their buffers: one may be lent again only when it was both sent
// and summed.
func TestManyCreatesAtOnceSumTheirOwnBytes(t *testing.T) {
	b, f := connectTo(t, func(_ int, _ request, w http.ResponseWriter) { w.WriteHeader(http.StatusCreated) })
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			content := strings.Repeat(string(rune('a'+n)), 20<<16)
			if _, err := b.Create(t.Context(), string(rune('a'+n)), strings.NewReader(content), bucket.CreateOptions{PartSize: 1 << 16}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, r := range f.requests() {
		if !r.is("Put Block List") {
			continue
		}
		sum := md5.Sum([]byte(strings.Repeat(r.Path[len(r.Path)-1:], 20<<16)))
		if got := r.Header.Get("x-ms-blob-content-md5"); got != base64.StdEncoding.EncodeToString(sum[:]) {
			t.Errorf("%s: MD5 %s is of other bytes", r.Path, got)
		}
	}
}

func TestHowACommitCanEnd(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		code   string
		head   int
		want   error
		text   string
		tries  int
	}{
		{"something is there", 409, "BlobAlreadyExists", 200, bucket.ErrExists, "409", 1},
		{"something locked is there", 409, "BlobImmutableDueToPolicy", 200, bucket.ErrRetained, "409", 1},
		{"the condition failed", 412, "ConditionNotMet", 200, bucket.ErrExists, "412", 1},
		{"another writer dropped the blocks and made the blob", 400, "InvalidBlockList", 200, bucket.ErrExists, "a blob is there", 1},
		{"the blocks are gone and no blob is there", 400, "InvalidBlockList", 404, bucket.ErrUnavailable, "send them anew", 1},
		{"the store fails", 500, "InternalError", 404, bucket.ErrUnavailable, "InternalError", attempts},
		{"the store is busy", 503, "ServerBusy", 404, bucket.ErrThrottled, "ServerBusy", attempts},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
				switch {
				case r.is("Put Block"):
					w.WriteHeader(http.StatusCreated)
				case r.is("Put Block List"):
					refuse(w, tc.status, tc.code, "")
				default:
					w.WriteHeader(tc.head)
				}
			})
			_, err := b.Create(context.Background(), "k", strings.NewReader("12345678"), bucket.CreateOptions{PartSize: 3})
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%v, want %v with %q", err, tc.want, tc.text)
			}
			commits := 0
			for _, r := range f.requests() {
				if r.is("Put Block List") {
					commits++
				}
				if r.Method == http.MethodDelete {
					t.Errorf("%s %s", r.Method, r.Path)
				}
			}
			if commits != tc.tries {
				t.Errorf("%d commits, want %d", commits, tc.tries)
			}
		})
	}
}

func TestABlockThatFailsStopsTheBody(t *testing.T) {
	b, f := connectTo(t, func(n int, r request, w http.ResponseWriter) {
		if n == 2 {
			refuse(w, 409, "BlobImmutableDueToPolicy", "")
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	_, err := b.Create(context.Background(), "k", &zeros{}, bucket.CreateOptions{PartSize: 1000})
	if !errors.Is(err, bucket.ErrRetained) {
		t.Errorf("%v, want ErrRetained", err)
	}
	for _, r := range f.requests() {
		if r.is("Put Block List") {
			t.Error("committed")
		}
	}
}

type zeros struct{}

func (*zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestBlocksGrowSoThatFiftyThousandHoldMuch(t *testing.T) {
	for _, tc := range []struct {
		name  string
		first int64
		n     int
		want  int64
	}{
		{"the first", 8 << 20, 1, 8 << 20},
		{"the last of the small ones", 8 << 20, 49_500, 8 << 20},
		{"twice as long", 8 << 20, 49_501, 16 << 20},
		{"the last", 8 << 20, 50_000, 256 << 20},
		{"no block beyond Azure's limit", 1 << 30, 49_900, 4000 << 20},
	} {
		if got, err := blockSizes.Of(tc.first, tc.n); err != nil || got != tc.want {
			t.Errorf("%s: %d, %v, want %d", tc.name, got, err, tc.want)
		}
	}
	if _, err := blockSizes.Of(8<<20, 50_001); err == nil || !strings.Contains(err.Error(), "raise the part size") {
		t.Errorf("block 50,001: %v, want advice", err)
	}
	var total, small int64
	for n := 1; n <= blockSizes.Parts; n++ {
		size, _ := blockSizes.Of(8<<20, n)
		total += size
		if n == blockSizes.GrowAfter {
			small = total
		}
	}
	if small>>30 != 386 || total>>30 != 435 {
		t.Errorf("8 MiB blocks hold %d and %d GiB, the comment says 386 and 435", small>>30, total>>30)
	}
}

func TestAskingWhetherACreateIsAllowed(t *testing.T) {
	for _, tc := range []struct {
		status int
		code   string
		want   error
	}{
		{400, "InvalidBlockList", nil}, {409, "BlobAlreadyExists", nil}, {409, "BlobImmutableDueToPolicy", nil}, {412, "ConditionNotMet", nil},
		{403, "AuthorizationPermissionMismatch", bucket.ErrDenied}, {403, "AuthenticationFailed", bucket.ErrDenied}, {404, "ContainerNotFound", bucket.ErrNotFound},
		{201, "", bucket.ErrInvalid}, {400, "InvalidUri", bucket.ErrInvalid},
	} {
		b, f := connectTo(t, func(_ int, _ request, w http.ResponseWriter) {
			if tc.status == 201 {
				w.WriteHeader(201)
				return
			}
			refuse(w, tc.status, tc.code, "")
		})
		if err := b.CheckCreate(t.Context(), "k"); !errors.Is(err, tc.want) || tc.want == nil && err != nil {
			t.Errorf("%d %s: %v, want %v", tc.status, tc.code, err, tc.want)
		}
		if r := f.requests()[0]; len(f.requests()) != 1 || !r.is("Put Block List") || r.Header.Get("If-None-Match") != "*" {
			t.Errorf("%d %s: asked with %+v", tc.status, tc.code, f.requests())
		}
	}
}

func TestACreateAsksForRetentionOnlyWhereItIsToBeHad(t *testing.T) {
	day := 24 * time.Hour
	for _, tc := range []struct {
		name          string
		lock          string
		period, asked time.Duration
		mode          string
		kind          error
		says          string
		header        string
	}{
		{name: "the policy covers it", lock: "policy", period: 30 * day, asked: 29 * day},
		{name: "the policy is shorter", lock: "policy", period: 30 * day, asked: 31 * day, kind: bucket.ErrInvalid, says: "extend the policy"},
		{name: "nobody stated the period", lock: "policy", asked: day, kind: bucket.ErrInvalid, says: EnvRetention},
		{name: "a hold only", lock: "hold", period: 30 * day, asked: day, kind: bucket.ErrInvalid, says: "legal hold"},
		{name: "no lock, though a period was stated", period: 30 * day, asked: day, kind: bucket.ErrInvalid, says: "no retention policy"},
		{name: "past", lock: "policy", period: 30 * day, asked: -day, kind: bucket.ErrInvalid, says: "past"},
		{name: "version-level", lock: "versions policy", asked: 365 * day, header: "Locked"},
		{name: "version-level and removable", lock: "versions", mode: "GOVERNANCE", asked: 365 * day, header: "Unlocked"},
	} {
		for size, body := range map[string]string{"small": "1", "long": "1234"} {
			t.Run(tc.name+", "+size, func(t *testing.T) {
				b, f := connectTo(t, func(_ int, r request, w http.ResponseWriter) {
					if r.is("container") {
						locked(w, tc.lock)
						return
					}
					w.WriteHeader(http.StatusCreated)
				}, func(o *Options) { o.Retention, o.LockMode = tc.period, tc.mode })
				_, err := b.Create(t.Context(), "k", strings.NewReader(body), bucket.CreateOptions{RetainUntil: time.Now().Add(tc.asked), PartSize: 2})
				if !errors.Is(err, tc.kind) || tc.kind == nil && err != nil || tc.kind != nil && !strings.Contains(err.Error(), tc.says) {
					t.Fatalf("%v, want %v with %q", err, tc.kind, tc.says)
				}
				last := f.requests()[len(f.requests())-1]
				if tc.kind != nil && !(len(f.requests()) == 1 && last.is("container")) {
					t.Errorf("something was sent: %+v", f.requests())
				}
				if got := last.Header.Get("X-Ms-Immutability-Policy-Mode"); !strings.EqualFold(got, tc.header) || (last.Header.Get("X-Ms-Immutability-Policy-Until-Date") == "") != (tc.header == "") {
					t.Errorf("sent with mode %q until %q", got, last.Header.Get("X-Ms-Immutability-Policy-Until-Date"))
				}
			})
		}
	}
}

func TestNamesOfBlocksAreOfOneLengthAndNobodyElses(t *testing.T) {
	one, two := newBlocks(), newBlocks()
	if one == two || len(one.id(1)) != len(two.id(blockSizes.Parts)) {
		t.Errorf("%s and %s", one.id(1), two.id(blockSizes.Parts))
	}
	if raw, err := base64.StdEncoding.DecodeString(one.id(7)); err != nil || len(raw) > 64 || !strings.HasSuffix(string(raw), fmt.Sprintf("-%05d", 7)) {
		t.Errorf("%q, %v", raw, err)
	}
}
