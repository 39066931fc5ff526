//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/extwatch/extwatch/agent/dashboard"
	"github.com/extwatch/extwatch/signatures"
)

const (
	axeFile = "node_modules/axe-core/axe.min.js"
	// imagesFolder is where screenshots go when imagesWanted is set: they change with the fonts of the machine.
	imagesFolder, imagesWanted = "../docs/images", "EXTWATCH_IMAGES"
)

// fetchAxe gets the checker for accessibility and the foreign feed client, once.
func fetchAxe() error {
	_, axe := os.Stat(axeFile)
	_, tuf := os.Stat(tufModule)
	if err := errors.Join(axe, tuf); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := exec.Command("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund").CombinedOutput()
	if err != nil {
		return fmt.Errorf("npm install in e2e: %w\n%s", err, out)
	}
	return nil
}

// A tab is a page of a browser, with what its console said and which addresses it asked.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu      sync.Mutex
	said    []string
	foreign []string
	host    string
}

func openTab(t *testing.T, host string) *tab {
	t.Helper()
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(chromiumBinary), chromedp.NoSandbox,
		chromedp.Flag("disable-gpu", true), chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	b := &tab{t: t, host: host}
	b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.do(chromedp.Navigate("about:blank"))
	if _, err := chromedp.Call(b.ctx, cdplog.Enable, struct{}{}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) listen(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		b.said = append(b.said, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, e.ExceptionDetails.Text)
	case *cdplog.EventEntryAdded: // violations of the policy are here
		b.said = append(b.said, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; strings.Contains(u, "://") && !strings.HasPrefix(u, "http://"+b.host+"/") {
			b.foreign = append(b.foreign, u)
		}
	}
}

// do takes the steps in turn. A page that a click before still brings may end the way to the next one: then that way is
// gone again.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, step := range steps {
		err := chromedp.Do(b.ctx, step)
		for try := 0; err != nil && strings.Contains(err.Error(), "net::ERR_ABORTED") && try < 3; try++ {
			time.Sleep(200 * time.Millisecond)
			err = chromedp.Do(b.ctx, step)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

func eval[T any](b *tab, js string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.80s: %v", js, err)
	}
	return v
}

func (b *tab) dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		b.t.Fatal(err)
	}
}

// quiet fails on what the console said or the page asked of strangers since the last call.
func (b *tab) quiet(where string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range append(b.said, b.foreign...) {
		b.t.Errorf("%s: %s", where, s)
	}
	b.said, b.foreign = nil, nil
}

// accessible fails on what axe calls serious or critical.
func (b *tab) accessible(where, axe, only string) {
	b.t.Helper()
	eval[bool](b, axe+";true")
	found := eval[string](b, `axe.run(document, {`+only+`resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) =>
		({impact: v.impact, id: v.id, nodes: v.nodes.map((n) => n.html.slice(0, 160) + " " + n.failureSummary).slice(0, 3)}))))`)
	var violations []struct {
		Impact, ID string
		Nodes      []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			b.t.Errorf("%s: %s (%s): %s", where, v.ID, v.Impact, strings.Join(v.Nodes, "\n  "))
		} else {
			b.t.Logf("%s: %s (%s)", where, v.ID, v.Impact)
		}
	}
}

func (b *tab) image(name string) {
	b.t.Helper()
	if os.Getenv(imagesWanted) == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(imagesFolder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(imagesFolder, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// tall takes a picture of the whole page for whoever works on it, when its folder is set.
func (b *tab) tall(name string) {
	b.t.Helper()
	folder := os.Getenv("EXTWATCH_TALL_IMAGES")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// Every view in a real browser: nothing in the console, nothing asked of strangers, nothing serious for who cannot see
// well, and no sideways scrolling on a phone.
func TestDashboard(t *testing.T) {
	axe, err := os.ReadFile(axeFile)
	if err != nil {
		t.Fatal(err)
	}
	desk := newDesk(t)
	host := serve(t, desk.page)
	b := openTab(t, host)
	b.do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate("http://"+host+desk.page.Enter("ada", false, "/")))
	if got := eval[string](b, "location.pathname"); got != "/" {
		t.Fatalf("after entering at %s", got)
	}
	views := map[string]string{
		"now": "/", "extensions": "/extensions", "extension": fmt.Sprintf("/extensions/%d", desk.thief), "exchanges": "/exchanges",
		"todo": "/exchanges/binance", "timeline": "/timeline", "health": "/health", "missing": "/nothing",
	}
	for name, path := range views {
		b.sub(t, name, func() { b.view(name, "http://"+host+path, string(axe)) })
	}
	b.sub(t, "states", func() { desk.states(b, "http://"+host, fmt.Sprintf("/extensions/%d", desk.thief)) })
	desk.click(b, "http://"+host)
	b.sub(t, "ticks and live changes", func() { desk.tickAndWatch(b, host) })
	b.sub(t, "decide and leave", func() { desk.decideAndLeave(b, host) })
	b.sub(t, "strange names", func() { desk.strange(b, "http://"+host, string(axe)) })
}

// serve serves a page until the test ends, and returns its address.
func serve(t *testing.T, page *dashboard.Page) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l, err := dashboard.Listen(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- page.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().(*net.TCPAddr).String()
}

// sub runs a part of the test under its own name.
func (b *tab) sub(t *testing.T, name string, f func()) {
	t.Run(name, func(t *testing.T) {
		was := b.t
		defer func() { b.t = was }()
		b.t = t
		f()
	})
}

// view looks at one view: on a desktop, on a phone and in the dark.
func (b *tab) view(name, address, axe string) {
	b.t.Helper()
	b.forget()
	b.do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(address))
	b.image("dashboard-" + name)
	if name != "missing" { // the console tells of the 404
		b.quiet(name)
	}
	if name == "extension" {
		eval[bool](b, "document.querySelector('.flow').scrollIntoView({block: 'center'}); true")
		b.image("dashboard-flow")
	}
	b.do(chromedp.EmulateViewport(360, 740))
	if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > 360 {
		b.t.Errorf("%s: is %d wide on a phone", name, wide)
	}
	b.image("dashboard-" + name + "-phone")
	b.tall(name + "-phone")
	b.accessible(name+" on a phone", axe, "")
	b.dark(true)
	b.do(chromedp.EmulateViewport(1280, 860))
	b.accessible(name+" in the dark", axe, `runOnly: ["color-contrast"], `)
	b.image("dashboard-" + name + "-dark")
	b.tall(name + "-dark")
	b.dark(false)
}

// forget forgets what the console said: axe and a view that is missing leave traces.
func (b *tab) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = nil
}

// tickAndWatch ticks a step, which is there after a reload, and sees the first view change by itself.
func (d *desk) tickAndWatch(b *tab, host string) {
	b.t.Helper()
	b.forget()
	b.do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate("http://"+host+"/exchanges/binance"))
	b.do(chromedp.Click(".ticks input"), chromedp.WaitVisible(".ticks .done"))
	b.do(chromedp.Navigate("http://" + host + "/exchanges/binance"))
	b.do(chromedp.WaitVisible(".ticks .done"))
	b.do(chromedp.Navigate("http://" + host + "/"))
	before := eval[string](b, "document.querySelector('h1').textContent")
	time.Sleep(time.Second) // it listens to changes once it is loaded
	d.record(b.t, "ada", "Quick Gas", "1.0", signatures.Suspicious)
	waitFor(b.t, "the view to change by itself", 10*time.Second, func() bool {
		return eval[string](b, "document.querySelector('h1').textContent") != before
	})
	b.quiet("ticks and live changes")
}

// decideAndLeave trusts an extension by the form, and signs out.
func (d *desk) decideAndLeave(b *tab, host string) {
	b.t.Helper()
	b.do(chromedp.Navigate(fmt.Sprintf("http://%s/extensions/%d", host, d.thief)),
		chromedp.SendKeys("#r-trust", "I made it"), chromedp.SetAttributeValue("#d-trust option[value='365']", "selected", ""),
		chromedp.Click("form[action$='/trust'] button"), chromedp.WaitVisible(".note.good"))
	if got := <-d.orders; got.what != "trust" || got.Reason != "I made it" || got.By != "ada" ||
		time.Until(got.Until).Round(24*time.Hour) != 365*24*time.Hour {
		b.t.Errorf("order: %+v", got)
	}
	b.do(chromedp.Click(".leave button"), chromedp.WaitVisible(".hero")) // the page that says so
	b.do(chromedp.Navigate("http://" + host + "/"))
	if text := eval[string](b, "document.body.textContent"); !strings.Contains(text, "Open the page again") {
		b.t.Errorf("after leaving: %s", text)
	}
}
