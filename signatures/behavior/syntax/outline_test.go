package syntax

import (
	"strings"
	"testing"
)

// filler is code of a library: many words, none of which the engine looks for.
func filler(n int) string { return strings.Repeat("if(a.b>c.d){e.f(g,h/2)}", n) }

func TestOutlineDecides(t *testing.T) {
	tests := []struct {
		name, code string
		page, cut  bool
	}{
		{"a library's function", "function x(a,c){" + filler(60) + "}", true, true},
		{"an arrow", "var x=(a,c)=>{" + filler(60) + "}", true, true},
		{"a helper", "function x(a,c){" + filler(3) + "}", true, false},
		{"a network call", "function x(a,c){" + filler(60) + "fetch(a)}", true, false},
		{"a cookie", "function x(a,c){" + filler(60) + "return document.cookie}", true, false},
		{"an address", "function x(a,c){" + filler(60) + "g('https://collect.example/c')}", true, false},
		{"a namespace", "function x(a,c){" + filler(90) + "g('http://www.w3.org/2000/svg')}", true, true},
		{"keys in a page", "function x(a,c){" + filler(90) + "g('keydown')}", true, false},
		{"keys in the popup", "function x(a,c){" + filler(90) + "g('keydown')}", false, true},
		{"asks which browser", "function x(a,c){" + filler(90) + "return typeof chrome}", false, true},
		{"an alias of the browser", "function x(a,c){" + filler(90) + "a=chrome}", false, false},
		{"hexadecimal names", "function x(a,c){" + filler(60) + "_0x12ab(a)}", true, false},
		{"a small function with a table of texts", "function x(a,c){" + filler(20) + "return [" + strings.Repeat("'ab',", 20) + "]}", true, false},
		{"a class is no function", "class X extends f(a){" + strings.Repeat("m(a,c){if(a){c/2}}", 60) + "}", true, false},
		{"a division is no pattern", "function x(a,c){" + filler(60) + "return a/b}/[{]/.test('}')", true, true},
		{"a template", "function x(a,c){" + filler(60) + "return `${{a:`}`}}`}", true, true},
		{"out of balance", "function x(a,c){" + filler(60) + "}}", true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := outlined([]byte(tt.code), tt.page)
			if got := o != nil; got != tt.cut {
				t.Fatalf("cut = %v, want %v", got, tt.cut)
			}
			if o == nil {
				return
			}
			if _, _, err := ParseScript(o.text); err != nil {
				t.Errorf("the outline %q does not parse: %v", o.text, err)
			}
			rest := len(tt.code) - strings.LastIndex(tt.code, "}")
			if at := len(o.text) - rest + 1; o.back(at) != len(tt.code)-rest+1 && at > 0 {
				t.Errorf("back(%d) = %d, want %d", at, o.back(at), len(tt.code)-rest+1)
			}
		})
	}
}

func TestOutlineOfSignatures(t *testing.T) {
	for code, want := range map[string]string{
		"function x(a,k){" + filler(40) + "return c.sign(a,k)}":      "function x(a,k){return extwatch$cold.multiply()}",
		"function x(a,k){" + filler(40) + "return signHash(a,k)}":    "function x(a,k){return extwatch$cold.multiply()}",
		"function x(a,k){" + filler(40) + "return signIn(a,k)}":      "function x(a,k){return extwatch$cold()}",
		"function x(a,k){" + filler(40) + "return {sign(){}}}":       "function x(a,k){return extwatch$cold()}",
		"function x(a,k){" + filler(400) + "return c.sign(a,k)}":     "function x(a,k){return extwatch$cold()}",
		"function x(a,k){" + filler(40) + "return c.sign_tx(a,k).b}": "function x(a,k){return extwatch$cold.multiply()}",
	} {
		o := outlined([]byte(code), false)
		if o == nil {
			t.Errorf("%.20s…%s is whole", code, code[len(code)-30:])
		} else if string(o.text) != want {
			t.Errorf("%.20s…%s: %s, want %s", code, code[len(code)-30:], o.text, want)
		}
	}
}

func FuzzOutline(f *testing.F) {
	f.Add([]byte("function x(a,c){"+filler(60)+"}"), true)
	f.Add([]byte("a=/[/]/;b=`${`}`}`;/*"), false)
	f.Fuzz(func(t *testing.T, text []byte, page bool) {
		o := outlined(text, page)
		if o == nil {
			return
		}
		for at := range len(o.text) + 1 {
			if b := o.back(at); b < 0 || b > len(text) {
				t.Fatalf("back(%d) = %d of %d", at, b, len(text))
			}
		}
	})
}
