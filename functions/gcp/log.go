package gcp

import (
	"io"
	"log/slog"
)

// logHandler writes JSON with the field names that Cloud Logging reads
// ("Structured logging", November 2026): severity, message and time.
func logHandler(w io.Writer) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) > 0 {
			return a
		}
		switch a.Key {
		case slog.MessageKey:
			a.Key = "message"
		case slog.LevelKey:
			level, ok := a.Value.Any().(slog.Level)
			if !ok {
				return a
			}
			text := level.String()
			if level == slog.LevelWarn {
				text = "WARNING"
			}
			return slog.String("severity", text)
		}
		return a
	}})
}
