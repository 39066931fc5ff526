package signatures

import (
	"strings"
	"testing"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/google/go-cmp/cmp"
)

func at(file string, line int) behavior.Place {
	return behavior.Place{File: file, Line: line, Column: 1}
}

func TestFlowsHoldTogether(t *testing.T) {
	t.Parallel()
	report := behavior.Report{Complete: true, Flows: []behavior.Flow{
		{Source: "cookies", From: ".binance.com", Sink: "fetch", Host: "www.binance.com", Party: behavior.Origin, Context: behavior.Background},
		{Source: "page_text", Sink: "fetch", Host: "collect.example", Party: behavior.Stranger, Context: behavior.Content},
		{Source: "cookies", Sink: "fetch", Host: "api.okx.com", Party: behavior.Stranger, Context: behavior.Background},
		{Source: "constant_address", Sink: "dom_value", Context: behavior.Content},
	}, Calls: []behavior.Call{{API: "cookies.getAll", Args: []string{`{"domain":".binance.com"}`}, Context: behavior.Background}},
		Contacts: []behavior.Contact{{Host: "collect.example", Called: true, Party: behavior.Stranger}}}
	for _, c := range []struct {
		detection string
		want      bool
	}{
		{"s: {flow.source: cookies, flow.party: stranger}\ncondition: s", false},
		{"s: {flow.source: cookies, flow.party: exchange}\ncondition: s", true},
		{"s: {flow.source: page_text, flow.party: stranger}\ncondition: s", true},
		{"a: {flow.source: cookies}\nb: {flow.party: stranger}\ncondition: a and b", true},
		{"s: {flow.source: cookies, flow.from|exists: false}\ncondition: s", true},
		{"s: {flow.source: page_text, flow.exchange|exists: true}\ncondition: s", false},
		{"s: {flow.exchange: binance, flow.host|endswith: binance.com}\ncondition: s", true},
		{"s: {flow.source: constant_address, flow.host: null}\ncondition: s", true},
		{"s: {flow.source: cookies, flow.host: null}\ncondition: s", false},
		{"s: {flows: cookies -> fetch -> api.okx.com, flow.context: background}\ncondition: s", true},
		{"s: {flows: cookies -> fetch -> api.okx.com, flow.context: popup}\ncondition: s", false},
		{"s: {flows|exists: false}\ncondition: s", false},
		{"s: {calls: cookies.getAll, call.args|contains: binance}\ncondition: s", true},
		{"s: {calls: cookies.getAll, call.args|contains: okx}\ncondition: s", false},
		{"s: {contacts: collect.example, contact.called: true, contact.party: stranger}\ncondition: s", true},
		{"s: {contacts: collect.example, contact.called: false}\ncondition: s", false},
		{"s: [{flow.source: cookies, flow.party: stranger}, {flow.source: page_text, flow.sink: fetch}]\ncondition: s", true},
		{"s: {flow.source|startswith: [doc, page], flow.sink|re: '^f'}\ncondition: s", true},
		{"s: {complete: true}\ncondition: s", true},
		{"s: {complete: false}\ncondition: s", false},
	} {
		rs := ruleset(t, c.detection)
		got := rs.Judge(Input{Extension: extension(nil), Contents: &Contents{ruleset: rs}, Behavior: &report})
		if (names(got) == "test") != c.want {
			t.Errorf("%s: found %q", c.detection, names(got))
		}
	}
}

// Before the analysis no field of it has a value, and nothing is said about their absence either.
func TestFlowsNotAnalysed(t *testing.T) {
	t.Parallel()
	for _, detection := range []string{
		"s: {flows|exists: true}\ncondition: s", "s: {flows|exists: false}\ncondition: s",
		"s: {calls|exists: false}\ncondition: s", "s: {flow.host: null}\ncondition: s", "s: {complete: false}\ncondition: s",
	} {
		if got := names(ruleset(t, detection).Judge(Input{Extension: extension(nil)})); got != "" {
			t.Errorf("%s: found %q", detection, got)
		}
	}
	rs := ruleset(t, "s: {flows|exists: false}\ncondition: s")
	if got := names(rs.Judge(Input{Extension: extension(nil), Behavior: &behavior.Report{}})); got != "test" {
		t.Errorf("without flows: %q", got)
	}
}

func TestFlowEvidence(t *testing.T) {
	t.Parallel()
	flow := behavior.Flow{Source: "cookies", Sink: "fetch", Host: "collect.example", Party: behavior.Stranger, Steps: []behavior.Step{
		{Place: at("bg.js", 12), What: "reads all cookies", Code: "chrome.cookies.getAll({}, send)"},
		{Place: at("bg.js", 15), What: "JSON.stringify"},
		{Place: at("bg.js", 18), What: "POST to collect.example", Code: "fetch(url, {body})\u202e"},
	}}
	rs := ruleset(t, "s: {flow.source: cookies}\ncondition: s")
	got := rs.Judge(Input{Extension: extension(nil), Behavior: &behavior.Report{Flows: []behavior.Flow{flow}}})
	want := []Evidence{
		{File: "bg.js", Line: 12, Column: 1, Key: "flows", Text: "reads all cookies: chrome.cookies.getAll({}, send)"},
		{File: "bg.js", Line: 15, Column: 1, Key: "flows", Text: "JSON.stringify"},
		{File: "bg.js", Line: 18, Column: 1, Key: "flows", Text: "POST to collect.example: fetch(url, {body})\\u202e"},
	}
	if len(got.Findings) != 1 {
		t.Fatalf("findings: %q", names(got))
	}
	if diff := cmp.Diff(want, got.Findings[0].Evidence); diff != "" {
		t.Error(diff)
	}
}

func TestFlowExchangeAndPage(t *testing.T) {
	t.Parallel()
	e := extension(func(_ *manifests.Extension, m *manifests.Manifest) {
		m.ContentScripts = []manifests.ContentScript{
			{Matches: []string{"https://www.mexc.com/user/openapi*"}, JS: []string{"/keys.js"}},
			{Matches: []string{"<all_urls>"}, JS: []string{"all.js"}},
		}
	})
	s := ruleset(t, "").newSubject(Input{Extension: e})
	for _, c := range []struct{ from, file, exchange, page string }{
		{"binance.com", "bg.js", "binance", ""},
		{".binance.com", "bg.js", "binance", ""},
		{`{"domain":"www.okx.com"}`, "bg.js", "okx", ""},
		{"https://*.binance.com/*, https://www.okx.com/*", "bg.js", "binance okx", ""},
		{"notbinance.com", "bg.js", "", ""},
		{"binance.com.evil.example", "bg.js", "", ""},
		{"mail.google.com", "bg.js", "", ""},
		{"", "all.js", "", ""},
		{"", "keys.js", "mexc", "api_keys"},
		{"input.secret", "keys.js", "mexc", "api_keys"},
		{"https://www.binance.com/*/my/settings/api-management*", "bg.js", "binance", "api_keys"},
		{"https://www.binance.com/*", "bg.js", "binance", ""},
	} {
		f := behavior.Flow{From: c.from, Context: behavior.Content, Steps: []behavior.Step{{Place: at(c.file, 1)}}}
		if got := s.flowExchange(&f); got != c.exchange {
			t.Errorf("%q in %s: exchange %q, want %q", c.from, c.file, got, c.exchange)
		}
		if got := s.flowPage(&f); got != c.page {
			t.Errorf("%q in %s: page %q, want %q", c.from, c.file, got, c.page)
		}
	}
}

// To contact the host of a campaign is proof, to name it is not.
func TestContactedIndicator(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "s: {indicator: acme-2026}\ncondition: s", "indicators/domains.csv",
		"domain,campaign,verdict,source,note\ncollect.example,acme-2026,malicious,https://intranet.example/1,\n")
	rs.rules[0].Verdict = Malicious
	for _, c := range []struct {
		contact behavior.Contact
		want    Verdict
	}{
		{behavior.Contact{Host: "api.collect.example", Called: true}, Malicious},
		{behavior.Contact{Host: "api.collect.example"}, Clean},
		{behavior.Contact{Host: "notcollect.example", Called: true}, Clean},
	} {
		got := rs.Judge(Input{Extension: extension(nil), Behavior: &behavior.Report{Contacts: []behavior.Contact{c.contact}}})
		if got.Verdict != c.want {
			t.Errorf("%+v: %s, want %s", c.contact, got.Verdict, c.want)
		}
	}
}

func TestGainedFlow(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "s: {gained: ['flow: cookies -> fetch -> x.example', 'contact: x.example']}\ncondition: s")
	now := behavior.Report{Flows: []behavior.Flow{{Source: "cookies", Sink: "fetch", Host: "x.example"}}, Contacts: []behavior.Contact{{Host: "x.example", Called: true}}}
	for _, c := range []struct {
		before *behavior.Report
		want   string
	}{
		{&behavior.Report{}, "test"}, {&now, ""}, {nil, ""},
	} {
		got := rs.Judge(Input{Extension: extension(nil), Previous: extension(nil), Behavior: &now, PreviousBehavior: c.before})
		if names(got) != c.want {
			t.Errorf("before %+v: found %q, want %q", c.before, names(got), c.want)
		}
	}
}

func TestGivenBehavior(t *testing.T) {
	t.Parallel()
	const detection = `detection:
  s: {flow.source: cookies, flow.party: dropbox}
  condition: s
tests:
  match:
    - flows: [{source: cookies, sink: fetch, host: bot.example, party: dropbox}]
`
	for _, c := range []struct{ cases, want string }{
		{"    - flows: cookies -> fetch -> bot.example\n", ""},
		{"    - flows: [cookies]\n", "expected a source and a sink"},
		{"    - flows: [{source: cookies, party: strange}]\n", `unknown value "strange"`},
		{"    - flows: [{sauce: cookies}]\n", `unknown key "sauce"`},
		{"    - calls: [{api: fetch, context: nowhere}]\n", `unknown value "nowhere"`},
		{"    - contacts: [{host: a.example, called: perhaps}]\n", "expected true or false"},
		{"    - complete: perhaps\n", "expected true or false"},
	} {
		got := loadError(t, header+detection+"  no_match:\n"+c.cases)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.cases, got, c.want)
		}
	}
	for _, c := range []struct{ line, want string }{
		{"flow.party: strangr", "is not one of its values"},
		{"flow.kontext: content", `unknown field "flow.kontext"`},
		{"flow.host|fieldref: homepage", "cannot be compared with a field"},
		{"contact.called|contains: tr", "only compared as it is"},
	} {
		got := loadError(t, header+"detection:\n  s: {"+c.line+"}\n  condition: s\n")
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
}
