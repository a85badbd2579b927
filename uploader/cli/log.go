package cli

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// lineHandler writes a record as a line: "2026-11-23 05:00:00 INFO archived key=...". On a terminal the time is left out.
type lineHandler struct {
	out    *output
	level  slog.Leveler
	bare   bool
	attrs  string // of WithAttrs, written out
	prefix string // of WithGroup
}

// output is shared by a handler and those derived from it.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

func (h *lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if !h.bare && !r.Time.IsZero() {
		b.WriteString(r.Time.Format("2006-01-02 15:04:05 "))
	}
	b.WriteString(r.Level.String() + " " + oneLine(r.Message) + h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.prefix, a)
		return true
	})
	b.WriteByte('\n')
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err := io.WriteString(h.out.w, b.String())
	return err
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		writeAttr(&b, h.prefix, a)
	}
	derived := *h
	derived.attrs += b.String()
	return &derived
}

func (h *lineHandler) WithGroup(name string) slog.Handler {
	derived := *h
	if name != "" {
		derived.prefix += name + "."
	}
	return &derived
}

func writeAttr(b *strings.Builder, prefix string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range value.Group() {
			writeAttr(b, prefix, member)
		}
		return
	}
	if a.Key == "" {
		return
	}
	text := value.String()
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r == ' ' || r == '"' || r == utf8.RuneError || !unicode.IsPrint(r) }) {
		text = strconv.Quote(text)
	}
	b.WriteString(" " + prefix + a.Key + "=" + text)
}
