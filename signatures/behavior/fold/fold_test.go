package fold

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tdewolff/parse/v2/js"
)

// argOf finds the argument of the last call of use(…) in the program.
func argOf(t testing.TB, u Script) js.IExpr {
	t.Helper()
	var found js.IExpr
	js.Walk(everyNode(func(n js.INode) {
		if c, ok := n.(*js.CallExpr); ok {
			if v, ok := c.X.(*js.Var); ok && string(v.Data) == "use" && len(c.Args.List) > 0 {
				found = c.Args.List[0].Value
			}
		}
	}), u.AST)
	if found == nil {
		t.Fatal("no call of use()")
	}
	return found
}

type none struct{}

func TestFoldProgram(t *testing.T) {
	for _, tt := range []struct {
		name, code string
		want       Constant
	}{
		{"const", `const a = "x", b = a + "y"; use(b + 1)`, "xy1"},
		{"var once", `var a = "x"; use(a)`, "x"},
		{"later assignment", `var a; a = "x"; use(a)`, "x"},
		{"two values", `let a = "x"; use(a); a = "y"; other(a)`, none{}},
		{"changed by an event", `let a = "x"; on(() => { a = "y" }); use(a)`, none{}},
		{"statements in order", `let s = ""; s += "ab"; s += "cd"; use(s)`, "abcd"},
		{"loop", `const k = [104, 105]; let s = ""; for (let i = 0; i < k.length; i++) s += String.fromCharCode(k[i]); use(s)`, "hi"},
		{"loop in a function", `function go(){ let s = ""; for (const c of [1,2]) { s += c } use(s) }`, "12"},
		{"variable of a running loop", `for (var i = 0; i < 3; i++) use(i)`, none{}},
		{"function", `function d(s){ return s.split("").reverse().join("") } use(d("cba"))`, "abc"},
		{"function after use", `use(d(1)); function d(n){ return n + 1 }`, 2.0},
		{"arrow", `const d = (s, k) => [...s].map(c => String.fromCharCode(c.charCodeAt(0) ^ k)).join(""); use(d("igg", 7))`, "n``"},
		{"recursion", `const f = n => n < 2 ? n : f(n - 1) + f(n - 2); use(f(15))`, 610.0},
		{"parameter", `function f(a){ use(a) } f("x")`, none{}},
		{"parameter of a function called in place", `(function(a, b){ use(a + b) })("x", "y")`, "xy"},
		{"cyclic", `const a = b + 1, b = a + 1; use(a)`, none{}},
		{"host", `use("a" + document.cookie)`, none{}},
		{"object of constants", `const o = {a: "x", b: document.title, f(x) { return x + 1 }}; use(o.a + o.f(1))`, "x2"},
		{"unknown part of an object", `const o = {a: "x", b: document.title}; use(o.b)`, none{}},
		{"object changed later", `const o = {a: "x"}; on(() => { o.a = location.href }); use(o.a)`, none{}},
		{"object changed under another name", `const o = {a: "x"}, p = o; on(() => { p.a = location.href }); use(o.a)`, none{}},
		{"object filled by statements", `const o = {}; o.a = "x"; o["b"] = o.a + "y"; use(o.b)`, "xy"},
		{"array pushed", `const a = ["x"]; a.push("y"); a.reverse(); use(a.join("/"))`, "y/x"},
		{"array turned in place", `var a = ["c", "a", "b"]; (function(l, n){ while (n--) l.push(l.shift()) })(a, 1); use(a[0])`, "a"},
		{"turned only once", `var a = ["c", "a", "b"]; (function(l, n){ while (n--) l.push(l.shift()) }(a, 4)); function d(i){ return a[i - 10] } other(d(10)); use(d(11))`, "b"},
		{"asking changes nothing", `const a = [1, 2]; function f(){ return a.shift() } other(f()); use(f())`, none{}},
		{"function that becomes another", `function f(){ const a = ["q", "w"]; f = function(){ return a }; return f() } use(f()[1])`, "w"},
		{"destructuring", `const {a, b: [c]} = {a: 1, b: ["x"]}; use(a + c)`, "1x"},
		{"bundle", `(() => { var e = {1: (m) => { m.exports = "x" }}; function r(i){ var m = {exports: {}}; e[i](m); return m.exports } use(r(1)) })()`, "x"},
		{"global atob", `use(window["at" + "ob"]("aGk="))`, "hi"},
		{"own atob", `function atob(s){ return "own" + s } use(atob("a"))`, "owna"},
		{"clock", `use(Date.now())`, none{}},
		{"random", `use(Math.random())`, none{}},
		{"random in a function", `const id = () => Math.random().toString(36); use(id())`, none{}},
		{"shadowed", `const a = "x"; function f(a){ use(a) }`, none{}},
		{"two functions of one name", `function f(){ return 1 } function f(){ return 2 } use(f())`, none{}},
		{"template", "const h = 'c.example'; use(`https://${h}/x`)", "https://c.example/x"},
		{"long sum", `use(` + strings.Repeat(`"ab"+`, 900) + `"c")`, strings.Repeat("ab", 900) + "c"},
		{"wrapped decoder", `var t = ["aGk="]; var d = function(i){ i = i - 5; if (d.c === undefined) { d.c = {}; } var v = d.c[i]; if (v === undefined) { v = atob(t[i]); d.c[i] = v } return v }; const w = {f: (a, b) => d(b - a)}; use(w.f(1, 6))`, "hi"},
		{"conditional var", `if (x) { var a = "1" } else { var a = "2" } use(a)`, none{}},
		{"catch variable", `try { x() } catch (e) { use(e) }`, none{}},
		{"undeclared global", `base = "https://a.example/"; use(base + "x")`, "https://a.example/x"},
		{"async function", `const f = async () => "x"; use(f())`, none{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := parsed(t, tt.code)
			f := New(u, 1_000_000)
			f.allFolds() // as the engine asks for everything, in any order
			got, ok := f.Fold(argOf(t, u))
			if !ok {
				got = none{}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestCall(t *testing.T) {
	u := parsed(t, `use(function (a, o) { return a[1] + o.x })`)
	got, ok := New(u, 10_000).call(argOf(t, u), []Constant{[]Constant{1.0, "b"}, map[string]Constant{"x": "c"}})
	if !ok || got != "bc" {
		t.Errorf("got %v, %v", got, ok)
	}
}

// Whatever code does, it ends within its steps, and quickly.
func TestBounds(t *testing.T) {
	for name, code := range map[string]string{
		"endless loop":        `use((() => { while (true); })())`,
		"endless for":         `use((() => { for (;;) {} })())`,
		"endless recursion":   `function f(){ return f() + 1 } use(f())`,
		"mutual recursion":    `const a = () => b(), b = () => a(); use(a())`,
		"caught failure":      `use((() => { while (true) { try { null.x } catch { } } })())`,
		"doubling text":       `use((() => { let s = "x"; for (let i = 0; i < 100; i++) s += s; return s })())`,
		"repeat":              `use("x".repeat(1e9))`,
		"repeat of repeat":    `use("x".repeat(1e6).repeat(1e6))`,
		"pad":                 `use("".padStart(1e9, "ab"))`,
		"join":                `use(Array(1e9).join("ab"))`,
		"replace grows":       `use((() => { let s = "aa"; for (let i = 0; i < 60; i++) s = s.replace(/a/g, "aa"); return s })())`,
		"replace with before": "use((() => { let s = 'ab'; for (let i = 0; i < 60; i++) s = s.replace(/b/g, '$`b'); return s })())",
		"big array":           `use(new Array(1e8).fill(0))`,
		"sparse array":        `use((() => { const a = []; a[1e8] = 1; return a.length })())`,
		"array of arrays":     `use((() => { let a = [1]; for (let i = 0; i < 60; i++) a = [a, a]; return a })())`,
		"growing concat":      `use((() => { let a = [1]; for (let i = 0; i < 60; i++) a = a.concat(a); return a })())`,
		"spread grows":        `use((() => { let a = [1]; for (let i = 0; i < 60; i++) a = [...a, ...a]; return a })())`,
		"array in itself":     `use((() => { const a = []; a.push(a); return a })())`,
		"itself as text":      `use((() => { const a = []; a.push(a); return a + "" })())`,
		"itself as JSON":      `use((() => { const a = {}; a.a = a; return JSON.stringify(a) })())`,
		"wide JSON":           `use((() => { let a = {}; for (let i = 0; i < 60; i++) a = {a, b: a}; return JSON.stringify(a) })())`,
		"flat of itself":      `use((() => { const a = []; a.push(a, a); return a.flat(Infinity) })())`,
		"regex bomb":          `use(/^(a+)+$/.test("a".repeat(1e5) + "b"))`,
		"regex repeat":        `use(/(((a{1000}){1000}){1000})/.test("a"))`,
		"sort that lies":      `use((() => { const a = Array.from({length: 1e6}, (_, i) => i); a.sort(() => 1); return a[0] })())`,
		"valueOf":             `use((() => { const o = {valueOf() { return o + 1 }}; return +o })())`,
		"getter":              `use((() => { const o = {get x() { return o.x }}; return o.x })())`,
		"deep JSON":           `use(JSON.parse("[".repeat(1e5) + "]".repeat(1e5)))`,
		"huge keys":           `use((() => { const o = {}; for (let i = 0; ; i++) o["k" + i] = i })())`,
		"map":                 `use((() => { const m = new Map; for (let i = 0; ; i++) m.set(i, i) })())`,
		"bind of bind":        `use((() => { let f = () => 1; for (let i = 0; i < 1e6; i++) f = f.bind(null, 1); return f() })())`,
		"slices":              `use((() => { const s = "é".repeat(1e6); let n = 0; for (let i = 0; i < 1e6; i++) n += s.slice(1).length; return n })())`,
		"index of rope":       `use((() => { let s = ""; for (;;) { s += "abcdefgh"; s.charAt(5) } })())`,
	} {
		t.Run(name, func(t *testing.T) {
			u := parsed(t, code)
			f := New(u, 8_000_000)
			start := time.Now()
			_, _ = f.Fold(argOf(t, u))
			if d := time.Since(start); d > time.Minute {
				t.Errorf("took %v", d)
			} else if d > 300*time.Millisecond {
				t.Logf("took %v, %d steps left", d, f.steps)
			}
		})
	}
}

// A chain of a hundred thousand variables, and code nested as deep as the parser lets it, must not end the process.
func TestDeepPrograms(t *testing.T) {
	var chain strings.Builder
	chain.WriteString("const a0 = 'x';")
	for i := 1; i < 3_000; i++ {
		chain.WriteString("const a" + numberText(float64(i)) + " = a" + numberText(float64(i-1)) + " + 'x';")
	}
	for name, code := range map[string]string{
		"chain":  chain.String() + "use(a2999)",
		"parens": "use(" + strings.Repeat("(", 400) + "1" + strings.Repeat(")", 400) + ")",
		"arrays": "use(" + strings.Repeat("[", 300) + strings.Repeat("]", 300) + ")",
		"arrows": "use(" + strings.Repeat("()=>", 300) + "1)",
		"not":    "use(" + strings.Repeat("!", 400) + "1)",
	} {
		u := parsed(t, code)
		f := New(u, 1_000_000)
		f.allFolds()
		_, _ = f.Fold(argOf(t, u))
		_ = f.Signs()
		_ = f.Unpacked()
		t.Log(name, f.steps)
	}
}

func FuzzInterp(f *testing.F) {
	f.Add(`use("a".replace(/a/g, x => x + 1) + [1,,2].map(String))`)
	f.Add(`var a=["x","y"];(function(b,c){while(c--)b.push(b.shift())})(a,3);use(a[0]+atob("eA=="))`)
	f.Add(`try{throw{a:1}}catch({a=2,...b}){use(a)}finally{x:for(const y of "ab")continue x}`)
	f.Add(`function f(a,{b=1}={},...c){switch(a){case 1:return arguments;default:return f.call(this,1)}}use(f(2))`)
	f.Add("use(`a${1+`${2}`}`.padEnd(9,'\\ud800').split('').sort().reverse().join(-0))")
	f.Add(`use(JSON.stringify(JSON.parse('{"a":[1,"\\u00e9"]}'),null," ")+parseInt("z",36).toString(2)+(-7>>>1)%3**2)`)
	f.Add(`class A{static{use(1)}#x=1;get y(){return this.#x}}new A().y;for(var i in{a:1})delete i.x`)
	f.Fuzz(func(t *testing.T, code string) {
		if len(code) > 4096 {
			return
		}
		s, ok := tryParse(code)
		if !ok {
			return
		}
		f := New(s, 20_000)
		f.allFolds()
		_ = f.Signs()
		_ = f.Unpacked()
		_ = f.decoded()
	})
}
