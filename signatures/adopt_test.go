package signatures

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAdopt: what is adopted as complete says what reading anew would; what is not says no more than that.
func TestAdopt(t *testing.T) {
	t.Parallel()
	const sums = "sha256,campaign,verdict,source,note\n"
	sum := strings.Repeat("0", 64)
	plain := ruleset(t, "selection: {script|contains: sendSecret}\ncondition: selection", "indicators/files.csv", sums+sum+",c,malicious,s,\n")
	rulesets := map[string]*Ruleset{
		"plain": plain,
		"texts": scriptRules(t),
		"more":  ruleset(t, "a: {script|contains: sendSecret}\nb: {script|re: 'grabAll\\w+'}\ncondition: a or b", "indicators/none.txt", ""),
		"hosts": ruleset(t, "", "indicators/domains.csv", domainHeader+"good.example,c,malicious,s,\n"),
		"hash":  ruleset(t, "", "indicators/files.csv", sums+fmt.Sprintf("%x", sha256.Sum256([]byte(libraryCode)))+",c,malicious,s,\n"),
		"paths": ruleset(t, "selection: {file.path|endswith: .js}\ncondition: selection", "indicators/none.txt", ""),
	}
	lists := strings.Builder{}
	for i := range 5000 {
		fmt.Fprintf(&lists, "'https://site-%d.example/',\n", i)
	}
	subjects := map[string][]string{
		"library":   {"a.js", libraryCode, "b/page.html", "<a href='https://good.example/'>", "c.png", "pixels"},
		"comment":   {"a.js", "// https://good.example/\nf()"},
		"no code":   {"a.png", "pixels", "b.json", "{}"},
		"many":      {"a.js", lists.String() + "fetch('https://good.example/')"},
		"seen both": {"a.js", "grabAllOf(); sendSecret('https://good.example', 'https://evil.example')"},
	}
	complete := map[string]int{}
	for from, old := range rulesets {
		for to, rs := range rulesets {
			for name, texts := range subjects {
				fresh := read(t, rs, texts...)
				got, whole := rs.Adopt(read(t, old, texts...))
				where := fmt.Sprintf("%s from %s to %s", name, from, to)
				if whole {
					complete[to]++
					if diff := cmp.Diff(judged(rs, fresh), judged(rs, got)); diff != "" {
						t.Errorf("%s (-anew +adopted):\n%s", where, diff)
					}
					continue
				}
				if anew := names(rs.Judge(Input{Extension: extension(nil), Contents: fresh})); !strings.Contains(anew, names(rs.Judge(Input{Extension: extension(nil), Contents: got}))) {
					t.Errorf("%s: more was found than by reading anew", where)
				}
				if back, _ := old.Adopt(got); back.ruleset != old {
					t.Errorf("%s: not adopted back", where)
				}
			}
		}
	}
	for to, least := range map[string]int{"plain": 5, "texts": 5, "more": 5, "hosts": 10, "hash": 10, "paths": 25} {
		if complete[to] < least {
			t.Errorf("%s: only %d were complete without reading, want at least %d", to, complete[to], least)
		}
	}
}

// judged is what a ruleset finds, with all evidence. Contents made without hashes have none to show.
func judged(rs *Ruleset, c *Contents) []string {
	r := rs.Judge(Input{Extension: extension(nil), Contents: c})
	out := []string{string(r.Verdict), fmt.Sprint(r.Partial), fmt.Sprint(r.Problems)}
	for _, f := range r.Findings {
		out = append(out, fmt.Sprint(f.Rule, f.Verdict, f.Evidence))
	}
	return out
}

// A rule that asks for a text that has not been looked for yet does not match, not even by its absence.
func TestAdoptAbsence(t *testing.T) {
	t.Parallel()
	old := ruleset(t, "", "indicators/none.txt", "")
	rs := ruleset(t, "a: {manifest_version: 3}\nb: {script|contains: honestMark}\ncondition: a and not b", "indicators/none.txt", "")
	c, complete := rs.Adopt(read(t, old, "a.js", "honestMark()"))
	if complete {
		t.Error("a text that nobody has looked for needs no reading")
	}
	if r := rs.Judge(Input{Extension: extension(nil), Contents: c}); len(r.Findings) > 0 {
		t.Errorf("found %s of code that was not searched", names(r))
	}
}
