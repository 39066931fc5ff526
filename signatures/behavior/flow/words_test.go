package flow

import (
	"slices"
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

func TestWordTest(t *testing.T) {
	const read = "const text = document.body.innerText;"
	tests := []struct {
		name, code string
		want       bool
	}{
		{"both numbers", `const w = text.trim().split(/\s+/); if (w.length === 12 || w.length === 24) go(w)`, true},
		{"written with an else", `const w = text.split(" "); if (w.length == 12) go(w); else if (24 == w.length) go(w)`, true},
		{"a range", `const w = text.split(" "); if (w.length >= 12 && w.length <= 24 && w.length % 3 === 0) go(w)`, true},
		{"what is out of it", `const w = text.split(" "); if (w.length < 12 || w.length > 24) throw 0; go(w)`, true},
		{"a number with a name", `const w = text.split(/\s+/).filter(Boolean), n = w.length; if (n === 12 || n === 24) go(w)`, true},
		{"a list of numbers", `const w = text.split(" "); if ([12, 15, 18, 21, 24].includes(w.length)) go(w)`, true},
		{"a list with a name", `const ok = [12, 24], n = text.split(" ").length; if (ok.indexOf(n) !== -1) go(text)`, true},
		{"a set", `const ok = new Set([12, 15, 18, 21, 24]); if (ok.has(text.split(" ").length)) go(text)`, true},
		{"a switch", `switch (text.split(" ").length) { case 12: case 24: go(text) }`, true},
		{"in a loop", `for (const line of text.split("\n")) { const w = line.match(/[a-z]+/g) || []; if (w.length === 12 || w.length === 24) go(w) }`, true},
		{"hex numbers, a computed name", `const w = text["split"](" "); if (w["length"] === 0xc || w["length"] === 0x18) go(w)`, true},
		{"of the clipboard", `navigator.clipboard.readText().then(s => { const n = s.split(" ").length; if (n === 12 || n === 24) go(s) })`, true},
		{"of a field", `const w = document.querySelector("textarea").value.split(" "); if (w.length === 12 || w.length === 24) go(w)`, true},
		{"one number", `const w = text.split(" "); if (w.length === 12) go(w)`, false},
		{"a turn of a loop", `const w = text.split(" "); function next(i) { if (i >= w.length) return; go(w); next(i + 1) } next(0)`, false},
		{"sums of numbers", `const w = text.split(" "); if (w.length === 0x1a*0x2+-0x28 || w.length === -0x1*0x8+0x20) go(w)`, true},
		{"hours and months", `const h = new Date().getHours(), m = ["Jan", "Feb"]; if (h === 12 || h === 24 || m.length === 12) go(text)`, false},
		{"a list of its own", `const w = "a b c".split(" "); if (w.length === 12 || w.length === 24) go(w, text)`, false},
		{"a sum", `const w = text.split(" "); go(w.length - 12, w.length * 24)`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := analyzeText(t, testUnit(t, "c.js", behavior.Content, read+tt.code))
			got := slices.ContainsFunc(r.Calls, func(c behavior.Call) bool { return c.API == wordTestAPI })
			if got != tt.want {
				t.Errorf("told: %v, want %v", got, tt.want)
			}
		})
	}
}
