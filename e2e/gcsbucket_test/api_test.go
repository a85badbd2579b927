package gcsbucket_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"github.com/pgseal/pgseal/e2e/cloud"
	"github.com/pgseal/pgseal/e2e/localgcp"
)

// call is one behaviour of the JSON API.
type call struct {
	name string
	// both: fake-gcs-server 1.56.1, which is somebody else's reading of the documentation, has it right, too.
	both bool
	run  func(t *testing.T, r *raw)
}

// TestTheServerBehavesLikeTheAPI runs the same table against the local Google Cloud and against fake-gcs-server, as far
// as that one is right; what it is not, is left out by name.
func TestTheServerBehavesLikeTheAPI(t *testing.T) {
	s := start(t, localgcp.Config{VaultVersions: true})
	other, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true})
	if err != nil {
		t.Fatal(err)
	}
	other.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "vault", VersioningEnabled: true})
	server := httptest.NewServer(other.HTTPHandler())
	defer server.Close()
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			t.Run("localgcp", func(t *testing.T) { c.run(t, s.raw(cloud.Breakglass, s.Vault)) })
			if c.both {
				t.Run("fake-gcs-server", func(t *testing.T) { c.run(t, &raw{endpoint: server.URL, bucket: "vault"}) })
			}
		})
	}
}

var calls = []call{
	{"a create on a condition succeeds once", true, func(t *testing.T, r *raw) {
		want(t, r.put(t.Context(), "once/k", "&ifGenerationMatch=0", strings.NewReader("1")), "")
		want(t, r.put(t.Context(), "once/k", "&ifGenerationMatch=0", strings.NewReader("2")), "412 conditionNotMet")
		if got := r.content(t, "once/k", ""); got != "1" {
			t.Errorf("%q", got)
		}
	}},
	{"of two sessions that began where nothing stood one wins", true, func(t *testing.T, r *raw) {
		first, _ := r.begin(t.Context(), "race/k", "&ifGenerationMatch=0", "{}")
		second, _ := r.begin(t.Context(), "race/k", "&ifGenerationMatch=0", "{}")
		want(t, r.chunk(t.Context(), second, "bytes 0-0/1", "2"), "")
		want(t, r.chunk(t.Context(), first, "bytes 0-0/1", "1"), "412")
		if got := r.content(t, "race/k", ""); got != "2" {
			t.Errorf("%q", got)
		}
	}},
	{"a wrong checksum of one request stores nothing", true, func(t *testing.T, r *raw) {
		want(t, r.multipart(t.Context(), "sum/k", sumOf("other"), "content"), "400")
		want(t, r.multipart(t.Context(), "sum/k", sumOf("content"), "content"), "")
	}},
	{"a prefix, a delimiter, an offset and pages", true, func(t *testing.T, r *raw) {
		for _, k := range []string{"list/a", "list/b/1", "list/b/2", "list/b-1", "list/c", "listing"} {
			want(t, r.put(t.Context(), k, "", strings.NewReader("x")), "")
		}
		for query, names := range map[string]string{
			"prefix=list/":                                "list/a list/b-1 list/b/1 list/b/2 list/c",
			"prefix=list/&delimiter=/":                    "list/a list/b-1 list/c list/b/",
			"prefix=list/b":                               "list/b-1 list/b/1 list/b/2",
			"prefix=list/&startOffset=list/b/":            "list/b/1 list/b/2 list/c",
			"prefix=list/&endOffset=list/b/2":             "list/a list/b-1 list/b/1",
			"prefix=list/&startOffset=list/b&delimiter=/": "list/b-1 list/c list/b/",
			"prefix=nowhere/":                             "",
		} {
			if got := r.names(t, query); got != names {
				t.Errorf("%s: %q, want %q", query, got, names)
			}
		}
		all, token := "", ""
		for n := 0; n < 10; n++ {
			page := r.page(t, "prefix=list/&maxResults=2&pageToken="+url.QueryEscape(token))
			all += strings.Join(namesOf(page), " ") + " "
			if token, _ = page["nextPageToken"].(string); token == "" {
				break
			}
		}
		if all != "list/a list/b-1 list/b/1 list/b/2 list/c " {
			t.Errorf("in pages: %q", all)
		}
	}},
	{"an overwrite with versions keeps the old generation", true, func(t *testing.T, r *raw) {
		var generations []string
		for i := range 2 {
			want(t, r.put(t.Context(), "versions/k", "", strings.NewReader(fmt.Sprint(i))), "")
			about := r.about(t, "versions/k")
			generations = append(generations, fmt.Sprint(about["generation"]))
		}
		if got := r.content(t, "versions/k", generations[0]); got != "0" {
			t.Errorf("the old generation holds %q", got)
		}
		if got := r.content(t, "versions/k", ""); got != "1" {
			t.Errorf("the current generation holds %q", got)
		}
		if n := len(namesOf(r.page(t, "prefix=versions/&versions=true"))); n != 2 {
			t.Errorf("%d generations", n)
		}
	}},
	{"ranges", true, func(t *testing.T, r *raw) {
		want(t, r.put(t.Context(), "range/k", "", strings.NewReader("0123456789")), "")
		for header, got := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=8-100": "89"} {
			res, err := r.send(t.Context(), "GET", r.object("range/k")+"?alt=media", nil, "Range", header)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(res.Body)
			if string(text) != got || res.StatusCode != 206 {
				t.Errorf("%s: %d %q", header, res.StatusCode, text)
			}
		}
	}},
	{"what is not there", true, func(t *testing.T, r *raw) {
		_, err := r.do(t.Context(), "GET", r.object("missing/k"), nil)
		want(t, err, "404")
		_, err = r.do(t.Context(), "GET", "/storage/v1/b/no-such-bucket/o?prefix=x", nil)
		want(t, err, "404")
	}},

	// From here on fake-gcs-server 1.56.1 does something else.
	{"a delete answers 204, or that its condition failed", false, func(t *testing.T, r *raw) {
		want(t, r.put(t.Context(), "delete/k", "", strings.NewReader("x")), "")
		_, err := r.do(t.Context(), "DELETE", r.object("delete/k")+"?ifGenerationMatch=1", nil)
		want(t, err, "412 conditionNotMet")
		_, err = r.do(t.Context(), "DELETE", r.object("delete/k")+"?ifMetagenerationMatch=2", nil)
		want(t, err, "412")
		res, err := r.send(t.Context(), "DELETE", r.object("delete/k"), nil)
		if err != nil || res.StatusCode != 204 || res.ContentLength != 0 {
			t.Errorf("%+v, %v", res, err)
		}
	}},
	{"conditions of reads and changes", false, func(t *testing.T, r *raw) {
		want(t, r.put(t.Context(), "conditions/k", "", strings.NewReader("x")), "")
		generation := fmt.Sprint(r.about(t, "conditions/k")["generation"])
		for query, says := range map[string]string{
			"ifGenerationMatch=" + generation: "", "ifGenerationMatch=1": "412", "ifGenerationNotMatch=" + generation: "304",
			"ifMetagenerationMatch=1": "", "ifMetagenerationMatch=2": "412", "ifMetagenerationNotMatch=1": "304", "ifGenerationMatch=x": "400",
		} {
			_, err := r.do(t.Context(), "GET", r.object("conditions/k")+"?"+query, nil)
			want(t, err, says)
		}
		change := `{"metadata":{"a":"b"}}`
		_, err := r.do(t.Context(), "PATCH", r.object("conditions/k")+"?ifMetagenerationMatch=2", strings.NewReader(change))
		want(t, err, "412")
		_, err = r.do(t.Context(), "PATCH", r.object("conditions/k")+"?ifMetagenerationMatch=1", strings.NewReader(change))
		want(t, err, "")
		if about := r.about(t, "conditions/k"); fmt.Sprint(about["metageneration"]) != "2" || fmt.Sprint(about["generation"]) != generation {
			t.Errorf("%v", about)
		}
	}},
	{"a session tells what has arrived, and keeps whole units", false, func(t *testing.T, r *raw) {
		at, err := r.begin(t.Context(), "session/k", "", "{}")
		want(t, err, "")
		long := strings.Repeat("x", 300<<10)
		status := func(contentRange, body string) string {
			res, err := r.send(t.Context(), "PUT", at, strings.NewReader(body), "Content-Range", contentRange)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			return fmt.Sprint(res.StatusCode, " ", res.Header.Get("Range"))
		}
		for _, step := range []struct{ name, contentRange, body, says string }{
			{"nothing yet", "bytes */*", "", "308 "},
			{"of a chunk of 300 KiB one unit", "bytes 0-307199/*", long, "308 bytes=0-262143"},
			{"asked for the state", "bytes */*", "", "308 bytes=0-262143"},
			{"asked with the size", "bytes */307200", "", "308 bytes=0-262143"},
			{"a gap", "bytes 300000-300000/300001", "x", "400 "},
			{"the rest, with bytes that are there already", "bytes 262000-307199/307200", long[262000:], "200 "},
			{"the last chunk again", "bytes 262000-307199/307200", long[262000:], "200 "},
			{"asked for the state at last", "bytes */*", "", "200 "},
		} {
			if got := status(step.contentRange, step.body); got != step.says {
				t.Errorf("%s: %q, want %q", step.name, got, step.says)
			}
		}
		if got := r.content(t, "session/k", ""); got != long {
			t.Errorf("%d bytes", len(got))
		}
	}},
	{"a wrong checksum at the end of a session stores nothing", false, func(t *testing.T, r *raw) {
		for name, in := range map[string][2]string{"in the header": {"{}", "crc32c=" + sumOf("other")}, "at the beginning": {`{"crc32c":"` + sumOf("other") + `"}`, ""}} {
			at, _ := r.begin(t.Context(), "sums/k", "", in[0])
			want(t, r.chunk(t.Context(), at, "bytes 0-6/7", "content", "X-Goog-Hash", in[1]), "400")
			_, err := r.do(t.Context(), "GET", r.object("sums/k"), nil)
			want(t, err, "404")
			if err := r.chunk(t.Context(), at, "bytes 0-6/7", "content"); err == nil {
				t.Errorf("%s: the session goes on", name)
			}
		}
	}},
	{"a session that was cancelled has ended", false, func(t *testing.T, r *raw) {
		at, _ := r.begin(t.Context(), "cancel/k", "", "{}")
		res, err := r.send(t.Context(), "DELETE", at, nil)
		if err != nil || res.StatusCode != 499 {
			t.Errorf("%+v, %v", res, err)
		}
		want(t, r.chunk(t.Context(), at, "bytes 0-0/1", "x"), "410")
		_, err = r.do(t.Context(), "GET", r.object("cancel/k"), nil)
		want(t, err, "404")
	}},
	{"only the fields that are asked for", false, func(t *testing.T, r *raw) {
		want(t, r.put(t.Context(), "fields/k", "", strings.NewReader("x")), "")
		page := r.page(t, "prefix=fields/&fields="+url.QueryEscape("nextPageToken,items(name,size)"))
		if got := fmt.Sprint(page); got != "map[items:[map[name:fields/k size:1]]]" {
			t.Error(got)
		}
	}},
	{"nobody without a token", false, func(t *testing.T, r *raw) {
		stranger := &raw{endpoint: r.endpoint, bucket: r.bucket}
		want(t, stranger.put(t.Context(), "token/k", "", strings.NewReader("x")), "401 authError")
		_, err := stranger.do(t.Context(), "GET", r.object("token/k"), nil, "Authorization", "Bearer ya29.invented")
		want(t, err, "401")
	}},
	{"no way around a lock: copies and compositions are not there", false, func(t *testing.T, r *raw) {
		_, err := r.do(t.Context(), "POST", r.object("a")+"/rewriteTo/b/"+r.bucket+"/o/b", strings.NewReader("{}"))
		want(t, err, "501")
		_, err = r.do(t.Context(), "POST", r.object("a")+"/compose", strings.NewReader("{}"))
		want(t, err, "501")
	}},
}

// want checks how an answer begins: "" for a success, else status and perhaps reason.
func want(t *testing.T, err error, begins string) {
	t.Helper()
	if begins == "" && err != nil || begins != "" && (err == nil || !strings.HasPrefix(err.Error(), begins)) {
		t.Errorf("%v, want %q", err, begins)
	}
}

func sumOf(content string) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum([]byte(content), crc32.MakeTable(crc32.Castagnoli))))
}

func (r *raw) about(t *testing.T, key string) map[string]any {
	t.Helper()
	about, err := r.do(t.Context(), "GET", r.object(key), nil)
	if err != nil {
		t.Fatal(err)
	}
	return about
}

func (r *raw) content(t *testing.T, key, generation string) string {
	t.Helper()
	path := r.object(key) + "?alt=media"
	if generation != "" {
		path += "&generation=" + generation
	}
	res, err := r.send(t.Context(), "GET", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return string(text)
}

func (r *raw) page(t *testing.T, query string) map[string]any {
	t.Helper()
	page, err := r.do(t.Context(), "GET", "/storage/v1/b/"+r.bucket+"/o?"+query, nil)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return page
}

func (r *raw) names(t *testing.T, query string) string {
	t.Helper()
	return strings.Join(namesOf(r.page(t, query)), " ")
}

// namesOf are the objects of a page, then the prefixes.
func namesOf(page map[string]any) (names []string) {
	items, _ := page["items"].([]any)
	for _, item := range items {
		names = append(names, fmt.Sprint(item.(map[string]any)["name"]))
	}
	prefixes, _ := page["prefixes"].([]any)
	for _, p := range prefixes {
		names = append(names, fmt.Sprint(p))
	}
	return names
}

func (r *raw) chunk(ctx context.Context, at, contentRange, content string, header ...string) error {
	_, err := r.do(ctx, "PUT", at, strings.NewReader(content), append(header, "Content-Range", contentRange)...)
	return err
}

func (r *raw) multipart(ctx context.Context, key, crc, content string) error {
	body := fmt.Sprintf("--b\r\nContent-Type: application/json\r\n\r\n{\"name\":%q,\"crc32c\":%q}\r\n--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b--\r\n", key, crc, content)
	_, err := r.do(ctx, "POST", "/upload/storage/v1/b/"+r.bucket+"/o?uploadType=multipart", strings.NewReader(body), "Content-Type", "multipart/related; boundary=b")
	return err
}

// clock is a time that a test moves.
type clock struct{ ahead time.Duration }

func (c *clock) now() time.Time { return time.Now().Add(c.ahead) }
