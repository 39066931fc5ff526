package flow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// What an extension costs is counted in steps, which no other load of the machine changes.
func TestCostGrowsWithTheCode(t *testing.T) {
	cost := func(modules int) int {
		var b strings.Builder
		b.WriteString("var registry = {}, n = {};\n")
		for i := range modules {
			fmt.Fprintf(&b, `n[%d] = function(module, exports, require) {
				var base = require(%d), list = [];
				function add(x) { list.push(x); registry["k%d"] = x; return base.id(x) }
				function show(y) { chrome.storage.local.set({["k%d"]: y}); for (const z of list) { add(z + y) } return list }
				exports.id = function(x) { return x };
				exports.run = function(x) { return add(show(x)) };
			};`, i, i/2, i, i)
		}
		e := newEngine(&manifests.Manifest{}, []*Script{testUnit(t, "bundle.js", behavior.Background, b.String())}, defaultBudget)
		e.Run()
		return e.steps
	}
	small, large := cost(100), cost(800)
	if large > 10*small {
		t.Errorf("800 modules took %d steps, 100 took %d", large, small)
	}
}

// A helper that is called with data of a source and, often, without must not give that data to those who bring none.
func TestCallsWithoutDataStayApart(t *testing.T) {
	var b strings.Builder
	b.WriteString("function wrap(o) { return {body: o} }\n")
	for i := range 60 {
		fmt.Fprintf(&b, "chrome.alarms.create(wrap({n%d: Math.random()}).body);\n", i)
	}
	b.WriteString(`chrome.cookies.getAll({}, c => chrome.storage.local.set(wrap(c)));
		fetch("https://vendor.test/", wrap({n: Math.random()}))`)
	r := analyzeText(t, testUnit(t, "bg.js", behavior.Background, b.String()))
	if got := flowTexts(r); len(got) > 0 {
		t.Errorf("flows: %v", got)
	}
}
