package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	basebackup "github.com/pgseal/pgseal/uploader/backup"
)

// progressLine shows how far a backup or a restore is: on a terminal in one line that is
// written over, elsewhere in a line of the log from time to time.
type progressLine struct {
	mu    sync.Mutex
	out   io.Writer
	shown bool

	busy  func() bool
	text  func(took time.Duration) string
	now   func() time.Time
	end   chan struct{}
	ended chan struct{}
}

const (
	redraw   = 500 * time.Millisecond
	logEvery = time.Minute
)

// startProgressLine begins to show how far something is while it is busy, and returns a log that is written above the
// line.
func startProgressLine(env *Env, what, server string, busy func() bool, text func(took time.Duration) string) (*progressLine, *slog.Logger) {
	p := &progressLine{out: env.Stderr, busy: busy, text: text, now: env.Now, end: make(chan struct{}), ended: make(chan struct{})}
	show, every, log := func(text string) { env.Log.Info(what, "server", server, "progress", text) }, logEvery, env.Log
	if env.Terminal {
		show, every = p.draw, redraw
		log = slog.New(aboveLine{env.Log.Handler(), p})
	}
	if !env.Log.Enabled(context.Background(), slog.LevelInfo) {
		show = func(string) {}
	}
	go p.run(show, every)
	return p, log
}

func (p *progressLine) run(show func(string), every time.Duration) {
	defer close(p.ended)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var began time.Time
	for {
		select {
		case <-p.end:
			return
		case <-ticker.C:
		}
		if !p.busy() {
			p.clear()
			continue
		}
		if began.IsZero() {
			began = p.now()
		}
		show(p.text(p.now().Sub(began)))
	}
}

// progressText: what was read of what there is, how fast, and how long it may
// still take.
func progressText(p *basebackup.Progress, took time.Duration) string {
	read, total := p.Bytes.Load(), max(p.Total.Load(), p.Bytes.Load())
	text := fmt.Sprintf("%s of %s (%d%%), %s stored", sizeText(read), sizeText(total), 100*read/max(total, 1), sizeText(p.Stored.Load()))
	return text + rateText(read, total, took)
}

// rateText: how fast, and how long it may still take.
func rateText(done, total int64, took time.Duration) string {
	if took < time.Second || done == 0 {
		return ""
	}
	rate := float64(done) / took.Seconds()
	left := time.Duration(float64(total-done) / rate * float64(time.Second))
	return fmt.Sprintf(", %s/s, %s left", sizeText(int64(rate)), left.Round(time.Second))
}

// sizeText counts by 1024.
func sizeText(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), 0
	for f >= 1024 && unit < 5 {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", f, " KMGTP"[unit])
}

func (p *progressLine) draw(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "\r%s\x1b[K", text)
	p.shown = true
}

func (p *progressLine) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		io.WriteString(p.out, "\r\x1b[K")
		p.shown = false
	}
}

// stop ends the showing and leaves a clean line.
func (p *progressLine) stop() {
	close(p.end)
	<-p.ended
	p.clear()
}

// aboveLine takes the progress line away before a record is written.
type aboveLine struct {
	slog.Handler
	line *progressLine
}

func (h aboveLine) Handle(ctx context.Context, r slog.Record) error {
	h.line.clear()
	return h.Handler.Handle(ctx, r)
}

func (h aboveLine) WithAttrs(attrs []slog.Attr) slog.Handler {
	return aboveLine{h.Handler.WithAttrs(attrs), h.line}
}

func (h aboveLine) WithGroup(name string) slog.Handler {
	return aboveLine{h.Handler.WithGroup(name), h.line}
}
