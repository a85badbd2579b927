package proof_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/membucket"
	"github.com/pgseal/pgseal/core/layout"
	"github.com/pgseal/pgseal/core/proof"
)

const (
	server = "main"
	id     = "20261123T020000"
)

func good() proof.Proof {
	at := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	return proof.Proof{
		Format: 1, Server: server, BackupID: id, Outcome: proof.Passed, ManifestSHA256: strings.Repeat("a", 64), Archives: 2, Bytes: 100, Restored: 200,
		PostgreSQL: "15.18", RecoveredTo: 0x3000100, Databases: 3,
		Steps:  []proof.Step{{Name: proof.Restore, Outcome: proof.Passed, Took: 1200}, {Name: proof.Verify, Outcome: proof.Skipped, Text: "no backup_manifest"}, {Name: proof.Recover, Outcome: proof.Passed}},
		Result: &proof.Result{Database: "shop", Query: "SELECT 1", Rows: 1, SHA256: strings.Repeat("b", 64)},
		Notes:  []string{"look"}, Host: "drill-1", Begin: at, End: at.Add(time.Minute), Build: "1.0",
	}
}

func staging() bucket.Bucket {
	return membucket.New(membucket.Options{Personality: membucket.S3, URL: "s3://staging", Now: time.Now}).Bucket()
}

// write keeps a proof as a drill does.
func write(t *testing.T, b bucket.Bucket, p proof.Proof) error {
	body, err := p.Encode()
	if err == nil {
		_, err = b.Put(t.Context(), layout.Drill(p.Server, p.BackupID), body)
	}
	return err
}

func TestTheLastDrillCounts(t *testing.T) {
	b := staging()
	if _, _, err := proof.Read(t.Context(), b, server, id); !errors.Is(err, bucket.ErrNotFound) {
		t.Fatal(err)
	}
	first, second := good(), good()
	second.Outcome, second.Steps[2].Outcome, second.Steps[2].Text = proof.Failed, proof.Failed, "a page is wrong"
	for _, p := range []proof.Proof{first, second} {
		if err := write(t, b, p); err != nil {
			t.Fatal(err)
		}
	}
	got, obj, err := proof.Read(t.Context(), b, server, id)
	if err != nil || !reflect.DeepEqual(got, second) || obj.Created.IsZero() {
		t.Fatalf("%+v %v", got, err)
	}
	if f := got.Failure(); f == nil || f.Text != "a page is wrong" {
		t.Errorf("%+v", f)
	}
}

func TestWhatIsWrittenCanBeRead(t *testing.T) {
	b := staging()
	p := good()
	p.Notes = make([]string, 1000)
	for i := range p.Notes {
		p.Notes[i] = strings.Repeat("é\xff", 10_000)
	}
	p.Steps[0].Text, p.Result.Query = strings.Repeat("\x1b", 1<<20), strings.Repeat("日", 1<<20)
	if err := write(t, b, p); err != nil {
		t.Fatal(err)
	}
	if _, _, err := proof.Read(t.Context(), b, server, id); err != nil {
		t.Fatal(err)
	}
	p.Outcome = proof.Failed
	if err := write(t, b, p); !errors.Is(err, proof.ErrFormat) {
		t.Errorf("a proof that contradicts itself is kept: %v", err)
	}
}

func TestWhatIsNoProof(t *testing.T) {
	for name, change := range map[string]func(p *proof.Proof){
		"another format":         func(p *proof.Proof) { p.Format = 2 },
		"another server":         func(p *proof.Proof) { p.Server = "other" },
		"another backup":         func(p *proof.Proof) { p.BackupID = "20261124T020000" },
		"no outcome":             func(p *proof.Proof) { p.Outcome = "" },
		"an unknown outcome":     func(p *proof.Proof) { p.Outcome = "splendid" },
		"skipped":                func(p *proof.Proof) { p.Outcome = proof.Skipped },
		"failed without a step":  func(p *proof.Proof) { p.Outcome = proof.Failed },
		"passed with a failure":  func(p *proof.Proof) { p.Steps[2].Outcome = proof.Failed },
		"work after the failure": func(p *proof.Proof) { p.Outcome, p.Steps[0].Outcome = proof.Failed, proof.Failed },
		"no steps":               func(p *proof.Proof) { p.Steps = nil },
		"a flood of steps":       func(p *proof.Proof) { p.Steps = append(p.Steps, make([]proof.Step, 20)...) },
		"a step without a name":  func(p *proof.Proof) { p.Steps[0].Name = "" },
		"a step of no outcome":   func(p *proof.Proof) { p.Steps[0].Outcome = "?" },
		"a flood of notes":       func(p *proof.Proof) { p.Notes = make([]string, 21) },
		"no times":               func(p *proof.Proof) { p.Begin, p.End = time.Time{}, time.Time{} },
		"times in disorder":      func(p *proof.Proof) { p.End = p.Begin.Add(-time.Second) },
		"negative bytes":         func(p *proof.Proof) { p.Bytes = -1 },
		"negative rows":          func(p *proof.Proof) { p.Result.Rows = -1 },
		"a long text":            func(p *proof.Proof) { p.Host = strings.Repeat("x", proof.MaxText+1) },
		"recovered to nowhere":   func(p *proof.Proof) { p.RecoveredTo = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			p := good()
			change(&p)
			body, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := proof.Parse(body, server, id); !errors.Is(err, proof.ErrFormat) {
				t.Errorf("it is taken for one: %v", err)
			}
		})
	}
	b := staging()
	if _, err := b.Put(t.Context(), layout.Drill(server, id), make([]byte, proof.MaxBytes+1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := proof.Read(t.Context(), b, server, id); !errors.Is(err, bucket.ErrTooLarge) {
		t.Errorf("an endless one is read: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	p := good()
	body, err := json.Marshal(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"format":1,"server":"main","backup_id":"20261123T020000","outcome":"failed","steps":[{"name":"x","outcome":"failed"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := proof.Parse(body, server, id)
		if err != nil {
			if !errors.Is(err, proof.ErrFormat) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if p.Outcome == proof.Failed && p.Failure() == nil || len(p.Steps) > 16 {
			t.Errorf("%+v", p)
		}
		// What was read can be written, and is read as the same.
		b := staging()
		if err := write(t, b, p); err != nil {
			t.Fatal(err)
		}
		if _, _, err := proof.Read(t.Context(), b, server, id); err != nil {
			t.Error(err)
		}
	})
}
