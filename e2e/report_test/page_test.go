package report_test

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pgseal/pgseal/uploader/report"
	"github.com/pgseal/pgseal/uploader/report/reporttest"
)

// faults looks at the page as it is laid out, and tells what a reader would stumble over.
//
//go:embed faults.js
var faults string

func write(t *testing.T, name string, r report.Report) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := report.Write(f, r); err != nil {
		t.Fatal(err)
	}
	return file
}

// wellLaidOut fails for whatever is cut, overlaps, overflows, is asked for or complained about.
func (p *tab) wellLaidOut(l look) {
	p.t.Helper()
	for _, f := range ask[[]string](p, faults) {
		p.t.Errorf("%s: %s", l.name, f)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, url := range p.asked {
		if url != "file://"+p.file && url != "data:," {
			p.t.Errorf("it asks for %s", url)
		}
	}
	for _, line := range p.said {
		p.t.Errorf("the console says: %s", line)
	}
}

func TestEveryPageIsReadableEverywhere(t *testing.T) {
	for name, r := range reporttest.Samples() {
		t.Run(name, func(t *testing.T) {
			p := open(t, write(t, name, r), looks[0])
			for _, l := range looks {
				// A big page takes its time, and colours move nothing.
				if name == "thousand" && l.media != "" || l.scheme == "dark" && name != "all" && *shots == "" {
					continue
				}
				p.as(l)
				if *shots != "" {
					p.shoot(filepath.Join(*shots, name+" "+l.name+".png"))
				}
				p.wellLaidOut(l)
			}
		})
	}
}

func TestTheFaultsAreSeen(t *testing.T) {
	for name, tc := range map[string]struct{ spoil, says string }{
		"a line that does not break": {`document.querySelector("h1").style.cssText = "white-space:nowrap;width:2000px"`, "wider than the window"},
		"a text that is cut":         {`document.querySelector(".tiles b").style.cssText = "width:20px;overflow:hidden;white-space:nowrap"`, "is cut"},
		"labels on each other":       {`document.querySelectorAll(".narrow .label")[1].setAttribute("y", document.querySelector(".narrow .label").getAttribute("y"))`, "overlaps"},
		"small print":                {`document.querySelector(".narrow .label").style.fontSize = "5px"`, "too small"},
		"a script":                   {`document.body.append(document.createElement("script"))`, "script"},
		"a foreign picture":          {`document.body.append(Object.assign(document.createElement("img"), {src: "http://127.0.0.1:9/x"}))`, "img"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, write(t, "all", reporttest.Samples()["all"]), looks[0])
			ask[chromedp.Void](p, "{"+tc.spoil+"}")
			if found := ask[[]string](p, faults); !strings.Contains(strings.Join(found, "\n"), tc.says) {
				t.Errorf("%q", found)
			}
		})
	}
}

func TestNothingHostileRuns(t *testing.T) {
	p := open(t, write(t, "hostile", reporttest.Samples()["hostile"]), looks[2])
	title := ask[string](p, `document.title`)
	strangers := ask[int](p, `document.querySelectorAll("script,img,iframe,object,embed,form,input,base,[onerror],[onload],[style]").length`)
	tip := ask[string](p, `document.querySelector(".chart .mark.bad title").textContent`)
	if strings.Contains(title, "owned") || strangers > 0 || !strings.Contains(tip, "<script>") {
		t.Errorf("%q, %d, %q", title, strangers, tip)
	}
}

// The policy is the second line: what got through would not run, nor load.
func TestThePolicyHolds(t *testing.T) {
	file := write(t, "one", reporttest.Samples()["one"])
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := strings.Replace(string(body), "<main>", `<main><script>document.title='owned'</script><img src="http://127.0.0.1:9/x" onerror="document.title='owned'"><p style="color:red" id="styled">x</p>`, 1)
	if err := os.WriteFile(file, []byte(spoilt), 0o644); err != nil {
		t.Fatal(err)
	}
	p := open(t, file, looks[2])
	title := ask[string](p, `document.title`)
	color := ask[string](p, `getComputedStyle(document.getElementById("styled")).color`)
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Contains(title, "owned") || color == "rgb(255, 0, 0)" || len(p.said) < 3 {
		t.Errorf("%q %s %q", title, color, p.said)
	}
}
