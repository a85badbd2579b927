package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/pgseal/pgseal/core/finalizer"
	"github.com/pgseal/pgseal/functions/wake"
)

// begin gives a handler that finalizes nothing and answers with what keys say, and its log.
func begin(t *testing.T, sweepFails bool) (*httptest.Server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	h := handler{
		finalize: func(_ context.Context, created []wake.Object) ([]wake.Result, error) {
			results := []wake.Result{}
			for _, o := range created {
				switch o.Key {
				case "fail":
					return results, &finalizer.TransientError{Err: errors.New("503")}
				case "panic":
					panic("as asked")
				}
				results = append(results, wake.Result{Server: "main", BackupID: o.Key, Verdict: finalizer.Rejected, Class: finalizer.ClassSet})
			}
			return results, nil
		},
		sweep: func(context.Context) (finalizer.SweepReport, error) {
			if sweepFails {
				return finalizer.SweepReport{Failed: 1}, &finalizer.AccessError{Err: errors.New("403")}
			}
			return finalizer.SweepReport{Sealed: 17}, nil
		},
		log: slog.New(slog.NewJSONHandler(&log, nil)),
	}
	s := httptest.NewServer(h.routes())
	t.Cleanup(s.Close)
	return s, &log
}

// invoke is one invocation, with the answer as the host reads it.
func invoke(t *testing.T, s *httptest.Server, path, body string) (int, answer) {
	t.Helper()
	resp, err := s.Client().Post(s.URL+path, "application/json; charset=utf-8", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return resp.StatusCode, answer{}
	}
	var got map[string]json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || len(got) != 3 || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: %v %v", resp.Header.Get("Content-Type"), got, err)
	}
	if string(got["Outputs"]) != "{}" || string(got["ReturnValue"]) != "null" || string(got["Logs"]) == "null" {
		t.Errorf("%s", got)
	}
	var a answer
	if err := json.Unmarshal(got["Logs"], &a.Logs); err != nil {
		t.Error(err)
	}
	return resp.StatusCode, a
}

// event is the host's request for a message of the queue that tells of a blob.
func event(key string) string {
	return `{"Data":{"event":` + quoted(gridEvent(blobCreated, "https://account.blob.core.windows.net/staging/"+key)) + `},"Metadata":{"DequeueCount":"1","sys":{"MethodName":"finalize"}}}`
}

func TestWhatTheHostIsAnswered(t *testing.T) {
	for _, test := range []struct {
		name, path, body string
		status           int
		log, answer      string
	}{
		{"a rejection is a success", "/finalize", event("20261123T010203"), 200, "", "main 20261123T010203: rejected"},
		{"a blob that was deleted is none of its business", "/finalize", `{"Data":{"event":{"eventType":"Microsoft.Storage.BlobDeleted"}}}`, 200, "", ""},
		{"a failing store is a failure", "/finalize", event("fail"), 500, "", "503"},
		{"a panic is a failure", "/finalize", event("panic"), 500, "stack_trace", "as asked"},
		{"an event that cannot be read is dropped", "/finalize", `{"Data":{"event":"hello"}}`, 200, "an event is dropped", "hello"},
		{"no binding", "/finalize", `{"Data":{}}`, 400, "no Functions host", ""},
		{"no JSON", "/finalize", `hello`, 400, "no Functions host", ""},
		{"too much", "/finalize", `{"Data":{"event":"` + strings.Repeat("x", maxRequest) + `"}}`, 400, "too large", ""},
		{"no such function", "/other", event("x"), 404, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, log := begin(t, false)
			status, a := invoke(t, s, test.path, test.body)
			if status != test.status || !strings.Contains(log.String(), test.log) || !strings.Contains(strings.Join(a.Logs, "\n"), test.answer) {
				t.Errorf("%d %q\n%s", status, a.Logs, log)
			}
			if test.log == "" && log.Len() > 0 {
				t.Errorf("%s", log)
			}
		})
	}
}

func TestItIsReadyOnceItAnswersAnything(t *testing.T) {
	s, _ := begin(t, false)
	resp, err := s.Client().Get(s.URL + "/")
	if err != nil || resp.StatusCode != 200 {
		t.Error(resp, err)
	}
	resp.Body.Close()
}

func TestSeveralInvocationsAtOnce(t *testing.T) {
	s, _ := begin(t, false)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			key, want := "20261123T010203", 200
			if n%2 == 0 {
				key, want = "fail", 500
			}
			if status, _ := invoke(t, s, "/finalize", event(key)); status != want {
				t.Errorf("%s: %d", key, status)
			}
		})
	}
	all.Wait()
}

func TestATimerSweeps(t *testing.T) {
	timer := `{"Data":{"timer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{"sys":{"MethodName":"sweep"}}}`
	s, _ := begin(t, false)
	if status, a := invoke(t, s, "/sweep", timer); status != 200 || !strings.Contains(a.Logs[0], `"sealed":17`) {
		t.Errorf("%d %q", status, a.Logs)
	}
	s, _ = begin(t, true)
	if status, a := invoke(t, s, "/sweep", timer); status != 500 || !strings.Contains(strings.Join(a.Logs, ""), "403") {
		t.Errorf("%d %q", status, a.Logs)
	}
}

// What is shipped beside the program names what the program has.
func TestEveryFunctionThatIsShippedHasItsPath(t *testing.T) {
	s, _ := begin(t, false)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	shipped := 0
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "testdata" {
			continue
		}
		shipped++
		if status, _ := invoke(t, s, "/"+e.Name(), event("x")); status != 200 {
			t.Errorf("%s: %d", e.Name(), status)
		}
	}
	if shipped == 0 {
		t.Error("no function is shipped")
	}
}
