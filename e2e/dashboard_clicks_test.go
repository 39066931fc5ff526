//go:build linux

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/extwatch/extwatch/agent/dashboard"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

// click does what a person does with the page, beyond looking: it goes from card to card, filters, reads the matrix, uses
// the keyboard alone, and decides.
func (d *desk) click(b *tab, base string) {
	b.sub(b.t, "cards and filter", func() { d.cardsAndFilter(b, base) })
	b.sub(b.t, "matrix", func() { d.matrix(b, base) })
	b.sub(b.t, "keyboard only", func() { d.keyboard(b, base) })
	b.sub(b.t, "without JavaScript", func() { d.withoutScript(b, base) })
	b.sub(b.t, "snooze, block, unblock", func() { d.decisions(b, base) })
}

// says fails unless an element holds a text.
func (b *tab) says(element, want string) {
	b.t.Helper()
	if got := eval[string](b, fmt.Sprintf("(document.querySelector(%q) || {textContent: 'nothing'}).textContent", element)); !strings.Contains(got, want) {
		b.t.Errorf("%s says %q, not %q", element, strings.TrimSpace(got), want)
	}
}

func (b *tab) at(want string) {
	b.t.Helper()
	waitFor(b.t, "the page "+want, 10*time.Second, func() bool { return eval[string](b, "location.pathname + location.search + location.hash") == want })
}

// cardsAndFilter follows the worst card to its steps, and finds the same extension in the list.
func (d *desk) cardsAndFilter(b *tab, base string) {
	one := fmt.Sprintf("/extensions/%d", d.thief)
	b.do(chromedp.Navigate(base+"/"), chromedp.Click(".card.malicious .actions a.main"))
	b.at(one + "#todo")
	b.says("#todo", "Freeze the account")
	b.do(chromedp.NavigateBack(), chromedp.WaitVisible(".cards"), chromedp.Click(".card.malicious .actions a:last-child"))
	b.at(one)
	b.says("h1", "Aggr Helper")
	b.do(chromedp.Navigate(base+"/extensions"), chromedp.SendKeys("#f-q", "aggr"), chromedp.Click(".filter button"),
		chromedp.WaitVisible(`#f-q[value="aggr"]`), chromedp.WaitVisible("table.list"))
	if n := eval[int](b, "document.querySelectorAll('table.list tbody tr').length"); n != 1 {
		b.t.Errorf("%d extensions are called aggr", n)
	}
	b.do(chromedp.Navigate(base + "/extensions?verdict=capable&browser=chrome"))
	if n := eval[int](b, "document.querySelectorAll('table.list .badge.capable').length"); n != 3 {
		b.t.Errorf("%d extensions are capable", n)
	}
	b.do(chromedp.Navigate(base + "/extensions?q=nobody"))
	b.says(".panel", "No extension fits")
	b.do(chromedp.Click(".filter a"))
	b.at("/extensions")
}

// matrix reads who can touch what, as a screen reader would, and goes on to an exchange.
func (d *desk) matrix(b *tab, base string) {
	b.do(chromedp.Navigate(base + "/exchanges"))
	cell := func(name, exchange string) string {
		return eval[string](b, fmt.Sprintf(`(() => {
			const at = [...document.querySelectorAll(".matrix thead th")].findIndex((h) => h.textContent.trim() === %q);
			const row = [...document.querySelectorAll(".matrix tbody tr")].find((r) => r.cells[0].textContent.includes(%q));
			return row.cells[at].textContent.trim(); })()`, exchange, name))
	}
	for _, test := range []struct{ name, exchange, want string }{
		{"Aggr Helper", "Binance", "act with your login"}, {"Aggr Helper", "Kraken", "nothing"},
		{"Portfolio Sync", "Kraken", "sees what is shown"}, {"Wallet Restore", "MEXC", "change what you see"},
	} {
		if got := cell(test.name, test.exchange); !strings.Contains(got, test.want) {
			b.t.Errorf("%s at %s: %q, not %q", test.name, test.exchange, got, test.want)
		}
	}
	b.do(chromedp.Click(".matrix thead a[href='/exchanges/okx']"), chromedp.WaitVisible(".ticks"))
	b.says("h1", "OKX")
	b.says(".note.bad", "Aggr Helper")
}

// keyboard goes the way from the first view to a ticked step without a mouse.
func (d *desk) keyboard(b *tab, base string) {
	press := func(key string, times int) {
		for range times {
			b.do(chromedp.KeyEvent(key))
		}
	}
	b.do(chromedp.Navigate(base + "/"))
	press(kb.Tab, 1)
	if got := eval[string](b, "document.activeElement.className"); got != "skip" {
		b.t.Errorf("the first stop of the keyboard is %q", got)
	}
	press(kb.Enter, 1)
	press(kb.Tab, 2) // the name of the first extension, then what to do about it
	if got := eval[string](b, "document.activeElement.textContent"); !strings.Contains(got, "What to do now") {
		b.t.Errorf("the third stop is %q", got)
	}
	press(kb.Enter, 1)
	b.at(fmt.Sprintf("/extensions/%d#todo", d.thief))
	b.do(chromedp.Navigate(base + "/exchanges/okx"))
	id := eval[string](b, "document.querySelector('.ticks input').id")
	eval[bool](b, "document.querySelector('.back a').focus(); true")
	for range 6 {
		press(kb.Tab, 1)
		if eval[string](b, "document.activeElement.id") == id {
			break
		}
	}
	press(" ", 1)
	b.do(chromedp.WaitVisible(".ticks .done"))
	waitFor(b.t, "the focus to stay where it was", 5*time.Second, func() bool { return eval[string](b, "document.activeElement.id") == id })
	if outline := eval[string](b, "getComputedStyle(document.activeElement).outlineStyle"); outline == "none" {
		b.t.Error("nobody sees where the keyboard is")
	}
}

// withoutScript ticks a step, which is there afterwards, and filters, with all scripts switched off.
func (d *desk) withoutScript(b *tab, base string) {
	script := func(off bool) {
		if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off}); err != nil {
			b.t.Fatal(err)
		}
	}
	script(true)
	b.do(chromedp.Navigate(base+"/exchanges/bybit"), chromedp.Click(".ticks input"), chromedp.Click(".todo button.main"), chromedp.WaitVisible(".ticks .done"))
	b.do(chromedp.Navigate(base+"/exchanges/bybit"), chromedp.WaitVisible(".ticks .done"))
	b.do(chromedp.Navigate(base+"/extensions"), chromedp.SendKeys("#f-q", "ticker"), chromedp.Click(".filter button"),
		chromedp.WaitVisible(`#f-q[value="ticker"]`), chromedp.WaitVisible(".badge.clean"))
	script(false)
	b.do(chromedp.Navigate(base + "/exchanges/bybit"))
	if n := eval[int](b, "document.querySelectorAll('.ticks .done').length"); n != 1 {
		b.t.Errorf("%d steps are ticked", n)
	}
}

// decisions puts the other extension off, blocks it and takes that back.
func (d *desk) decisions(b *tab, base string) {
	one := fmt.Sprintf("%s/extensions/%d", base, d.restore)
	b.do(chromedp.Navigate(one), chromedp.Click("form[action$='/block'] button"))
	if got := eval[string](b, "location.search"); got != "" {
		b.t.Errorf("blocked without a reason: %s", got)
	}
	b.do(chromedp.SetAttributeValue("#d-snooze option[value='7']", "selected", ""), chromedp.Click("form[action$='/snooze'] button"), chromedp.WaitVisible(".note.good"))
	if got := <-d.orders; got.what != "snooze" || time.Until(got.Until).Round(24*time.Hour) != 7*24*time.Hour {
		b.t.Errorf("order: %s until %v", got.what, got.Until)
	}
	b.says(".title", "snoozed")
	b.do(chromedp.Navigate(one), chromedp.SendKeys("#r-block", "it took my words"), chromedp.Click("form[action$='/block'] button"), chromedp.WaitVisible(".note.good"))
	if got := <-d.orders; got.what != "block" || got.Reason != "it took my words" || got.By != "ada" {
		b.t.Errorf("order: %+v", got)
	}
	b.says(".title", "blocked")
	b.says(".decisions", "it took my words")
	b.do(chromedp.Navigate(base + "/"))
	if n := eval[int](b, "document.querySelectorAll('.card').length"); n != 1 {
		b.t.Errorf("%d cards after one of two was blocked", n)
	}
	b.do(chromedp.Navigate(one), chromedp.Click("form[action$='/unblock'] button"), chromedp.WaitVisible(".note.good"), chromedp.WaitVisible("#r-block"))
	if got := <-d.orders; got.what != "unblock" {
		b.t.Errorf("order: %+v", got)
	}
}

// strange are extensions whose names want to break the page or deceive: they are told as they are.
func (d *desk) strange(b *tab, base, axe string) {
	names := []string{
		"MetaM\u0430sk", strings.Repeat("Averylongnamewithoutanyspace", 8), "ארנק MetaMask 2.0 (רשמי)", "Safe\u202eteW tidE\u200b",
		"<b>Bold</b> & \"quoted\"", "币安行情助手 Pro — 实时盯盘、网格交易、资金费率与多交易所套利提醒工具",
	}
	for _, name := range names {
		d.record(b.t, "eve", name, "1.0", signatures.Suspicious)
	}
	b.do(chromedp.Navigate(base + d.page.Enter("eve", false, "/")))
	for _, path := range []string{"/", "/extensions", "/exchanges", "/timeline"} {
		b.do(chromedp.EmulateViewport(360, 740), chromedp.Navigate(base+path))
		if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > 360 {
			b.t.Errorf("%s with strange names is %d wide on a phone", path, wide)
		}
	}
	b.do(chromedp.Navigate(base + "/extensions"))
	b.says("table.list", "Safe<U+202E>teW tidE<U+200B>")
	b.says("table.list", "<b>Bold</b>")
	if n := eval[int](b, "document.querySelectorAll('table.list .mixed').length"); n != 1 {
		b.t.Errorf("%d names are said to have look-alike letters", n)
	}
	b.accessible("strange names", axe, "")
	b.tall("strange-phone")
	b.do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(base+"/"))
	b.tall("strange")
}

// states are the first view before anything was looked at and when all is well, and the worst ones in Chinese.
func (d *desk) states(b *tab, base, one string) {
	empty, _, err := store.Open(context.Background(), store.Config{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { empty.Close() })
	page, err := dashboard.New(dashboard.Config{Store: empty, Rules: d.rules, Engine: engine})
	if err != nil {
		b.t.Fatal(err)
	}
	host := serve(b.t, page)
	b.forget()
	b.do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate("http://"+host+page.Enter("ada", true, "/")))
	b.says("h1", "for the first time")
	b.tall("first")
	for path, want := range map[string]string{"/extensions": "No extension was found yet", "/exchanges": "No extension that is on", "/timeline": "Nothing has happened yet", "/health": "not finished"} {
		b.do(chromedp.Navigate("http://" + host + path))
		b.says("main", want)
		b.tall("first-" + path[1:])
	}
	b.do(chromedp.Navigate(base + d.page.Enter("bob", false, "/")))
	b.says("h1", "Nothing needs you now")
	b.tall("calm")
	chinese := func(headers network.Headers) {
		if _, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers}); err != nil {
			b.t.Fatal(err)
		}
	}
	chinese(network.Headers{"Accept-Language": "zh-CN"})
	b.do(chromedp.Navigate(base + d.page.Enter("ada", false, "/")))
	for _, path := range []string{"/", one, "/exchanges/binance", "/timeline"} {
		b.do(chromedp.Navigate(base + path))
		// What is left in Latin letters is names, addresses, permissions and code: no sentence of it.
		if got := eval[string](b, `(document.querySelector("main").innerText.match(/[a-z]+ [a-z]+ [a-z]+ [a-z]+ [^\n]*/) || [""])[0]`); got != "" {
			b.t.Errorf("%s in Chinese says %q", path, got)
		}
		b.tall("zh-" + strings.NewReplacer("/", "-").Replace(path[1:]))
	}
	chinese(network.Headers{"Accept-Language": "en"})
	b.mu.Lock()
	b.foreign = nil // the other page is no stranger
	b.mu.Unlock()
	b.do(chromedp.Navigate(base + d.page.Enter("ada", false, "/")))
}
