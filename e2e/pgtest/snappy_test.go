package pgtest_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/pgseal/pgseal/e2e/pgtest"
)

func TestSnappyEnv(t *testing.T) {
	env := pgtest.SnappyEnv(t)
	run := func(script string, in []byte) []byte {
		t.Helper()
		cmd := pgtest.Command(context.Background(), "/usr/bin/python3", "-c", "import sys, snappy; "+script)
		cmd.Env = append(cmd.Env, env)
		cmd.Stdin = bytes.NewReader(in)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, errs.Bytes())
		}
		return out.Bytes()
	}
	want := []byte(strings.Repeat("a line that repeats itself\n", 10_000) + "an end")
	framed := run("sys.stdout.buffer.write(snappy.StreamCompressor().compress(sys.stdin.buffer.read()))", want)
	if !bytes.HasPrefix(framed, []byte("\xff\x06\x00\x00sNaPpY")) || len(framed) > len(want)/5 {
		t.Errorf("not the framing format, or not small: %d bytes, %q...", len(framed), framed[:min(len(framed), 16)])
	}
	if got := run("sys.stdout.buffer.write(snappy.StreamDecompressor().decompress(sys.stdin.buffer.read()))", framed); !bytes.Equal(got, want) {
		t.Errorf("%d bytes came back as %d", len(want), len(got))
	}
}
