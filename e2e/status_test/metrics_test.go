package status_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/pgseal/pgseal/e2e/pgtest"
	"github.com/pgseal/pgseal/uploader/catalog"
)

// metrics has Prometheus' own parser, which node_exporter uses, read what status writes after a backup was sealed, and
// its linter judge the names.
func (p places) metrics(t *testing.T, env []string, sealed catalog.Backup) {
	dir := pgtest.Dir(t)
	file := filepath.Join(dir, "pgseal.prom")
	if err := os.WriteFile(file, []byte("of yesterday\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, p.pgseal(t, env, "status", "--prometheus", filepath.Join(dir, "pgseal.txt"))).want(t, 3, "end in .prom")
	if o := run(t, p.pgseal(t, env, "status", "--prometheus", file)).want(t, 0); o.stdout != "" {
		t.Errorf("it printed %q", o.stdout)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o644 {
		t.Errorf("the exporter cannot read it: %v %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".pgseal.prom*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %q %v", left, err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	value := func(name string, labels ...string) float64 {
		t.Helper()
		for _, m := range families[name].GetMetric() {
			if has(m, append(labels, "server", server, "vault", p.vault)) {
				return m.GetGauge().GetValue()
			}
		}
		t.Errorf("%s %q is not in\n%s", name, labels, text)
		return 0
	}
	ended := *sealed.End
	if sealed.SealedAt != nil && sealed.SealedAt.Before(ended) { // in the same second: the store's times have no fraction
		ended = *sealed.SealedAt
	}
	for name, want := range map[string]float64{
		"pgseal_newest_seal_timestamp_seconds":              float64(ended.UnixMilli()) / 1000,
		"pgseal_newest_seal_bytes":                          float64(sealed.Bytes),
		"pgseal_newest_seal_locked_until_timestamp_seconds": float64(sealed.LockedUntil.UnixMilli()) / 1000,
		"pgseal_check": 0,
	} {
		if got := value(name); got != want {
			t.Errorf("%s is %f, want %f", name, got, want)
		}
	}
	if value("pgseal_backups", "state", "sealed") != 1 || value("pgseal_backups", "state", "rejected") != 0 || value("pgseal_findings", "finding", "tampered") != 0 ||
		value("pgseal_newest_wal_timestamp_seconds") == 0 || value("pgseal_window_end_timestamp_seconds") == 0 {
		t.Errorf("%s", text)
	}
}

// has tells whether a sample has these labels, names and values in turn.
func has(m *dto.Metric, labels []string) bool {
	for i := 0; i < len(labels); i += 2 {
		found := false
		for _, l := range m.GetLabel() {
			found = found || l.GetName() == labels[i] && l.GetValue() == labels[i+1]
		}
		if !found {
			return false
		}
	}
	return true
}
