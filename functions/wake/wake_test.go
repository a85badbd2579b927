package wake

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket"
	"github.com/pgseal/pgseal/core/bucket/filebucket"
	"github.com/pgseal/pgseal/core/finalizer"
)

func testFunction(staging string, fail map[string]error) (*Function, *[]string) {
	var called []string
	return &Function{
		finalize: func(_ context.Context, server, id string) (finalizer.Verdict, error) {
			called = append(called, server+" "+id)
			return finalizer.Verdict{State: finalizer.Sealed}, fail[server]
		},
		staging: staging, log: slog.New(slog.DiscardHandler),
	}, &called
}

const id = "20261123T010203"

func TestMarkersAndWhatTheyWake(t *testing.T) {
	const staging, marker = "s3://staging/a+b c", "a+b c/_pgseal/complete/main/" + id + ".json"
	azure := "http://127.0.0.1:10000/account/staging"
	tests := []struct {
		name, staging string
		created       []Object
		want          []string
		err           bool
	}{
		{"a marker", staging, []Object{{"s3://staging", marker}}, []string{"main " + id}, false},
		{"a marker where there is no prefix", "gs://staging", []Object{{"gs://staging", "_pgseal/complete/main/" + id + ".json"}}, []string{"main " + id}, false},
		{"a container below its account", azure + "/p", []Object{{azure, "p/_pgseal/complete/main/" + id + ".json"}}, []string{"main " + id}, false},
		{"another account", azure + "/p", []Object{{"http://127.0.0.1:10000/other/staging", "p/_pgseal/complete/main/" + id + ".json"}}, nil, true},
		{"the same marker twice", staging, []Object{{"s3://staging", marker}, {"s3://staging", marker}}, []string{"main " + id}, false},
		{"a stray object in the markers' place", staging, []Object{{"s3://staging", "a+b c/_pgseal/complete/main/x.json"}}, nil, false},
		{"a marker outside the prefix", staging, []Object{{"s3://staging", "_pgseal/complete/main/" + id + ".json"}}, nil, false},
		{"a marker that climbs", staging, []Object{{"s3://staging", "a+b c/_pgseal/complete/../" + id + ".json"}}, nil, false},
		{"another bucket", staging, []Object{{"s3://vault", marker}}, nil, true},
		{"a bucket whose name begins alike", staging, []Object{{"s3://stag", marker}}, nil, true},
		{"a bucket whose name goes on", "s3://stag", []Object{{"s3://staging", marker}}, nil, true},
		{"another bucket does not hold up the right one", staging, []Object{{"s3://vault", marker}, {"s3://staging", marker}}, []string{"main " + id}, true},
		{"nothing", staging, nil, nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, called := testFunction(test.staging, nil)
			results, err := f.Finalize(context.Background(), test.created)
			var eventErr *EventError
			if !slices.Equal(*called, test.want) || len(results) != len(test.want) || test.err != errors.As(err, &eventErr) || !test.err && err != nil {
				t.Errorf("woke %q, %v", *called, err)
			}
		})
	}
}

func TestOneBackupThatFailsDoesNotHoldUpTheOthers(t *testing.T) {
	failure := &finalizer.TransientError{Err: errors.New("503")}
	f, called := testFunction("s3://staging", map[string]error{"bad": failure, "worse": errors.New("later")})
	var created []Object
	for _, server := range []string{"bad", "good", "worse"} {
		created = append(created, Object{"s3://staging", "_pgseal/complete/" + server + "/" + id + ".json"})
	}
	results, err := f.Finalize(context.Background(), created)
	if err != failure || len(*called) != 3 || len(results) != 1 || results[0].Server != "good" {
		t.Errorf("%T %v, %q, %v", err, err, *called, results)
	}
}

func TestConfigurationIsCheckedAtTheStart(t *testing.T) {
	dir := t.TempDir()
	good := map[string]string{EnvVault: "file://" + dir + "/vault", EnvStaging: "file://" + dir + "/staging"}
	open := func(_ context.Context, url string) (bucket.Bucket, error) {
		return filebucket.Open(url)
	}
	for name, change := range map[string][2]string{
		EnvVault:                 {EnvVault, ""},
		EnvStaging:               {EnvStaging, "gs://x"},
		"are the same place":     {EnvStaging, good[EnvVault] + "/"},
		"one inside the other":   {EnvStaging, good[EnvVault] + "/staging"},
		"PGSEAL_MIN_RETENTION":   {"PGSEAL_MIN_RETENTION", "long"},
		"PGSEAL_WAL_CHECK":       {"PGSEAL_WAL_CHECK", "sometimes"},
		"PGSEAL_WAL_DEADLINE":    {"PGSEAL_WAL_DEADLINE", "0"},
		"PGSEAL_DEADLINE: \"1s2": {"PGSEAL_DEADLINE", "1s2"},
	} {
		_, err := Open(context.Background(), func(v string) string {
			if v == change[0] {
				return change[1]
			}
			return good[v]
		}, open, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f, err := Open(context.Background(), func(v string) string { return good[v] }, open, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "staging"), 0o755), os.Mkdir(filepath.Join(dir, "vault"), 0o755)); err != nil {
		t.Fatal(err)
	}
	if report, err := f.Sweep(context.Background()); err != nil || !report.Done {
		t.Error(report, err)
	}
	results, err := f.Finalize(context.Background(), []Object{{"file://" + dir, "staging/_pgseal/complete/main/" + id + ".json"}})
	if err != nil || len(results) != 1 || results[0].Verdict != finalizer.Nothing {
		t.Error(results, err)
	}
}

func TestASweepThatFailsIsInTheLog(t *testing.T) {
	var out strings.Builder
	failure := &finalizer.AccessError{Err: errors.New("403")}
	f := &Function{
		sweep: func(context.Context) (finalizer.SweepReport, error) { return finalizer.SweepReport{Failed: 1}, failure },
		log:   slog.New(slog.NewJSONHandler(&out, nil)),
	}
	report, err := f.Sweep(context.Background())
	if err != failure || report.Failed != 1 || !strings.Contains(out.String(), `"kind":"AccessError"`) {
		t.Errorf("%+v, %v\n%s", report, err, out.String())
	}
}

func TestAPanicIsAnErrorAndALineInTheLog(t *testing.T) {
	var out strings.Builder
	err := Guard(slog.New(slog.NewJSONHandler(&out, nil)), func() error { panic("as asked") })
	if err == nil || !strings.Contains(err.Error(), "as asked") || !strings.Contains(out.String(), "guard.go") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := Guard(nil, func() error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestTheCollectorKnowsWhatThePlatformGives(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, test := range []struct {
		given int64
		own   string
		want  int64
	}{{0, "", before}, {8 << 30, "6GiB", before}, {8 << 30, "", 6 << 30}} {
		LimitMemory(test.given, func(string) string { return test.own })
		if got := debug.SetMemoryLimit(-1); got != test.want {
			t.Errorf("%v: %d", test, got)
		}
	}
}

func TestTheLimitOfAControlGroup(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	missing := filepath.Join(dir, "missing")
	for _, test := range []struct {
		name  string
		files []string
		want  int64
	}{
		{"version 2", []string{file("a", "268435456\n"), missing}, 256 << 20},
		{"version 2 without a limit", []string{file("b", "max\n"), missing}, 0},
		{"version 1", []string{missing, file("c", "536870912\n")}, 512 << 20},
		{"version 1 without a limit", []string{missing, file("d", "9223372036854771712\n")}, 0},
		{"none", []string{missing, missing}, 0},
	} {
		if got := controlGroup(test.files...); got != test.want {
			t.Errorf("%s: %d", test.name, got)
		}
	}
}

func FuzzMarker(f *testing.F) {
	for _, key := range []string{"p/_pgseal/complete/main/" + id + ".json", "p/_pgseal/complete/../x.json", "p//_pgseal/complete/a\n/" + id + ".json", ""} {
		f.Add("s3://staging", key)
	}
	f.Fuzz(func(t *testing.T, place, key string) {
		fn, called := testFunction("s3://staging/p", nil)
		fn.Finalize(context.Background(), []Object{{place, key}})
		for _, c := range *called {
			if strings.ContainsAny(c, "/\n") || place+"/"+key != "s3://staging/p/_pgseal/complete/"+strings.Replace(c, " ", "/", 1)+".json" {
				t.Errorf("%q of %q woke %q", key, place, c)
			}
		}
	})
}
