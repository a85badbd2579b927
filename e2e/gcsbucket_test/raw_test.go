package gcsbucket_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
)

// raw speaks to the API by hand, and tries everything once.
type raw struct {
	endpoint, bucket string
	token            func(ctx context.Context) (*auth.Token, error)
}

var (
	known   = map[string]*auth.Credentials{} // by server and key file
	knownMu sync.Mutex
)

// raw is somebody's way to a bucket; nobody's, with who "".
func (s *store) raw(who, bucket string) *raw {
	r := &raw{endpoint: s.Endpoint, bucket: bucket}
	if who == "" {
		return r
	}
	knownMu.Lock()
	defer knownMu.Unlock()
	file := s.KeyFile(who)
	id := s.Endpoint + file // tokens do not outlive their server
	if known[id] == nil {
		c, err := credentials.NewCredentialsFromFile(credentials.ServiceAccount, file, &credentials.DetectOptions{Scopes: []string{"all"}})
		if err != nil {
			panic(err)
		}
		known[id] = c
	}
	r.token = known[id].Token
	return r
}

// refusal is what the store says no with.
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Errors  []struct {
		Reason string `json:"reason"`
	} `json:"errors"`
}

func (r *refusal) Error() string {
	reason := ""
	if len(r.Errors) > 0 {
		reason = r.Errors[0].Reason
	}
	return fmt.Sprintf("%d %s: %s", r.Code, reason, r.Message)
}

// do sends one request and reads a JSON answer.
func (r *raw) do(ctx context.Context, method, path string, body io.Reader, header ...string) (map[string]any, error) {
	res, err := r.send(ctx, method, path, body, header...)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		var e struct{ Error *refusal }
		if json.Unmarshal(text, &e) != nil || e.Error == nil {
			return nil, &refusal{Code: res.StatusCode, Message: string(text)}
		}
		return nil, e.Error
	}
	var answer map[string]any
	if len(text) > 0 {
		err = json.Unmarshal(text, &answer)
	}
	return answer, err
}

func (r *raw) send(ctx context.Context, method, path string, body io.Reader, header ...string) (*http.Response, error) {
	at := path
	if !strings.HasPrefix(path, "http") {
		at = r.endpoint + path
	}
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if r.token != nil {
		token, err := r.token(ctx)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token.Value)
	}
	return http.DefaultTransport.RoundTrip(req)
}

func (r *raw) object(key string) string {
	return "/storage/v1/b/" + r.bucket + "/o/" + url.PathEscape(key)
}

// put stores body with one request; query is more of it, such as "&ifGenerationMatch=0".
func (r *raw) put(ctx context.Context, key, query string, body io.Reader) error {
	_, err := r.do(ctx, "POST", "/upload/storage/v1/b/"+r.bucket+"/o?uploadType=media&name="+url.QueryEscape(key)+query, body, "Content-Type", "text/plain")
	return err
}

func (r *raw) remove(ctx context.Context, key, version string) error {
	path := r.object(key)
	if version != "" {
		path += "?generation=" + version
	}
	_, err := r.do(ctx, "DELETE", path, nil)
	return err
}

// begin opens a session and gives its address.
func (r *raw) begin(ctx context.Context, key, query, about string) (string, error) {
	res, err := r.send(ctx, "POST", "/upload/storage/v1/b/"+r.bucket+"/o?uploadType=resumable&name="+url.QueryEscape(key)+query, strings.NewReader(about))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		text, _ := io.ReadAll(res.Body)
		return "", fmt.Errorf("%d: %s", res.StatusCode, text)
	}
	return res.Header.Get("Location"), nil
}
