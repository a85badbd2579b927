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

// progressLine shows how far a backup is: on a terminal in one line that is
// written over, elsewhere in a line of the log from time to time.
type progressLine struct {
	mu    sync.Mutex
	out   io.Writer
	shown bool

	progress *basebackup.Progress
	now      func() time.Time
	end      chan struct{}
	ended    chan struct{}
}

const (
	redraw   = 500 * time.Millisecond
	logEvery = time.Minute
)

// startProgressLine begins to show c's progress, and has c's log written above
// the line.
func startProgressLine(env *Env, c *basebackup.Config) *progressLine {
	p := &progressLine{out: env.Stderr, progress: c.Progress, now: env.Now, end: make(chan struct{}), ended: make(chan struct{})}
	show, every := func(text string) { env.Log.Info("copying", "server", c.Server, "progress", text) }, logEvery
	if env.Terminal {
		show, every = p.draw, redraw
		c.Log = slog.New(aboveLine{env.Log.Handler(), p})
	}
	if !env.Log.Enabled(context.Background(), slog.LevelInfo) {
		show = func(string) {}
	}
	go p.run(show, every)
	return p
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
		if !p.progress.Copying.Load() {
			p.clear()
			continue
		}
		if began.IsZero() {
			began = p.now()
		}
		show(progressText(p.progress, p.now().Sub(began)))
	}
}

// progressText: what was read of what there is, how fast, and how long it may
// still take.
func progressText(p *basebackup.Progress, took time.Duration) string {
	read, total := p.Bytes.Load(), max(p.Total.Load(), p.Bytes.Load())
	text := fmt.Sprintf("%s of %s (%d%%), %s stored", sizeText(read), sizeText(total), 100*read/max(total, 1), sizeText(p.Stored.Load()))
	if took >= time.Second && read > 0 {
		rate := float64(read) / took.Seconds()
		left := time.Duration(float64(total-read) / rate * float64(time.Second))
		text += fmt.Sprintf(", %s/s, %s left", sizeText(int64(rate)), left.Round(time.Second))
	}
	return text
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
