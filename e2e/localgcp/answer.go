package localgcp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// failure is a refusal, in the shape in which GCS tells one.
type failure struct {
	status          int
	reason, message string
}

func fail(status int, reason, format string, args ...any) *failure {
	return &failure{status, reason, fmt.Sprintf(format, args...)}
}

func (f *failure) answer(w http.ResponseWriter) {
	item := map[string]any{"message": f.message, "domain": "global", "reason": f.reason}
	tell(w, f.status, map[string]any{"error": map[string]any{"code": f.status, "message": f.message, "errors": []any{item}}})
}

// What several requests are answered.
func noBucket() *failure { return fail(404, "notFound", "The specified bucket does not exist.") }
func noObject(bucket, name string) *failure {
	return fail(404, "notFound", "No such object: %s/%s", bucket, name)
}
func notMet() *failure {
	return fail(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
}
func invalid(format string, args ...any) *failure { return fail(400, "invalid", format, args...) }
func internal(err error) *failure                 { return fail(500, "internalError", "localgcp: %v", err) }

// tell answers with a JSON document.
func tell(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(document) // the client may be gone
}

// escape writes a name as one part of a path.
func escape(name string) string { return url.PathEscape(name) }

// selection is a parsed parameter "fields": nil takes everything. Known forms: a,b(c,d),e/f.
type selection map[string]selection

func parseFields(s string) selection {
	if s == "" || s == "*" {
		return nil
	}
	chosen, rest := parseList(s)
	if rest != "" {
		return nil
	}
	return chosen
}

func parseList(s string) (selection, string) {
	chosen := selection{}
	for s != "" && s[0] != ')' {
		end := strings.IndexAny(s, ",()/")
		if end < 0 {
			chosen[s] = nil
			return chosen, ""
		}
		name := s[:end]
		switch s[end] {
		case '(':
			chosen[name], s = parseList(s[end+1:])
			s = strings.TrimPrefix(s, ")")
		case '/':
			next := strings.IndexAny(s[end+1:], ",)")
			if next < 0 {
				chosen[name] = selection{s[end+1:]: nil}
				return chosen, ""
			}
			chosen[name], s = selection{s[end+1 : end+1+next]: nil}, s[end+1+next:]
		default:
			chosen[name], s = nil, s[end:]
		}
		s = strings.TrimPrefix(s, ",")
	}
	return chosen, s
}

// of leaves of a document what was chosen.
func (c selection) of(document map[string]any) map[string]any {
	if c == nil {
		return document
	}
	out := map[string]any{}
	for name, inside := range c {
		switch value := document[name].(type) {
		case nil:
		case map[string]any:
			out[name] = inside.of(value)
		case []any:
			list := make([]any, len(value))
			for i, item := range value {
				if list[i] = item; inside != nil {
					if m, ok := item.(map[string]any); ok {
						list[i] = inside.of(m)
					}
				}
			}
			out[name] = list
		default:
			out[name] = value
		}
	}
	return out
}
