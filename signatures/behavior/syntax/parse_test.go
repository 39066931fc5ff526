package syntax

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/extwatch/extwatch/signatures/behavior/fold"
	"github.com/tdewolff/parse/v2/js"
)

// found walks a tree and returns the offset of the first variable of a name, or -1.
func found(t *Tree, name string) int {
	f := &finderOf{name: name, at: -1, src: t.Src}
	js.Walk(f, t.AST)
	return f.at
}

type finderOf struct {
	name string
	at   int
	src  []byte
}

func (f *finderOf) Enter(n js.INode) js.IVisitor {
	if v, ok := n.(*js.Var); ok && string(v.Data) == f.name && f.at < 0 {
		f.at = fold.Offset(f.src, v.Data)
	}
	return f
}

func (f *finderOf) Exit(js.INode) {}

func TestParse(t *testing.T) {
	const mark = "thief"
	for name, src := range map[string]string{
		"plain":              `thief()`,
		"module":             `import a from "./a.js"; export const b = await a(); thief(import.meta.url)`,
		"hashbang":           "#!/usr/bin/env node\nthief()",
		"HTML comments":      "<!-- old\nthief()\n--> end",
		"escaped name":       `th\u0069ef(); a.\u0065val("1")`,
		"escaped name, code": `\u{74}hief()`,
		"new syntax":         `class A { static #x = 1; static { thief?.(A.#x ??= 2n) } get [a]() { return /[/]\/(?<n>.)/v } } for await (const x of y) {}`,
		"import attributes":  `import x from "./x.json" with { type: "json" }; thief(x)`,
		"using":              `{ using x = y(); thief(x) }`,
		"legacy octal":       `var a = 017; thief(a)`,
		"function after if":  `if (a) function f() {} thief()`,
		"JSON import old":    `import x from "./x.json" assert { type: "json" }; thief(x)`,
		"defaults of arrow":  `f(({a, b: [c]} = {a: 1, b: [2]}) => thief(a, c)); f(async ([a] = ["x"]) => { await a })`,
		"regular expression": `var a = b / c / d; if (x) /"/.test(y); thief("x")`,
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := new(Parser).Parse([]byte(src), false, true)
			if err != nil {
				t.Fatal(err)
			}
			at := found(tree, mark)
			if at < 0 {
				t.Fatalf("%s is not in the tree", mark)
			}
			if tree.Back != nil {
				at = tree.Back(at)
			}
			if !strings.HasPrefix(src[at:], "th") && !strings.HasPrefix(src[at:], `\u{74}`) {
				t.Errorf("offset %d is not that of %s: %.20q", at, mark, src[at:])
			}
		})
	}
}

func TestParseHandler(t *testing.T) {
	if _, err := new(Parser).Parse([]byte(`return thief(this)`), true, true); err != nil {
		t.Error(err)
	}
}

// Chains longer than the parser's own limit must not hide what stands in and around them.
func TestParseLongChains(t *testing.T) {
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	for name, src := range map[string]string{
		"plus":           `var x = a` + many(`+b`, 5000) + `+thief(); before()`,
		"texts":          `var x = "a"` + many(`+"b"`, 5000) + `; thief()`,
		"then":           `p` + many(`.then(f)`, 3000) + `; thief()`,
		"then with code": `p` + many(`.then(x => x)`, 1500) + `.then(() => thief())`,
		"members":        `a` + many(`.b`, 3000) + `(thief)`,
		"or":             `if (a` + many(`||b`, 2000) + `) thief()`,
		"precedence":     `x = a` + many(`+b*c||d`, 900) + `; thief()`,
		"in an argument": `f(1, a` + many(`+b`, 1500) + `, thief)`,
		"in a function":  `(function () { return a` + many(`&&b`, 1500) + ` })(thief)`,
		"without end":    "a()\n" + many("b.c()\n", 2000) + "x = a" + many(`+b`, 1500) + "\nthief()",
		"comma":          `x = (a` + many(`, b`, 5000) + `, thief)`,
		"negations":      `x = ` + many(`!`, 3000) + `y; thief()`,
		"conditions":     `x = ` + many(`a ? b : `, 1500) + `c; thief()`,
		"else if":        many(`if (a) b(); else `, 1500) + `c(); thief()`,
		"arrays":         `x = ` + many(`[`, 3000) + many(`]`, 3000) + `; thief()`,
		"blocks":         many(`{`, 3000) + many(`}`, 3000) + `; thief()`,
		"templates":      "x = `a`" + many("+`${b}c`", 1500) + `; thief()`,
		"assignments":    `x = ` + many(`a = `, 1500) + `b; thief()`,
	} {
		t.Run(name, func(t *testing.T) { finds(t, src) })
	}
	// Last: the second parser takes its whole time for them and goes on after that, beside whatever comes next.
	t.Run("arrow functions", func(t *testing.T) { finds(t, `x = `+many(`a => `, 1500)+`b; thief()`) })
}

// finds parses a script, and fails when the thief is not in the tree, or not where it stands.
func finds(t *testing.T, src string) {
	t.Helper()
	tree, err := new(Parser).Parse([]byte(src), false, true)
	if err != nil {
		t.Fatal(err)
	}
	at := found(tree, "thief")
	if at < 0 {
		t.Fatal("thief is not in the tree")
	}
	if tree.Back != nil {
		at = tree.Back(at)
	}
	if !strings.HasPrefix(src[at:], "thief") {
		t.Errorf("offset %d of %d is %.20q", at, len(src), src[at:])
	}
}

// What may cost time or memory ends, with a tree or without.
func TestParseHostile(t *testing.T) {
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	for name, src := range map[string]string{
		"negations":         many(`!`, 200_000) + `a`,
		"async calls":       many(`async(a?(`, 40),
		"arrows in parens":  many(`(a)=>(`, 5000),
		"large text":        `var a = "` + many(`x`, 8<<20) + `"`,
		"functions":         many("function f(){return 1}\n", 100_000),
		"open brackets":     many(`[`, 200_000),
		"open templates":    many("`${", 100_000),
		"members":           `a` + many(`.b`, 200_000),
		"long sum":          `a` + many(`+a`, 200_000),
		"regular expr.":     many(`/`, 100_000),
		"broken everywhere": many("let let; \n", 20_000),
		"binary":            string(bytes.Repeat([]byte{0, 1, 2, 0xFF}, 50_000)),
		"names":             many(`\u0061`, 100_000),
		"one long comment":  `/*` + many(`*`, 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := new(Parser).Parse([]byte(src), false, true)
			took := time.Since(start)
			if took > time.Minute {
				t.Errorf("took %v", took)
			}
			t.Log(took.Round(time.Millisecond), err)
		})
	}
}

func TestRepair(t *testing.T) {
	src := "steal(); function f() { let let = 1; } x = { a: @ }; function g() { thief() }"
	tree, err := new(Parser).Parse([]byte(src), false, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Lost) == 0 {
		t.Error("nothing is said to be lost")
	}
	for _, name := range []string{"steal", "thief"} {
		at := found(tree, name)
		if at < 0 || !strings.HasPrefix(src[at:], name) {
			t.Errorf("%s found at %d", name, at)
		}
	}
}

func TestParseScript(t *testing.T) {
	ast, src, err := ParseScript([]byte(`a("b")`))
	if err != nil || len(ast.List) != 1 || string(src) != `a("b")` {
		t.Errorf("got %v, %q, %v", ast, src, err)
	}
	if _, _, err := ParseScript([]byte(`@`)); err == nil {
		t.Error("no error")
	}
}

func TestSourceMap(t *testing.T) {
	src := "let ä = '😀'; using x = y();\n  thief(x, '😀', second);\n"
	tree, err := new(Parser).Parse([]byte("{"+src+"}"), false, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"thief", "second"} {
		at := found(tree, name)
		if tree.Back == nil || at < 0 {
			t.Fatalf("%s is at %d", name, at)
		}
		if at = tree.Back(at); !strings.HasPrefix(("{" + src)[at:], name) {
			t.Errorf("%s is said to be at %.10q", name, ("{" + src)[at:])
		}
	}
}

func FuzzParseScript(f *testing.F) {
	for _, s := range []string{
		`thief()`, "#!x\na", `th\u0069ef`, "`${a}b${`c`}`", `a/b/c;/d/.e`, `import x from "y" with {type:"json"}`,
		`if(a)b;else c`, `x=>{return{}}`, `class A{#b;static{}}`, `for(;;){}`, strings.Repeat("a+", 700) + "a", `<!-- x`, `(a,b)=>c?.d[e]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		original := bytes.Clone(src)
		p := new(Parser)
		tree, err := p.Parse(src, false, true)
		if !bytes.Equal(src, original) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			return
		}
		if tree.Back != nil {
			for at := range tree.Src {
				if to := tree.Back(at); to < 0 || to > len(src) {
					t.Fatalf("offset %d leads to %d of %d", at, to, len(src))
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	src := []byte(strings.Repeat(`function f(a,b){return fetch("https://a.example/"+a,{method:"POST",body:JSON.stringify({b})}).then(c=>c.json())}`+"\n", 5000))
	b.Run("tree", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			if _, err := new(Parser).Parse(src, false, true); err != nil {
				b.Fatal(fmt.Errorf("parsing: %w", err))
			}
		}
	})
	b.Run("tokens", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			l := NewLexer(src)
			for _, ok := l.Next(); ok; _, ok = l.Next() {
			}
		}
	})
}
