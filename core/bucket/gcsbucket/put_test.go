package gcsbucket

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
)

func TestHowPutGoesOnAfterAFailure(t *testing.T) {
	const other = `{"name":"pre/k","generation":"8","metageneration":"1","size":"3","crc32c":"AAAAAQ==","md5Hash":"AAAA"}`
	busy := func(w http.ResponseWriter) { refuse(w, 429, "rateLimitExceeded", "") }
	lost := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	raced := func(w http.ResponseWriter) { refuse(w, 412, "conditionNotMet", "") }
	nothing := func(w http.ResponseWriter) { refuse(w, 404, "notFound", "No such object: vault/pre/k") }
	says := func(object string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { tell(w, object) }
	}
	for _, tc := range []struct {
		name    string
		answers []func(http.ResponseWriter)
		want    []string // the requests; an insert with its condition
		err     error
	}{
		{"the store says it did nothing", []func(http.ResponseWriter){busy, says(numbers)}, []string{"insert", "insert"}, nil},
		{"the answer was lost, and it was done", []func(http.ResponseWriter){lost, says(numbers)}, []string{"insert", "get"}, nil},
		{"the request was lost", []func(http.ResponseWriter){lost, nothing, says(numbers)}, []string{"insert", "get", "insert 0"}, nil},
		{"the request was lost, and something else is there", []func(http.ResponseWriter){lost, says(other), says(numbers)}, []string{"insert", "get", "insert 8"}, nil},
		{"somebody was faster then", []func(http.ResponseWriter){lost, nothing, raced, says(other), says(numbers)},
			[]string{"insert", "get", "insert 0", "get", "insert 8"}, nil},
		{"no right", []func(http.ResponseWriter){func(w http.ResponseWriter) { refuse(w, 403, "forbidden", "storage.objects.delete") }}, []string{"insert"}, bucket.ErrDenied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, f := connectTo(t, func(n int, _ request, w http.ResponseWriter) { tc.answers[min(n, len(tc.answers))-1](w) })
			obj, err := b.Put(context.Background(), "k", []byte("123456789"))
			if !errors.Is(err, tc.err) || err == nil && (obj.CRC32C != "e3069283" || obj.Version != "7") {
				t.Errorf("%+v, %v, want %v", obj, err, tc.err)
			}
			var got []string
			for _, r := range f.requests() {
				what := r.what()
				if r.Query.Has("ifGenerationMatch") {
					what += " " + r.Query.Get("ifGenerationMatch")
				}
				got = append(got, what)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("requests %q, want %q", got, tc.want)
			}
		})
	}
}
