package signatures

import (
	"strings"
	"testing"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/google/go-cmp/cmp"
)

const (
	idHeader     = "id,browser,versions,campaign,verdict,source,note\n"
	hashHeader   = "sha256,campaign,verdict,source,note\n"
	domainHeader = "domain,campaign,verdict,source,note\n"
	metaMask     = "nkbihfbeogaeaoehlefnkodbefgpgknn"
	badID        = "ponmlkjihgfedcbaponmlkjihgfedcba"
)

func TestWorse(t *testing.T) {
	t.Parallel()
	order := []Verdict{Malicious, Suspicious, Unreadable, Capable, Clean, ""}
	for i, v := range order {
		for j, w := range order {
			if got := v.Worse(w); got != (i < j) {
				t.Errorf("%q worse than %q: %v", v, w, got)
			}
		}
	}
}

func campaignRule(slug, verdict string) string {
	return strings.NewReplacer("name: test", "name: "+slug, "11111111", map[string]string{"evil": "22222222", "grey": "33333333"}[slug],
		"verdict: suspicious", "verdict: "+verdict).Replace(header) +
		"campaign: " + slug + "\ndetection: {selection: {indicator: " + slug + "}, condition: selection}\n"
}

func TestIndicators(t *testing.T) {
	t.Parallel()
	const hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of "hello"
	rs := ruleset(t, "",
		"campaigns/evil.yml", campaignRule("evil", "malicious"), "campaigns/grey.yml", campaignRule("grey", "suspicious"),
		"indicators/extensions.csv", idHeader+badID+",chrome,*,evil,malicious,a report,\n"+
			metaMask+",chrome,*,evil,malicious,a bulk list,\nwebextension@metamask.io,firefox,*,evil,malicious,a bulk list,\n"+metaMask+",chrome,6.6.6 6.6.7,grey,malicious,a report,\n"+
			"bad@x.example,firefox,1.0,evil,suspicious,a report,\n"+"abcdefghijklmnopabcdefghijklmnoa,chrome,*,norule,malicious,a report,\n",
		"indicators/files.csv", hashHeader+hash+",evil,malicious,a report,\n",
		"indicators/domains.csv", domainHeader+"evil.example,evil,malicious,a report,\ngrey.example,grey,malicious,a report,\nthird.example,norule,malicious,a report,\n")
	contents := func(texts ...string) *Contents { return read(t, rs, texts...) }
	for _, tt := range []struct {
		name     string
		change   func(*manifests.Extension, *manifests.Manifest)
		contents *Contents
		verdict  Verdict
		rules    string
		evidence string
	}{
		{"known ID", func(e *manifests.Extension, _ *manifests.Manifest) { e.ID = badID }, nil, Malicious, "evil", badID + " (listed by a report)"},
		{"known ID of a path", func(e *manifests.Extension, _ *manifests.Manifest) { e.ID, e.IDFromPath = badID, true }, nil, Clean, "", ""},
		{"genuine wallet on a bulk list", func(e *manifests.Extension, m *manifests.Manifest) { e.ID, m.Version = metaMask, "13.0" }, nil, Clean, "", ""},
		{"its bad version, rule weaker than the row", func(e *manifests.Extension, m *manifests.Manifest) { e.ID, m.Version = metaMask, "6.6.7" }, nil, Suspicious, "grey",
			metaMask + " version 6.6.7 (listed by a report)"},
		{"a folder with the wallet's ID", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Origin = metaMask, manifests.OriginUnpacked
		}, nil, Malicious, "evil",
			metaMask + " (listed by a bulk list)"},
		{"genuine add-on on a bulk list", func(e *manifests.Extension, _ *manifests.Manifest) { e.ID = "webextension@metamask.io" }, nil, Clean, "", ""},
		{"an add-on with its ID from elsewhere", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Origin = "webextension@metamask.io", manifests.OriginUnknown
		}, nil, Malicious, "evil", "webextension@metamask.io (listed by a bulk list)"},
		{"row weaker than the rule", func(e *manifests.Extension, _ *manifests.Manifest) { e.ID = "BAD@x.example" }, nil, Suspicious, "evil", "BAD@x.example version 1.0 (listed by a report)"},
		{"other version", func(e *manifests.Extension, m *manifests.Manifest) { e.ID, m.Version = "bad@x.example", "1.1" }, nil, Clean, "", ""},
		{"campaign without rule", func(e *manifests.Extension, _ *manifests.Manifest) { e.ID = "abcdefghijklmnopabcdefghijklmnoa" }, nil, Malicious, "norule",
			"abcdefghijklmnopabcdefghijklmnoa (listed by a report)"},
		{"update address", func(_ *manifests.Extension, m *manifests.Manifest) { m.UpdateURL = "https://cdn.evil.example/u.xml" }, nil, Malicious, "evil",
			"https://cdn.evil.example/u.xml (listed by a report)"},
		{"host permission", func(_ *manifests.Extension, m *manifests.Manifest) { m.Hosts = []string{"*://*.evil.example/*"} }, nil, Suspicious, "evil",
			"*://*.evil.example/* (listed by a report)"},
		{"policy", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.ContentSecurityPolicy = []manifests.Policy{{Value: "default-src 'self'; connect-src wss://x.evil.example"}}
		}, nil, Suspicious, "evil", "wss://x.evil.example (listed by a report)"},
		{"look-alike host", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Hosts = []string{"https://notevil.example/*", "https://evil.example.test/*"}
		}, nil, Clean, "", ""},
		{"file", nil, contents("img/x.png", "hello"), Malicious, "evil", hash + " (listed by a report)"},
		{"script", nil, contents("a.js", "fetch('https://api.evil.example/c')"), Suspicious, "evil", "fetch('https://api.evil.example/c') (listed by a report)"},
		{"block list", nil, contents("a.js", "['https://evil.example','https://grey.example','http://third.example']"), Clean, "", ""},
		{"built in", func(e *manifests.Extension, _ *manifests.Manifest) { e.Origin = manifests.OriginBuiltin },
			contents("a.js", "fetch('https://api.evil.example/c')"), Clean, "", ""},
		{"built in, known ID", func(e *manifests.Extension, _ *manifests.Manifest) { e.ID, e.Origin = badID, manifests.OriginBuiltin }, nil, Malicious, "evil",
			badID + " (listed by a report)"},
		{"unreadable", func(e *manifests.Extension, _ *manifests.Manifest) { e.Manifest, e.Unreadable = nil, "no manifest" }, nil, Unreadable, "", ""},
		{"unreadable, known ID", func(e *manifests.Extension, _ *manifests.Manifest) {
			e.ID, e.Manifest, e.Unreadable = badID, nil, "no manifest"
		}, nil, Malicious, "evil",
			badID + " (listed by a report)"},
	} {
		got := rs.Judge(Input{Extension: extension(tt.change), Contents: tt.contents})
		evidence := ""
		if len(got.Findings) > 0 {
			evidence = got.Findings[0].Evidence[0].Text
		}
		if d := cmp.Diff([]string{string(tt.verdict), tt.rules, tt.evidence}, []string{string(got.Verdict), names(got), evidence}); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
		if tt.name == "block list" && len(got.Problems) != 1 {
			t.Errorf("block list: nothing is said: %+v", got.Problems)
		}
	}
}

func TestIndicatorErrors(t *testing.T) {
	t.Parallel()
	const short = "abc"
	for _, tt := range []struct{ file, text, want string }{
		{"extensions", "id,browser\n", "indicators/extensions.csv:1: expected the header"},
		{"extensions", "", "indicators/extensions.csv:1: the header"},
		{"extensions", idHeader + badID + "q,chrome,*,c,malicious,s,\n", "indicators/extensions.csv:2: \"" + badID + "q\" is neither"},
		{"extensions", idHeader + "\n" + badID + ",chrome,*,c,malicious,s\n", "indicators/extensions.csv:3: 6 columns; expected 7"},
		{"extensions", idHeader + badID + ",chrome,>1.0,c,malicious,s,\n", "is not exact"},
		{"extensions", idHeader + badID + ",chrome,,c,malicious,s,\n", "no versions"},
		{"extensions", idHeader + badID + ",chrome,*,C d,malicious,s,\n", "is no slug"},
		{"extensions", idHeader + badID + ",chrome,*,c,evil,s,\n", "verdict \"evil\""},
		{"extensions", idHeader + badID + ",chrome,*,c,malicious,,\n", "no source"},
		{"extensions", idHeader + badID + ",chrome,*,c,malicious,s,\n" + badID + ",chrome,*,c,malicious,s,\n", ":3: the row"},
		{"extensions", idHeader + "a\"b,chrome,*,c,malicious,s,\n", ":2: "},
		{"files", hashHeader + short + ",c,malicious,s,\n", "is no SHA-256"},
		{"domains", domainHeader + "https://x.example,c,malicious,s,\n", "is no domain name"},
		{"domains", domainHeader + "workers.dev,c,malicious,s,\n", "\"workers.dev\" is shared by many owners"},
		{"domains", domainHeader + "com,c,malicious,s,\n", "is no domain name"},
		{"domains", domainHeader + "1.2.3.4,c,malicious,s,\n", "is no domain name"},
	} {
		_, err := Load(inMemory("indicators/"+tt.file+".csv", tt.text).FS)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestPartialAndOrder(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "s: {permissions: cookies}\ncondition: s",
		"b.yml", strings.NewReplacer("11111111", "44444444", "name: test", "name: b", "level: high", "level: critical").Replace(header)+
			"detection: {s: {permissions: cookies}, condition: s}\n",
		"a.yml", strings.NewReplacer("11111111", "55555555", "name: test", "name: a").Replace(header)+
			"detection: {s: {script|contains: eval(}, condition: s}\n")
	e := extension(func(e *manifests.Extension, m *manifests.Manifest) {
		m.Permissions = []string{"cookies"}
		e.Open = func() (manifests.Files, error) { return inMemory("a.js", "EVAL(1)"), nil }
	})
	first := rs.Judge(Input{Extension: e})
	if !first.Partial || names(first) != "b test" {
		t.Errorf("first: partial %v, %s", first.Partial, names(first))
	}
	second := rs.Judge(Input{Extension: e, Contents: read(t, rs, "a.js", "EVAL(1)")})
	if !second.Partial || names(second) != "b a test" {
		t.Errorf("second: partial %v, %s", second.Partial, names(second))
	}
	third := rs.Judge(Input{Extension: e, Contents: read(t, rs, "a.js", "EVAL(1)"), Behavior: &behavior.Report{Complete: true}})
	if third.Partial || names(third) != "b a test" {
		t.Errorf("third: partial %v, %s", third.Partial, names(third))
	}
	if other := ruleset(t, "").Judge(Input{Extension: e, Contents: read(t, rs, "a.js", "x")}); !other.Partial {
		t.Error("contents of another ruleset were used")
	}
	if got := rs.Judge(Input{}); got.Verdict != Clean {
		t.Errorf("nothing at all: %s", got.Verdict)
	}
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "s: {permissions: cookies}\ncondition: s")
	judge := func(change func(*manifests.Extension, *manifests.Manifest)) Response {
		e := extension(change)
		return rs.Advice(e, rs.Judge(Input{Extension: e}))
	}
	one := judge(func(_ *manifests.Extension, m *manifests.Manifest) {
		m.Permissions, m.Hosts = []string{"cookies"}, []string{"https://*.binance.com/*"}
	})
	// A suspicion alone does not call for closing an account: the exchange's steps come after a condition.
	if len(one.User) < 2 || !strings.HasPrefix(one.User[0], "Go on ") || !strings.HasPrefix(one.User[1], "Binance: ") {
		t.Errorf("one exchange: %q", one.User)
	}
	all := judge(func(_ *manifests.Extension, m *manifests.Manifest) {
		m.Permissions, m.Hosts = []string{"cookies"}, []string{"<all_urls>"}
	})
	if d := cmp.Diff(rs.catalog.generic.User, all.User[2:]); d != "" {
		t.Errorf("all exchanges: %s", d)
	}
	none := judge(func(_ *manifests.Extension, m *manifests.Manifest) { m.Hosts = []string{"<all_urls>"} })
	if len(none.User)+len(none.Admin) != 0 {
		t.Errorf("nothing to warn of: %+v", none)
	}
	if got := judge(func(e *manifests.Extension, _ *manifests.Manifest) { e.Unreadable = "x" }); len(got.User) == 0 {
		t.Error("unreadable: no steps")
	}
}
