package main

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func file(t *testing.T, name string) string {
	t.Helper()
	return string(must(os.ReadFile(name)))
}

// instruction is the argument of the only line of a Containerfile that begins with this word.
func instruction(t *testing.T, text, word string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^`+word+` (.+)$`).FindAllStringSubmatch(text, -1)
	if len(found) != 1 {
		t.Fatalf("%d lines %s", len(found), word)
	}
	return found[0][1]
}

func TestTheContainerIsTheProgramAndNothingElse(t *testing.T) {
	text := file(t, "Containerfile")
	if from := instruction(t, text, "FROM"); from != "scratch" {
		t.Errorf("from %s", from)
	}
	if regexp.MustCompile(`(?m)^(RUN|ADD|SHELL|CMD|ONBUILD) `).MatchString(text) {
		t.Error("there is no shell in it, and nothing to add")
	}
	copied := strings.Fields(instruction(t, text, "COPY"))
	source, target := copied[len(copied)-2], copied[len(copied)-1]
	for _, arch := range []string{"amd64", "arm64"} {
		path := strings.Replace(source, "${TARGETARCH}", arch, 1)
		if out, err := exec.CommandContext(t.Context(), "make", "-C", "../..", "-n", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "GOARCH="+arch) ||
			!strings.Contains(string(out), "CGO_ENABLED=0") || !strings.Contains(string(out), "./functions/webhook") {
			t.Errorf("the Makefile does not make %s: %v\n%s", path, err, out)
		}
	}
	if entry := instruction(t, text, "ENTRYPOINT"); entry != `["`+target+`"]` {
		t.Errorf("it starts %s, and has %s", entry, target)
	}
	if user := instruction(t, text, "USER"); !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("user %q: a number, as there is no /etc/passwd, and not root", user)
	}
	listen, ok := strings.CutPrefix(instruction(t, text, "ENV"), envListen+"=")
	_, port, err := net.SplitHostPort(listen)
	if _, own, _ := net.SplitHostPort(defaultListen); !ok || err != nil || port != own || instruction(t, text, "EXPOSE") != port+"/tcp" {
		t.Errorf("it listens on %q, exposes %s, and its own default is %s", listen, instruction(t, text, "EXPOSE"), defaultListen)
	}
}

func TestTheUnit(t *testing.T) {
	unit := file(t, "pgseal-webhook.service")
	for _, line := range []string{"DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "LoadCredential=token:/etc/pgseal/webhook.token",
		"Environment=" + envTokenFile + "=%d/token"} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	example := file(t, "webhook.env")
	env := map[string]string{}
	for line := range strings.Lines(example) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			env[name] = value
		}
	}
	if _, err := settingsFromEnv(func(name string) string { return env[name] }); err != nil || env["PGSEAL_VAULT_URL"] == "" || env["AWS_ENDPOINT_URL_S3"] == "" {
		t.Errorf("%v, %v", env, err)
	}
	for _, variable := range []string{envListen, envCert, envKey} {
		if !strings.Contains(example, "\n#"+variable+"=") {
			t.Errorf("webhook.env does not name %s", variable)
		}
	}
}

// systemd itself reads the unit, with a program in the place of ours, which is not installed here.
func TestSystemdTakesTheUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("there is no systemd here: its own look at the unit is left out")
		return
	}
	path := filepath.Join(t.TempDir(), "pgseal-webhook.service")
	unit := strings.Replace(file(t, "pgseal-webhook.service"), "ExecStart=/usr/bin/pgseal-webhook", "ExecStart="+must(os.Executable()), 1)
	if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", "--recursive-errors=no", path).CombinedOutput()
	if err != nil || strings.Contains(string(out), "pgseal-webhook.service:") {
		t.Errorf("%v\n%s", err, out)
	}
	// 0 is the best, and 10 a unit without any hardening.
	out, err = exec.CommandContext(t.Context(), analyze, "security", "--offline=yes", "--threshold=20", "--no-pager", path).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheExamplesAreJSON(t *testing.T) {
	files, err := filepath.Glob("versitygw/*.json")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		var document any
		if err := json.Unmarshal([]byte(file(t, name)), &document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every setting stands in the operator's page, and every metric.
func TestThePageHasEverySettingAndMetric(t *testing.T) {
	page := file(t, "../../docs/on-premises.md")
	words := []string{envListen, envToken, envTokenFile, envCert, envKey, envClientCA, envSweepEvery}
	for _, f := range families {
		words = append(words, f.name)
	}
	for _, word := range words {
		if !strings.Contains(page, "`"+word) {
			t.Errorf("docs/on-premises.md does not explain %s", word)
		}
	}
}
