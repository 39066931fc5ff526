package dashboard

import (
	"slices"
	"testing"

	"github.com/extwatch/extwatch/signatures"
)

// Each translation belongs to something that a rule says; what has none yet is listed.
func TestRuleTexts(t *testing.T) {
	rules, err := signatures.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	titles, steps := map[string]string{}, map[string]bool{}
	for _, r := range rules.Rules() {
		titles[r.Name] = r.Title
		for _, s := range r.Response.User {
			steps[s] = true
		}
	}
	for _, tag := range languages()[1:] {
		texts, err := loadRuleTexts(tag.String())
		if err != nil {
			t.Fatal(err)
		}
		for name := range texts.Titles {
			if titles[name] == "" {
				t.Errorf("%s: there is no rule %s", tag, name)
			}
		}
		for s := range texts.Steps {
			if !steps[s] {
				t.Errorf("%s: no rule says %q any more", tag, s)
			}
		}
		var missing []string
		for name := range titles {
			if texts.Titles[name] == "" {
				missing = append(missing, name)
			}
		}
		slices.Sort(missing)
		t.Logf("%s: %d of %d titles are English: %q", tag, len(missing), len(titles), missing)
		missing = nil
		for s := range steps {
			if texts.Steps[s] == "" {
				missing = append(missing, s)
			}
		}
		slices.Sort(missing)
		t.Logf("%s: %d of %d steps are English: %q", tag, len(missing), len(steps), missing)
		if got := texts.title("session-cookie-theft", "x"); got == "x" {
			t.Errorf("%s: the most important title is English", tag)
		}
		if got := texts.title("new-rule", "New rule"); got != "New rule" {
			t.Errorf("%s: a rule without a translation is called %q", tag, got)
		}
	}
}
