package behavior

import (
	"strings"
	"testing"
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
		u := &unit{file: "a.js", text: []byte(text), position: newPosition([]byte(text))}
		got := ""
		for _, c := range tokenCalls(u) {
			got += c.API
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestPosition(t *testing.T) {
	text := "a\nbc\r\n\nd"
	p := newPosition([]byte(text))
	for offset, want := range map[int][2]int{0: {0, 0}, 1: {0, 1}, 2: {1, 0}, 4: {1, 2}, 6: {2, 0}, 7: {3, 0}, 8: {3, 1}, 99: {3, 1}, -1: {0, 0}} {
		line, column := p.at(offset)
		if line != want[0] || column != want[1] {
			t.Errorf("%d: %d:%d, want %v", offset, line, column, want)
		}
		if offset >= 0 && offset <= len(text) && p.offsetOf(line, column) != offset {
			t.Errorf("%d:%d leads to %d, not %d", line, column, p.offsetOf(line, column), offset)
		}
	}
	u := &unit{src: []byte(text)}
	if u.offset(u.src[2:4]) != 2 || u.offset([]byte("bc")) != -1 || u.offset(nil) != -1 {
		t.Error("offset of a part")
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
