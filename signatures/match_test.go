package signatures

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/manifests"
)

func TestModifiers(t *testing.T) {
	t.Parallel()
	ext := extension(func(e *manifests.Extension, m *manifests.Manifest) {
		m.Name, m.Author, m.HomepageURL = "Price Alert 100%", "Ada\\Lovelace*", "https://price.example/a?b"
		m.Permissions = []string{"cookies", "storage", "webRequest"}
		e.Path = `C:\Users\ada\x`
	})
	for _, tt := range []struct {
		selection string
		want      bool
	}{
		{"name: price alert 100%", true},
		{"name|cased: price alert 100%", false},
		{"name|cased: Price Alert 100%", true},
		{"name: Price", false},
		{"name: Price*", true},
		{"name: '*alert*'", true},
		{"name: Price?Alert*", true},
		{"name: Price??Alert*", false},
		{"name|contains: ALERT", true},
		{"name|contains|cased: ALERT", false},
		{"name|contains: p*100", true},
		{"name|startswith: price", true},
		{"name|startswith: alert", false},
		{"name|endswith: 100%", true},
		{"name|endswith: 10?%", true},
		{`author: 'Ada\Lovelace\*'`, true},
		{`author: 'Ada\\Lovelace*'`, true},
		{`author: 'Ada\Lovelace\?'`, false},
		{`homepage|contains: 'a\?b'`, true},
		{`path|startswith: 'c:\users'`, true},
		{"name|re: 'Al[a-z]+t'", true},
		{"name|re: 'al[a-z]+t'", false},
		{"name|re|i: 'al[a-z]+t'", true},
		{"permissions: cookies", true},
		{"permissions: [history, cookies]", true},
		{"permissions|all: [history, cookies]", false},
		{"permissions|all: [storage, cookies]", true},
		{"permissions|contains|all: [web, cook]", true},
		{"permissions|exists: true", true},
		{"optional_permissions|exists: true", false},
		{"optional_permissions|exists: false", true},
		{"optional_permissions: null", true},
		{"permissions: null", false},
		{"optional_permissions: [null, x]", true},
		{"manifest_version: 3", true},
		{"manifest_version: [1, 2]", false},
		{"enabled: true", true},
		{"from_store: false", false},
		{"origin: store", true},
		{"name|fieldref: author", false},
		{"name|fieldref: name", true},
		{"id|contains|expand: '%exchange_slugs%'", false},
		{"version: 1.0", true},
		{"version: 1", false},
		{"name: Price*\npermissions: cookies", true},
		{"name: Price*\npermissions: history", false},
	} {
		rs := ruleset(t, "selection:\n"+indent(tt.selection)+"condition: selection")
		if got := names(rs.Judge(Input{Extension: ext})) == "test"; got != tt.want {
			t.Errorf("%s: got %v", tt.selection, got)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "selection:\n  host_permissions|contains|expand: '.%exchange_domains%/'\ncondition: selection")
	for host, want := range map[string]string{"https://www.binance.com/*": "test", "https://binance.example/*": ""} {
		e := extension(func(_ *manifests.Extension, m *manifests.Manifest) { m.Hosts = []string{host} })
		if got := names(rs.Judge(Input{Extension: e})); got != want {
			t.Errorf("%s: %q", host, got)
		}
	}
}

func TestCondition(t *testing.T) {
	t.Parallel()
	ext := extension(func(_ *manifests.Extension, m *manifests.Manifest) { m.Permissions = []string{"a"} })
	for condition, want := range map[string]bool{
		"yes_1": true, "no_1": false, "not no_1": true, "not not yes_1": true,
		"yes_1 and no_1": false, "yes_1 or no_1": true, "no_1 or yes_1 and yes_2": true,
		"(no_1 or yes_1) and no_2": false, "not (no_1 or no_2)": true, "YES_1 OR no_1": false,
		"1 of yes_*": true, "all of yes_*": true, "all of no_*": false, "1 of no*": false,
		"1 of them": true, "all of them": false, "not 1 of no_*": true, "yes_1 and not 1 of no_*": true, "1 of *": true,
		"no_1 and no_2 or yes_1": true, "((yes_1))": true, "NOT no_1 AND yes_1": true,
	} {
		detection := `
yes_1: {permissions: a}
yes_2: {permissions|exists: true}
no_1: {permissions: b}
no_2: [{permissions: c}, {permissions: d}]
_hidden: {permissions: x}
condition: (` + condition + `) or 1 of _h* and _hidden and no_1 and no_2 and yes_1 and yes_2`
		if strings.HasPrefix(condition, "YES") {
			if got := loadError(t, header+"detection:\n"+indent(detection)); !strings.Contains(got, `no selection "YES_1"`) {
				t.Errorf("%s: %q", condition, got)
			}
			continue
		}
		rs := ruleset(t, detection)
		if got := names(rs.Judge(Input{Extension: ext})) == "test"; got != want {
			t.Errorf("%s: got %v", condition, got)
		}
	}
}

func TestRuleErrors(t *testing.T) {
	t.Parallel()
	detect := func(s string) string { return header + "detection:\n" + indent(s) }
	for _, tt := range []struct{ rule, want string }{
		{"", "campaigns/test.yml: the file is empty"},
		{"- a", "campaigns/test.yml:1: expected keys with values"},
		{"a: b: c", "campaigns/test.yml:1: mapping values are not allowed in this context; hint: put text"},
		{"a: &x 1\nb: *x", "campaigns/test.yml:1: YAML anchors and aliases are not supported"},
		{"a: !!binary x", "campaigns/test.yml:1: YAML tag"},
		{header + "---\na: b", "a second YAML document"},
		{header, `campaigns/test.yml:1: missing key "detection"`},
		{detect("s: {nam: x}\ncondition: s"), `campaigns/test.yml:9: unknown field "nam"; hint: did you mean "name"?`},
		{detect("s:\n  name|contain: x\ncondition: s"), `campaigns/test.yml:10: unknown or unsupported modifier "contain"; hint: did you mean "contains"?`},
		{detect("s: {name|base64offset: x}\ncondition: s"), `unsupported modifier "base64offset"`},
		{detect("s: {name|contains|startswith: x}\ncondition: s"), "modifiers that compare in two ways"},
		{detect("s: {name|re: '(?=x)y'}\ncondition: s"), "RE2: no look-around"},
		{detect("s: {name|re: 'x*'}\ncondition: s"), "the expression matches everything"},
		{detect("s: {name|re: '(a{500}){500}'}\ncondition: s"), "hint:"},
		{detect("s: {name|i: x}\ncondition: s"), `modifier "i" belongs behind "re"`},
		{detect("s: {script: x}\ncondition: s"), "write script|contains or script|re"},
		{detect("s: {script|contains: abc}\ncondition: s"), "shorter than 4 bytes"},
		{detect("s: {script|contains: 'a*cd'}\ncondition: s"), "plain text only"},
		{detect("s: {origin: sidloaded}\ncondition: s"), `"sidloaded" is not one of its values; hint: it has store`},
		{detect("s: {enabled|contains: t}\ncondition: s"), "enabled is true or false"},
		{detect("s: {reach: binanc:session.read}\ncondition: s"), `no exchange "binanc"`},
		{detect("s: {reach: 'binance:*'}\ncondition: t"), `condition: no selection "t"`},
		{detect("s: {name: x}\ncondition: s and"), "condition: ends too early"},
		{detect("s: {name: x}\ncondition: (s"), `a ")" is missing`},
		{detect("s: {name: x}\ncondition: s s"), `unexpected "s"`},
		{detect("s: {name: x}\ncondition: 2 of s*"), `"2" of is not supported`},
		{detect("s: {name: x}\ncondition: 1 of t*"), `no selection is named like "t*"`},
		{detect("s: {name: x}\ncondition: s | count() > 1"), "aggregations with | are not supported"},
		{detect("s: {name: x}\nt: {name: y}\ncondition: s"), `selection "t" is not used`},
		{detect("s: [x, y]\ncondition: s"), "keywords without a field are not supported"},
		{detect("s: {name: x}"), "detection: no condition"},
		{detect("s: {name: x}\ntimeframe: 5m\ncondition: s"), "timeframe is not supported"},
		{detect("s: {}\ncondition: s"), "a selection without fields"},
		{detect("s: {name: []}\ncondition: s"), "no values"},
		{detect("s: {name|expand: '%nothing%'}\ncondition: s"), `unknown placeholder "nothing"`},
		{detect("s: {name|fieldref: nothing}\ncondition: s"), `unknown field "nothing"`},
		{strings.Replace(detect("s: {name: x}\ncondition: s"), "high", "hgih", 1), `campaigns/test.yml:6: level: unknown value "hgih"; hint: did you mean "high"?`},
		{strings.Replace(detect("s: {name: x}\ncondition: s"), "name: test", "name: other", 1), "campaigns/test.yml:3: name: must be the file name, test"},
		{strings.Replace(detect("s: {name: x}\ncondition: s"), "product: browser", "product: windows", 1), "only browser extensions are judged"},
		{detect("s: {name: x}\ncondition: s") + "levle: high", `rule: unknown key "levle"; hint: did you mean "level"?`},
		{detect("s: {name: x}\ncondition: s") + "level: high", `"level" stands twice`},
		{detect("s: {name: x}\ncondition: s") + "date: 31.1.2026", "write 2026-01-31"},
		{detect("s: {name: x}\ncondition: s") + "tests: {match: [{reach: x}]}", "is worked out and cannot be set in a case"},
		{detect("s: {name: x}\ncondition: s") + "tests: {match: [{files: {../x.js: a}}]}", "is no path inside an extension"},
	} {
		if got := loadError(t, tt.rule); !strings.Contains(got, tt.want) {
			t.Errorf("%s\n got  %q\n want %q", tt.rule, got, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	bad := header + `detection:
  selection: {host_permissions: <all_urls>}
  code: {script|re: '[0-9]{12}(ab|longer)?'}
  condition: selection or code
response: {user: [Perhaps remove it.], admin: [Block it.]}
tests: {match: [{name: x}]}
`
	bad = strings.Replace(strings.Replace(bad, "stable", "test", 1), "suspicious", "malicious", 1)
	var got []string
	for _, d := range Check(t.Context(), inMemory("test.yml", bad).FS) {
		got = append(got, d.Error())
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{
		"description: missing", "references: missing", "falsepositives: missing", "author: missing", "date: missing",
		`test.yml:10: script: nothing that every match holds can be looked for first`,
		`test.yml:7: verdict: malicious needs status: stable`, "no no_match case", `"match 1" should match and does not`,
		`"Perhaps remove it." does not begin with a verb`, `test.yml: warns of the harmless "Quiet Pages"`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("missing %q in\n%s", want, all)
		}
	}
}

func FuzzRule(f *testing.F) {
	f.Add([]byte(header + "detection:\n  s: {name|re|i: 'a+'}\n  condition: 1 of s*\n"))
	whole, err := fs.ReadFile(rulesFS, "rules/techniques/wallet-imitation.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte("a: [[[[{{{{"))
	base := ruleset(f, "")
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &document{path: "test.yml", data: data}
		if d.root = d.parse(data); d.root == nil {
			return
		}
		c := &compiler{catalog: base.catalog, schema: base.schema, known: map[string]int{}}
		r := compileRule(c, d)
		if len(d.defects) == 0 {
			r.apply(base.newSubject(Input{Extension: extension(nil)}))
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add(`\*\\?`, `*\x`)
	f.Fuzz(func(t *testing.T, pattern, text string) {
		glyphs, plain, wild := parseGlob(pattern)
		if !wild && !globMatch(glyphs, plain) {
			t.Errorf("%q does not match its own text %q", pattern, plain)
		}
		globMatch(glyphs, text)
	})
}
