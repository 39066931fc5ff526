package signatures

import (
	"slices"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/manifests"
	"github.com/google/go-cmp/cmp"
)

// TestAdviceDoesNotRepeat: what the steps of a finding say already is not said again in general words.
func TestAdviceDoesNotRepeat(t *testing.T) {
	t.Parallel()
	rs := ruleset(t, "")
	advise := func(verdict Verdict, hosts []string, steps ...string) []string {
		e := extension(func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Permissions, m.Hosts = []string{"cookies"}, hosts
		})
		r := rs.Judge(Input{Extension: e})
		r.Verdict = verdict
		r.Findings = []Finding{{Verdict: verdict, Response: Response{User: steps}}}
		return rs.Advice(e, r).User
	}
	const intro = "Do the following on every exchange that you use, in this order."
	everywhere := []string{"<all_urls>"}
	generic := rs.catalog.generic.User

	if d := cmp.Diff(slices.Concat([]string{"Be quick.", intro}, generic), advise(Malicious, everywhere, "Be quick.")); d != "" {
		t.Errorf("nothing said: %s", d)
	}
	own := []string{
		"Remove the extension in every profile and on every synced device.",
		"Sign out all sessions on your exchanges and mail, then change the passwords, from a clean device.",
		"Delete API keys that you did not make and check recent trades.",
		"Turn on the withdrawal whitelist of your exchange.",
	}
	want := slices.Concat(own, []string{intro, generic[0], generic[3], generic[5], generic[7], generic[8]})
	if d := cmp.Diff(want, advise(Malicious, everywhere, own...)); d != "" {
		t.Errorf("much said: %s", d)
	}
	// Half of a step is not the step.
	if got := advise(Malicious, everywhere, "Change the password."); !slices.Contains(got, generic[2]) {
		t.Errorf("signing out is left out: %q", got)
	}
	if got := advise(Malicious, everywhere, generic...); !slices.Equal(got, generic) {
		t.Errorf("all said: %q", got)
	}
	got := advise(Malicious, []string{"https://*.mexc.com/*"}, "Delete every API key on MEXC now.", "Change the password on MEXC.")
	for _, step := range got[2:] {
		if !strings.HasPrefix(step, "MEXC: ") || strings.Contains(step, "API key") || strings.HasPrefix(step, "MEXC: Change the password") {
			t.Errorf("one exchange: %q", step)
		}
	}
	if len(got) < 4 || slices.ContainsFunc(got, func(s string) bool { return slices.Contains(generic, s) }) {
		t.Errorf("one exchange: %q", got)
	}
	if got := advise(Suspicious, everywhere, generic...); len(got) != len(generic) {
		t.Errorf("there is nothing to go on with: %q", got)
	}
}

// TestGenericTopics: each general step shows its own topics, so that it is not repeated after itself.
func TestGenericTopics(t *testing.T) {
	t.Parallel()
	c := ruleset(t, "").catalog
	topics := slices.Concat(c.genericTopics.user, c.genericTopics.admin)
	for i, step := range slices.Concat(c.generic.User, c.generic.Admin) {
		if about := topics[i]; len(about) == 0 || !within(about, c.topicsOf(step)) {
			t.Errorf("%q: %q, reads as %q", step, about, c.topicsOf(step))
		}
	}
}

// TestServerNamed: the address of a server in the code does not bring the campaign's title and steps, all else does.
func TestServerNamed(t *testing.T) {
	t.Parallel()
	rule := strings.Replace(campaignRule("evil", "malicious"), "title: A test", `title: "Evil: empties wallets"`, 1) +
		"description: It took all.\nresponse: {user: [Make a new wallet.], admin: [Block it.]}\n"
	rs := ruleset(t, "", "campaigns/evil.yml", rule, "indicators/extensions.csv", idHeader+badID+",chrome,*,evil,malicious,s,\n",
		"indicators/domains.csv", domainHeader+"evil.example,evil,malicious,s,\ntwo.example,norule,malicious,s,\n")
	const script = "fetch('https://evil.example/x')"
	for _, tt := range []struct {
		name, script, title, step string
		change                    func(*manifests.Extension, *manifests.Manifest)
	}{
		{"script", script, "Names a server of a known campaign: Evil", "Ask yourself", nil},
		{"comment", "// " + script, "", "", nil},
		{"campaign without rule", "fetch('https://two.example/x')", "Names a server of a known campaign: norule", "Ask yourself", nil},
		{"script and ID", script, "Evil: empties wallets", "Make a new wallet.", func(e *manifests.Extension, _ *manifests.Manifest) { e.ID = badID }},
		{"update address", "", "Evil: empties wallets", "Make a new wallet.", func(_ *manifests.Extension, m *manifests.Manifest) { m.UpdateURL = "https://evil.example/u" }},
		{"host permission", script, "Evil: empties wallets", "Make a new wallet.", func(_ *manifests.Extension, m *manifests.Manifest) {
			m.Hosts = []string{"https://evil.example/*"}
		}},
	} {
		e := extension(tt.change)
		r := rs.Judge(Input{Extension: e, Contents: read(t, rs, "a.js", tt.script)})
		title, step := "", ""
		if len(r.Findings) > 0 {
			f := r.Findings[0]
			title, step = f.Title, f.Response.User[0]
			if calm := strings.HasPrefix(step, "Ask"); calm != (f.Level == "medium") || calm && (r.Verdict != Suspicious || len(f.FalsePositives) == 0 || f.Campaign == "") {
				t.Errorf("%s: %+v", tt.name, f)
			}
		}
		if title != tt.title || !strings.HasPrefix(step, tt.step) {
			t.Errorf("%s: %q, %q", tt.name, title, step)
		}
	}
}
