package localazure

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/pgseal/pgseal/e2e/cloud"
)

// operation is a request as Blob Storage understands it.
type operation struct {
	name      string // as the REST reference has it, without blanks: PutBlob, PutBlockList, ...
	op        cloud.Op
	action    string // the data action that it takes, after ".../containers/" ("blobs/write"); "" is one of the management
	writes    bool   // a policy or hold refuses it on a blob that is there
	container string
	blob      string
	tagged    bool // it carries tags, which take a right of their own
	query     url.Values
}

// understand names the operation.
func understand(r *http.Request) operation {
	rest, _ := strings.CutPrefix(r.URL.Path, "/"+Account)
	o := operation{query: r.URL.Query(), tagged: r.Header.Get("x-ms-tags") != "", name: "Unknown", op: cloud.Other}
	o.container, o.blob, _ = strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	comp, kind := o.query.Get("comp"), o.query.Get("restype")
	switch {
	case o.container == "":
		o.name = "Account:" + comp
	case kind == "container" || o.blob == "":
		o.understandContainer(r.Method, comp)
	default:
		o.understandBlob(r, comp)
	}
	return o
}

func (o *operation) understandContainer(method, comp string) {
	switch {
	case comp == "list" && method == http.MethodGet:
		o.name, o.op, o.action = "ListBlobs", cloud.List, "blobs/read"
	case comp == "" && (method == http.MethodGet || method == http.MethodHead):
		o.name, o.action = "GetContainerProperties", "read"
	case comp == "" && method == http.MethodDelete:
		o.name, o.op = "DeleteContainer", cloud.Delete
	case comp == "" && method == http.MethodPut:
		o.name, o.action = "CreateContainer", "write"
	default:
		o.name = "Container:" + comp
	}
}

func (o *operation) understandBlob(r *http.Request, comp string) {
	type entry struct {
		name   string
		op     cloud.Op
		action string
		writes bool
	}
	var e entry
	switch r.Method + " " + comp {
	case "PUT ":
		e = entry{"PutBlob", cloud.Create, "blobs/write", true}
		if r.Header.Get("x-ms-copy-source") != "" {
			e.name = "CopyBlob"
		}
	case "PUT block":
		e = entry{"PutBlock", cloud.Part, "blobs/write", true}
	case "PUT blocklist":
		e = entry{"PutBlockList", cloud.Create, "blobs/write", true}
	case "PUT appendblock":
		e = entry{"AppendBlock", cloud.Other, "blobs/write", true}
	case "PUT page":
		e = entry{"PutPage", cloud.Other, "blobs/write", true}
	case "PUT metadata":
		e = entry{"SetBlobMetadata", cloud.Other, "blobs/write", true}
	case "PUT properties":
		e = entry{"SetBlobProperties", cloud.Other, "blobs/write", true}
	case "PUT snapshot":
		e = entry{"SnapshotBlob", cloud.Other, "blobs/write", true}
	case "PUT tier":
		e = entry{"SetBlobTier", cloud.Other, "blobs/tier", true}
	case "PUT tags":
		e = entry{"SetBlobTags", cloud.Other, "blobs/tags/write", false}
	case "PUT lease":
		e = entry{"LeaseBlob", cloud.Other, "blobs/write", false}
	case "PUT immutabilityPolicies", "DELETE immutabilityPolicies":
		e = entry{"SetBlobImmutabilityPolicy", cloud.Retain, "", false}
	case "PUT legalhold":
		e = entry{"SetBlobLegalHold", cloud.Retain, "", false}
	case "DELETE ":
		e = entry{"DeleteBlob", cloud.Delete, "blobs/delete", true}
	case "GET ":
		e = entry{"GetBlob", cloud.Read, "blobs/read", false}
	case "HEAD ":
		e = entry{"GetBlobProperties", cloud.Stat, "blobs/read", false}
	case "GET blocklist":
		e = entry{"GetBlockList", cloud.Other, "blobs/read", false}
	case "GET tags":
		e = entry{"GetBlobTags", cloud.Other, "blobs/tags/read", false}
	default:
		e = entry{name: r.Method + ":" + comp, op: cloud.Other}
	}
	o.name, o.op, o.action, o.writes = e.name, e.op, e.action, e.writes
}

// creates tells whether a success of it makes a blob appear.
func (o operation) creates() bool { return o.op == cloud.Create }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
