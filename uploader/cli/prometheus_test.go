package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/core/bucket/filebucket"
)

func TestMetricsGoToAFile(t *testing.T) {
	dir := t.TempDir()
	vault, staging := "file://"+dir+"/vault", "file://"+dir+"/staging"
	if err := filebucket.Init(vault, filebucket.Lock{}); err != nil {
		t.Fatal(err)
	}
	if err := filebucket.InitStaging(staging); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pgseal.prom")
	for _, tc := range []struct {
		name, args string
		code       int
		says       string
	}{
		{"no staging", "--prometheus " + file, 3, "--prometheus needs --staging-url"},
		{"another ending", "--staging-url " + staging + " --prometheus " + dir + "/pgseal.txt", 3, "end in .prom"},
		{"two answers", "--staging-url " + staging + " --check --prometheus " + file, 3, "leave --check"},
		{"no such directory", "--staging-url " + staging + " --prometheus " + dir + "/none/pgseal.prom", 1, "write " + dir + "/none/pgseal.prom: "},
		{"well", "--staging-url " + staging + " --prometheus " + file, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := try(t, t.Context(), nil, strings.Fields("pgseal status "+vault+" main "+tc.args)...)
			if code != tc.code || stdout != "" || !strings.Contains(stderr, tc.says) {
				t.Errorf("%d %s%s", code, stdout, stderr)
			}
			if text, _ := os.ReadFile(file); strings.Contains(string(text), "\npgseal_check{") != (tc.code == 0) {
				t.Errorf("%s", text)
			}
		})
	}
}
