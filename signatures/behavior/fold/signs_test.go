package fold

import (
	"os"
	"slices"
	"strings"
	"testing"
)

const packedCode = `eval(function(p,a,c,k,e,d){e=function(c){return c};if(!''.replace(/^/,String)){while(c--){d[c]=k[c]||c}k=[function(e){return d[e]}];e=function(){return'\\w+'};c=1};while(c--){if(k[c]){p=p.replace(new RegExp('\\b'+e(c)+'\\b','g'),k[c])}}return p}('0("1://2.3/4")',5,5,'use|https|collect|example|x'.split('|'),0,{}))`

func TestSigns(t *testing.T) {
	for _, tt := range []struct {
		name, code string
		want       []string
	}{
		{"plain", `const a = ["x", "y"]; function f(n){ return a[n] } f(1)`, nil},
		{"packed", packedCode, []string{signPacked}},
		{"character codes", `go(String.fromCharCode(104,116,116,112,115,58,47,47))`, []string{signCharCodes}},
		{"few character codes", `go(String.fromCharCode(104,116))`, nil},
		{"long base64", `go("` + strings.Repeat("aGVsbG8g", 200) + `")`, []string{signLongBase64}},
		{"icon", `go("data:image/png;base64,` + strings.Repeat("aGVsbG8g", 200) + `")`, nil},
		{"flattened", `const o = "1|0".split("|"); let i = 0; while (true) { switch (o[i++]) { case "0": a(); continue; case "1": b(); continue } break }`, []string{signControlFlow}},
		{"honest switch", `for (const c of s) { switch (c) { case "0": a(); break } }`, nil},
		{"operators in an object", `const o = {a: function(x, y){ return x + y }, b: function(x, y){ return x(y) }, c: function(x, y){ return x === y }}`, []string{signControlFlow}},
		{"honest operators", `const o = {add: function(x, y){ return x + y }, get: function(x){ return this.m[x] }}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := kinds(New(parsed(t, tt.code), 100_000).Signs())
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUnpacked(t *testing.T) {
	const inner = `use("https://collect.example/x")`
	for name, code := range map[string]string{
		"eval":             "eval(" + `'use("https://' + 'collect.example/x")'` + ")",
		"indirect":         `(0, eval)(atob("dXNlKCJodHRwczovL2NvbGxlY3QuZXhhbXBsZS94Iik="))`,
		"of window":        `window["ev" + "al"](atob("dXNlKCJodHRwczovL2NvbGxlY3QuZXhhbXBsZS94Iik=")); window.eval('use("https://collect.example/x")')`,
		"new Function":     `new Function("a", 'use("https://collect.example/x")')()`,
		"Function":         `Function('use("https://collect.example/x")')()`,
		"of a constructor": `[].at.constructor('use("https://collect.example/x")')()`,
		"timer":            `setTimeout('use("https://collect.example/x")', 5)`,
		"packed":           packedCode,
	} {
		t.Run(name, func(t *testing.T) {
			if got := New(parsed(t, code), 1_000_000).Unpacked(); !slices.Equal(got, []string{inner}) {
				t.Errorf("got %q", got)
			}
		})
	}
	if got := New(parsed(t, `Function("return this")(); eval(x); setTimeout(() => 1, 5)`), 1000).Unpacked(); got != nil {
		t.Errorf("got %q for code that hides nothing", got)
	}
}

func TestJSFuck(t *testing.T) {
	src, err := os.ReadFile("testdata/obfuscated/jsfuck.txt")
	if err != nil {
		t.Fatal(err)
	}
	f := New(parsed(t, string(src)), 10_000_000)
	if got := kinds(f.Signs()); !slices.Equal(got, []string{signJSFuck}) {
		t.Errorf("got signs %q", got)
	}
	if got := f.Unpacked(); !slices.Contains(got, `use("https://collect.example/x")`) {
		t.Errorf("got code %q", got)
	}
}
