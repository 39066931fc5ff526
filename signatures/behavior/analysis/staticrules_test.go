package analysis

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/google/go-cmp/cmp"
)

// staticReport analyses an extension that holds nothing but a rule file.
func staticReport(t testing.TB, text string) behavior.Report {
	t.Helper()
	m := &manifests.Manifest{RuleFiles: []manifests.RuleFile{{ID: "r", Path: "/rules/r.json", Enabled: true}}, HomepageURL: "https://maker.example/"}
	return Analyze(t.Context(), Input{Manifest: m, Files: fstest.MapFS{"rules/r.json": {Data: []byte(text)}}})
}

func TestStaticRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text  string
		calls       []string
		flows       []string
		incomplete  bool
		description string
	}{
		{name: "policy removed everywhere", text: `[{"id": 1, "action": {"type": "modifyHeaders", "responseHeaders": [{"header": "Content-Security-Policy", "operation": "remove"}]}, "condition": {"urlFilter": "*", "resourceTypes": ["main_frame"]}}]`,
			calls: []string{`{"action":"remove","header":"content-security-policy","of":"response","on":"*","enabled":true}`},
			flows: []string{"constant(*) > header_rules"}},
		{name: "no condition", text: `[{"id": 1, "action": {"type": "modifyHeaders", "responseHeaders": [{"header": "x-frame-options", "operation": "set", "value": ""}]}}]`,
			calls: []string{`{"action":"set","header":"x-frame-options","of":"response","on":"*","enabled":true}`},
			flows: []string{"constant(*) > header_rules"}},
		{name: "every address", text: `[{"action": {"type": "modifyHeaders", "responseHeaders": [{"header": "x-frame-options", "operation": "remove"}]}, "condition": {"regexFilter": "^https?://.*"}}]`,
			calls: []string{`{"action":"remove","header":"x-frame-options","of":"response","on":"*","enabled":true}`},
			flows: []string{"constant(*) > header_rules"}},
		{name: "a site led away", text: `[{"action": {"type": "redirect", "redirect": {"url": "https:\/\/login.thief.example/x"}}, "condition": {"urlFilter": "||binance.com^"}}]`,
			calls: []string{`{"action":"redirect","to":"login.thief.example","on":"binance.com","enabled":true}`},
			flows: []string{"constant(binance.com) > redirect_rules > login.thief.example stranger"}},
		{name: "the host is replaced", text: `[{"action": {"type": "redirect", "redirect": {"transform": {"host": "www.maker.example"}}}, "condition": {"requestDomains": ["okx.com"]}}]`,
			calls: []string{`{"action":"redirect","to":"www.maker.example","on":"okx.com","enabled":true}`},
			flows: []string{"constant(okx.com) > redirect_rules > www.maker.example own"}},
		{name: "a cookie of the thief", text: `[{"action": {"type": "modifyHeaders", "requestHeaders": [{"header": "Cookie", "operation": "set", "value": "s=1"}]}, "condition": {"regexFilter": "^https://www\\.kraken\\.com/"}}]`,
			calls: []string{`{"action":"set","header":"cookie","of":"request","value":"s=1","on":"https://www.kraken.com/","enabled":true}`},
			flows: []string{"constant(https://www.kraken.com/) > header_rules"}},
		{name: "escaped, and the last one counts", text: `[{"action": {"type": "block"}, "condition": {}, "\u0061ction": {"type": "modify\u0048eaders", "responseHeaders": [{"header": "x-frame-options", "operation": "remove"}]}}]`,
			calls: []string{`{"action":"remove","header":"x-frame-options","of":"response","on":"*","enabled":true}`},
			flows: []string{"constant(*) > header_rules"}},
		{name: "a blocker", text: `[{"action": {"type": "block"}, "condition": {"urlFilter": "||ads.example^"}}, {"action": {"type": "redirect", "redirect": {"extensionPath": "/empty.js"}}, "condition": {"urlFilter": "||t.example^"}}]`},
		{name: "trackers get no referrer", text: `[{"action": {"type": "modifyHeaders", "requestHeaders": [{"header": "Referer", "operation": "remove"}]}, "condition": {"requestDomains": ["t.example"]}}]`,
			calls: []string{`{"action":"remove","header":"referer","of":"request","on":"t.example","enabled":true}`}},
		{name: "tracking parts cut off", text: `[{"action": {"type": "redirect", "redirect": {"transform": {"queryTransform": {"removeParams": ["utm_source"]}}}}}]`},
		{name: "no JSON", text: `[{"action": {"type": "modifyHeaders"`, incomplete: true},
		{name: "other types", text: `{"action": "modifyHeaders", "condition": [1], "x": [[[["redirect"]]]]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := staticReport(t, c.text)
			var calls, flows []string
			for _, call := range r.Calls {
				calls = append(calls, call.Args...)
			}
			for _, f := range r.Flows {
				text := f.Source + "(" + f.From + ") > " + f.Sink
				if f.Host != "" {
					text += " > " + f.Host + " " + string(f.Party)
				}
				flows = append(flows, text)
				if len(f.Steps) != 1 || f.Steps[0].Line != 1 || f.Steps[0].File != "rules/r.json" {
					t.Errorf("steps of %s: %v", text, f.Steps)
				}
			}
			if diff := cmp.Diff(c.calls, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.flows, flows); diff != "" {
				t.Errorf("flows (-want +got):\n%s", diff)
			}
			if r.Complete == c.incomplete {
				t.Errorf("complete %v, problems %v", r.Complete, r.Problems)
			}
		})
	}
}

// TestManyStaticRules floods the report; what matters most must be in it.
func TestManyStaticRules(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("[")
	for i := range 3 * listedStatic {
		b.WriteString(`{"action":{"type":"modifyHeaders","requestHeaders":[{"header":"x-` + strings.Repeat("a", 1+i%50) + string(rune('a'+i/50%26)) + string(rune('a'+i/1300)) + `","operation":"remove"}]},"condition":{}},`)
	}
	b.WriteString(`{"action":{"type":"modifyHeaders","responseHeaders":[{"header":"content-security-policy","operation":"remove"}]}}]`)
	r := staticReport(t, b.String())
	if len(r.Calls) != listedStatic || len(r.Flows) != 1 {
		t.Errorf("%d calls, %d flows", len(r.Calls), len(r.Flows))
	}
}

func FuzzStaticRules(f *testing.F) {
	f.Add(`[{"id": 1, "action": {"type": "modifyHeaders", "responseHeaders": [{"header": "Content-Security-Policy", "operation": "remove"}]}, "condition": {"urlFilter": "*"}}]`)
	f.Add(`[{"action": {"type": "redirect", "redirect": {"transform": {"host": "a.example"}}}, "condition": {"requestDomains": ["b.example"]}}]`)
	f.Add(`[{"action": {"type": "redirect", "redirect": {"regexSubstitution": "https://\\1"}}, "condition": {"regexFilter": "\\\\"}}]`)
	f.Add("{\"a\":[")
	f.Fuzz(func(t *testing.T, text string) {
		r := staticReport(t, text)
		if len(r.Calls) > listedStatic {
			t.Errorf("%d calls", len(r.Calls))
		}
	})
}
