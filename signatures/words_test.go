package signatures

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/extwatch/extwatch/manifests"
)

// said are the English texts that a person can see: what the built-in rules, the catalog and this package say.
func said(t *testing.T) map[string]bool {
	t.Helper()
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	add := func(texts ...string) {
		for _, s := range texts {
			out[s] = true
		}
	}
	for _, r := range rules.Rules() {
		add(r.Title, r.Description)
		add(r.Response.User...)
		add(r.FalsePositives...)
	}
	list, general := rules.Exchanges()
	add(general.User...)
	for _, e := range list {
		add(e.Response.User...)
	}
	m := rules.catalog.mention
	add(m.response.User...)
	add(m.falsePositives...)
	return out
}

// composed are texts that are made while judging: their parts have words, and gaps for names.
func composed(t *testing.T) []string {
	t.Helper()
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	one := rules.Rules()[0]
	ext := &manifests.Extension{Browser: "chrome", ID: strings.Repeat("a", 32), Manifest: &manifests.Manifest{Name: "{} Two: words"}}
	var reach []Reach
	list, _ := rules.Exchanges()
	for _, e := range list {
		reach = append(reach, Reach{Exchange: e.Slug, Title: e.Title})
	}
	out := rules.Advice(ext, Result{Verdict: Unreadable}).User
	out = append(out, rules.Advice(&manifests.Extension{}, Result{Verdict: Unreadable}).User...)
	found := []Finding{{Rule: one.Name, Response: one.Response}}
	out = append(out, rules.Advice(ext, Result{Verdict: Suspicious, Findings: found, Reach: reach}).User...)
	for i := 0; i < len(reach); i += maxOwnSteps {
		out = append(out, rules.Advice(ext, Result{Verdict: Malicious, Findings: found, Reach: reach[i:min(i+maxOwnSteps, len(reach))]}).User...)
	}
	soft := Finding{Title: "Aggr: takes sessions", Description: one.Description}
	rules.catalog.soften(&soft, []fact{{row: &indicator{}, evidence: Evidence{Key: "script"}}})
	blocked := (&Decision{By: "your organisation", Reason: "not needed", Owner: "IT"}).finding(&subject{ext: ext, m: ext.Manifest})
	out = append(out, soft.Title, soft.Description, blocked.Title, blocked.Description, "Known from the campaign aggr")
	return append(out, blocked.Response.User...)
}

// Every sentence that a person can see has words in every language, with the same links; no words are left over.
func TestWords(t *testing.T) {
	languages, err := wordFiles.ReadDir("words")
	if err != nil || len(languages) == 0 {
		t.Fatalf("%d languages, %v", len(languages), err)
	}
	links := regexp.MustCompile(`https://[!-~]*[A-Za-z0-9/-]`)
	english := said(t)
	for _, l := range languages {
		w, err := ReadWords(l.Name())
		if err != nil {
			t.Fatal(err)
		}
		var missing []string
		for _, s := range slices.Sorted(maps.Keys(english)) {
			text, ok := w.texts[s]
			if !ok {
				missing = append(missing, asJSON(s)+`: ""`)
				continue
			}
			if a, b := links.FindAllString(s, -1), links.FindAllString(text, -1); !slices.Equal(a, b) {
				t.Errorf("%s: %q has the links %q, its words %q", l.Name(), s, a, b)
			}
			if strings.HasPrefix(l.Name(), "zh") && !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) &&
				text != s {
				t.Errorf("%s: %q has no Chinese: %q", l.Name(), s, text)
			}
		}
		for _, s := range composed(t) {
			if text, ok := w.Say(s); !ok || text == s || strings.Contains(text, ". ") {
				t.Errorf("%s: %q is %q", l.Name(), s, text)
			}
		}
		if len(missing) > 0 {
			t.Errorf("%s: give these their words, in signatures/words/%s:\n %s", l.Name(), l.Name(), strings.Join(missing, ",\n "))
		}
		program := programWords(t, l.Name(), "program")
		maps.Copy(program, programWords(t, l.Name(), "code"))
		for _, s := range slices.Sorted(maps.Keys(w.texts)) {
			if !english[s] && program[s] == "" {
				t.Errorf("%s: nothing says %s any more", l.Name(), asJSON(s))
			}
		}
		for s, text := range program {
			if strings.Count(s, gap) != strings.Count(text, gap) {
				t.Errorf("%s: %q and %q have not the same gaps", l.Name(), s, text)
			}
		}
	}
}

// programWords are what the program says by itself, and of code: no rule has it.
func programWords(t *testing.T, tag, name string) (out map[string]string) {
	t.Helper()
	data, err := wordFiles.ReadFile("words/" + tag + "/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func asJSON(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Sprintf("%q", s)
	}
	return string(data)
}

func TestSay(t *testing.T) {
	zh, err := ReadWords("zh-Hans")
	if err != nil {
		t.Fatal(err)
	}
	none, err := ReadWords("xx")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		words         Words
		english, want string
		ok            bool
	}{
		{zh, "Remove the extension.", "移除此扩展。", true},
		{zh, "Gate: Delete API keys that you did not make.", "Gate：删除不是您创建的 API 密钥。", true},
		{zh, "A: b: Sends cookies to a stranger", "A: b：把 Cookie 发送给陌生人", true},
		{zh, "Blocked by {}", "已被{}阻止", true},
		{zh, "Blocked by your organisation", "已被您的组织阻止", true},
		{zh, "A rule of yesterday", "A rule of yesterday", false},
		{zh, strings.Repeat("x: ", 2000), strings.Repeat("x: ", 2000), false},
		{none, "Remove the extension.", "Remove the extension.", false},
		{Words{}, "", "", false},
	} {
		if got, ok := test.words.Say(test.english); got != test.want || ok != test.ok {
			t.Errorf("%q is %q, %v", test.english, got, ok)
		}
	}
}
