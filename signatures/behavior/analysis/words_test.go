package analysis

import (
	"strings"
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior/flow"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

func TestLookAt(t *testing.T) {
	for _, test := range []struct {
		text string
		want features
	}{
		{`chrome.cookies.getAll`, hasAPI | hasSecret | usesAPI},
		{`chrome["cookies"]`, hasAPI | hasSecret | usesAPI},
		{`if(navigator.chrome)`, hasAPI},
		{`a=document.cookie`, hasSecret | usesAPI},
		{`new Function("a")`, hasCode},
		{`Function ("a")`, hasCode},
		{`Function.prototype.call`, 0},
		{`function(){}`, 0},
		{`x.constructor("return this")()`, hasCode},
		{`[]["constructor"]["constructor"](y)`, hasCode},
		{`this.constructor(a)`, 0},
		{`fetching prefetch`, 0},
		{`a\x66b`, hasEscapes},
		{`\u0065val`, hasEscapes | hasUnicode},
		{strings.Repeat(`\x61`, 50), hasEscapes | hasHidden},
		{strings.Repeat(`_0x12ab `, 30), hasHidden},
	} {
		if got := lookAt([]byte(test.text)).features; got != test.want {
			t.Errorf("%.40s: %b, want %b", test.text, got, test.want)
		}
	}
}

func TestLookAtHosts(t *testing.T) {
	for text, want := range map[string]string{
		`"https://Collect.Example/x"`:           "collect.example",
		`'http:\/\/a.example\/b'`:               "a.example",
		"`wss://a.example:8080/`":               "a.example",
		`"https://user:pw@b.example"`:           "b.example",
		"`https://${host}/`":                    "",
		"`https://a.${host}/`":                  "",
		`"xhttp://a.example"`:                   "",
		`"ftp://a.example"`:                     "",
		`"https://localhost/"`:                  "",
		`"https://*.a.example/*"`:               "",
		`"https://bücher.example/"`:             "xn--bcher-kva.example",
		`"https://a.example` + "\n" + `.b.c/d"`: "a.example",
	} {
		got := ""
		for _, at := range lookAt([]byte(text)).urls {
			got += urlHost([]byte(text)[at:])
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestTokenCalls(t *testing.T) {
	for text, want := range map[string]string{
		`chrome.cookies.getAll({})`:                 "cookies.getAll",
		`window.chrome["coo\x6bies"]?.["getAll"]()`: "cookies.getAll",
		`self.fetch(a)`:                             "fetch",
		`browser.tabs . query ( {} )`:               "tabs.query",
		`a = document.cookie + 1`:                   "document.cookie",
		`window["document"].cookie`:                 "document.cookie",
		`new XMLHttpRequest()`:                      "XMLHttpRequest",
		`navigator.sendBeacon(u)`:                   "sendBeacon",
		`\u0065val(x)`:                              "eval",
		`x.fetch(1)`:                                "",
		`"fetch(1)"`:                                "",
		`/fetch(1)/.test(x)`:                        "",
		`// fetch(1)`:                               "",
		`chrome.cookies`:                            "",
	} {
		u := &unit{Script: flow.Script{File: "a.js", Position: syntax.NewPosition([]byte(text))}, text: []byte(text)}
		got := ""
		for _, c := range tokenCalls(u) {
			got += c.API
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestTextual(t *testing.T) {
	for text, want := range map[string]bool{
		"var a": true, "\x89PNG\r\n\x1a\n": false, "": false, "a\x00b": false, "ü": true, "a\xc3": true, "\xff\xfea\x00": true,
	} {
		if textual([]byte(text)) != want {
			t.Errorf("%q: not %v", text, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{`chrome["cookies"]`, `importScripts("a.js?x#y")`, `new Function("a")`, "x.constructor(`a`)", `"https:\/\/a.example"`, `\u0065val(x)`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lookAt(text)
		tokenCalls(&unit{Script: flow.Script{File: "a.js", Position: syntax.NewPosition(text)}, text: text})
	})
}

func BenchmarkLook(b *testing.B) {
	src := []byte(strings.Repeat(`function f(a,b){return fetch("https://a.example/"+a,{method:"POST",body:JSON.stringify({b})}).then(c=>c.json())}`+"\n", 5000))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		lookAt(src)
	}
}
