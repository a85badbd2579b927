// Package report_test looks at the page of pgseal report in a real browser, Debian's Chromium: at the width of a
// telephone and of a screen, light and dark.
package report_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// shots keeps what was seen: go test ./report_test -shots DIR.
var shots = flag.String("shots", "", "a directory for screenshots")

// browser is one Chromium for all tests of the package.
var browser context.Context

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(withBrowser(m))
}

func withBrowser(m *testing.M) int {
	program, err := exec.LookPath("chromium")
	if err != nil {
		panic("there is no chromium: scripts/install-deps browser")
	}
	profile, err := os.MkdirTemp("", "pgseal-browser")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(profile)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(profile), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, end := chromedp.NewContext(allocator)
	defer end()
	if err := chromedp.Do(ctx); err != nil {
		panic(err)
	}
	browser = ctx
	return m.Run()
}

// look is one way to look at a page.
type look struct {
	name          string
	width, height int64
	scheme        string // light or dark
	media         string // print, or nothing
}

var looks = []look{
	{name: "telephone", width: 390, height: 844, scheme: "light"},
	{name: "telephone, dark", width: 390, height: 844, scheme: "dark"},
	{name: "screen", width: 1280, height: 800, scheme: "light"},
	{name: "screen, dark", width: 1280, height: 800, scheme: "dark"},
	{name: "tablet", width: 801, height: 1024, scheme: "light"},
	{name: "paper", width: 718, height: 1016, scheme: "light", media: "print"},
}

// tab is a page in the browser, and what it did besides being shown.
type tab struct {
	t   *testing.T
	ctx context.Context
	// file is what it shows.
	file string
	mu   sync.Mutex
	// asked are the addresses that it asked for, said what stands in the console.
	asked, said []string
}

// open shows a file.
func open(t *testing.T, file string, l look) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	p := &tab{t: t, ctx: ctx, file: file}
	p.must(chromedp.Listen(ctx, p.heard))
	call(p, network.Enable, network.EnableParams{})
	call(p, log.Enable, cdp.Empty{})
	call(p, runtime.Enable, cdp.Empty{})
	p.as(l)
	p.must(chromedp.Do(ctx, chromedp.Navigate("file://"+file)))
	return p
}

// as changes the window and what is preferred in it.
func (p *tab) as(l look) {
	p.t.Helper()
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 500})
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: l.media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}})
}

func (p *tab) heard(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.asked = append(p.asked, e.Request.URL)
	case *log.EventEntryAdded:
		p.said = append(p.said, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		p.said = append(p.said, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		p.said = append(p.said, string(e.Type))
	}
}

func (p *tab) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// call is a command of the DevTools protocol.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	answer, err := chromedp.Call(p.ctx, command, params)
	p.must(err)
	return answer
}

// ask evaluates JavaScript from outside of the page.
func ask[T any](p *tab, script string) T {
	p.t.Helper()
	answer, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script))
	p.must(err)
	return answer
}

// shoot takes a picture of the whole page.
func (p *tab) shoot(file string) {
	p.t.Helper()
	beyond := true
	picture := call(p, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &beyond})
	p.must(os.WriteFile(file, picture.Data, 0o644))
}
