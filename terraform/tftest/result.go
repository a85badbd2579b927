package tftest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// Result is what `terraform test` said of one run block.
type Result struct {
	File, Run string
	Status    string // pass, fail, error, skip
	Problems  []string
	// Outputs are the root module's outputs as far as a plan knows them, or as an apply made them.
	Outputs map[string]json.RawMessage
}

// Name is the run's name for people: "policies.tftest.hcl: default".
func (r Result) Name() string { return r.File + ": " + r.Run }

// message is one line of `terraform test -json -verbose`.
type message struct {
	Type       string `json:"type"`
	File       string `json:"@testfile"`
	Run        string `json:"@testrun"`
	Level      string `json:"@level"`
	Message    string `json:"@message"`
	Diagnostic *struct {
		Severity string `json:"severity"`
		Summary  string `json:"summary"`
		Detail   string `json:"detail"`
		Range    *struct {
			Filename string `json:"filename"`
			Start    struct {
				Line int `json:"line"`
			} `json:"start"`
		} `json:"range"`
	} `json:"diagnostic"`
	TestRun *struct {
		Progress string `json:"progress"`
		Status   string `json:"status"`
	} `json:"test_run"`
	Plan *struct {
		Changes map[string]struct {
			After json.RawMessage `json:"after"`
		} `json:"output_changes"`
	} `json:"test_plan"`
	State *struct {
		Values struct {
			Outputs map[string]struct {
				Value json.RawMessage `json:"value"`
			} `json:"outputs"`
		} `json:"values"`
	} `json:"test_state"`
}

// Test runs the module's own tests, or those of its files that are named ("tests/policies.tftest.hcl"), and returns what
// became of each run, in order. Problems that belong to no run come as a result without a run's name.
func (m *Module) Test(t testing.TB, files ...string) []Result {
	t.Helper()
	m.Init(t)
	args := []string{"test", "-json", "-verbose", "-no-color"}
	for _, file := range files {
		args = append(args, "-filter="+file)
	}
	cmd := m.Command(t, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	results, said := parse(stdout)
	err = cmd.Wait()
	failed := false
	for _, r := range results {
		failed = failed || r.Status != "pass"
	}
	if err != nil && !failed || len(results) == 0 {
		t.Fatalf("terraform %s in %s: %v\n%s%s", strings.Join(args, " "), m.Name, err, said, stderr.String())
	}
	return results
}

// parse reads the messages of `terraform test -json -verbose`, one by one: every plan among them brings the schemas of its
// providers along, some 20 MB for AWS. said is what they say to people.
func parse(output io.Reader) (results []Result, said string) {
	var text strings.Builder
	find := func(file, run string) *Result {
		for i := range results {
			if results[i].File == file && results[i].Run == run {
				return &results[i]
			}
		}
		results = append(results, Result{File: file, Run: run, Status: "error", Outputs: map[string]json.RawMessage{}})
		return &results[len(results)-1]
	}
	lines := bufio.NewReaderSize(output, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return results, text.String()
		}
		var m message
		if json.Unmarshal(line, &m) != nil {
			continue
		}
		fmt.Fprintln(&text, m.Message)
		switch {
		case m.TestRun != nil && m.TestRun.Status != "" && m.TestRun.Status != "pending":
			find(m.File, m.Run).Status = m.TestRun.Status
		case m.Plan != nil:
			for name, change := range m.Plan.Changes {
				find(m.File, m.Run).Outputs[name] = change.After
			}
		case m.State != nil:
			for name, output := range m.State.Values.Outputs {
				find(m.File, m.Run).Outputs[name] = output.Value
			}
		case m.Diagnostic != nil && m.Diagnostic.Severity == "error":
			text := m.Diagnostic.Summary + ": " + m.Diagnostic.Detail
			if r := m.Diagnostic.Range; r != nil {
				text = fmt.Sprintf("%s:%d: %s", r.Filename, r.Start.Line, text)
			}
			r := find(m.File, m.Run)
			r.Problems = append(r.Problems, text)
		}
	}
}
