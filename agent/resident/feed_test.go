package resident

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/agent/settings"
)

// use puts decisions of an organisation in force, as a feed does.
func (m *machine) use(decisions string) {
	m.t.Helper()
	rules, err := m.cfg.Rules.With(fstest.MapFS{"decisions.yml": {Data: []byte(decisions)}})
	must(m.t, err)
	m.r.rules.Store(rules)
	m.r.swapRules(context.Background())
}

func (m *machine) blocked() string {
	m.t.Helper()
	blocks, err := m.r.blocker.Blocked()
	must(m.t, err)
	var out []string
	for _, b := range blocks {
		out = append(out, b.By+" "+b.ID[:1]+" "+b.Browser)
	}
	return strings.Join(out, ", ")
}

// A block of the organisation ends in the browser when a later version of its feed no longer asks for it: for another
// browser, another version, another ID, or not at all.
func TestOrganisationReleases(t *testing.T) {
	m := newMachine(t)
	m.plant("ada", "a", "First")
	m.start()
	block := func(more string) string {
		return "by: Example Ltd\ndecisions:\n  - {action: block, id: " + strings.Repeat("a", 32) + ", reason: not needed, owner: it@corp.example" + more + "}\n"
	}
	for _, tt := range []struct{ name, decisions, want string }{
		{"blocked", block(""), "organisation a chromium"},
		{"for another browser", block(", browser: [edge]"), ""},
		{"for this one", block(", browser: [edge, chromium]"), "organisation a chromium"},
		{"in another version", block(`, versions: ["2.0"]`), ""},
		{"in this one", block(`, versions: ["1.0"]`), "organisation a chromium"},
		{"another ID", strings.ReplaceAll(block(""), strings.Repeat("a", 32), strings.Repeat("b", 32)), ""},
		{"again", block(", until: 2999-01-01"), "organisation a chromium"},
		{"not at all", "decisions: []\n", ""},
	} {
		m.use(tt.decisions)
		m.until(tt.name+": "+tt.want, func() bool { return m.blocked() == tt.want })
	}
}

// Status names the decisions of the organisation that are about what is here.
func TestStatusDecisions(t *testing.T) {
	m := newMachine(t)
	id := m.plant("ada", "a", "First")
	m.start()
	m.use("by: Example Ltd\ndecisions:\n  - {action: block, id: " + id + ", reason: not needed, owner: it@corp.example, until: 2999-01-01}\n")
	m.until("the decision", func() bool {
		a := m.r.Answer(context.Background(), Caller{Name: "ada", UID: 5001}, Request{Do: "status"})
		d := a.Status.Decisions
		return len(d) == 1 && d[0].Name == "First" && d[0].Decision.Reason == "not needed" && d[0].Decision.LastDay() == "2999-01-01"
	})
	if a := m.r.Answer(context.Background(), Caller{Name: "bob", UID: 5002}, Request{Do: "status"}); len(a.Status.Decisions) != 0 {
		t.Errorf("bob is told of ada's extensions: %+v", a.Status.Decisions)
	}
}

// Another root.json at the same place is another feed.
func TestRootIsReplaced(t *testing.T) {
	dir := t.TempDir()
	s := settings.Feed{Root: filepath.Join(dir, "root.json"), CA: filepath.Join(dir, "ca.pem")}
	seen := map[string]string{}
	for _, step := range []struct{ name, file, text string }{
		{"none", "", ""}, {"one", s.Root, "one"}, {"another", s.Root, "two"}, {"a certificate", s.CA, "x"}, {"the other way round", s.Root, "x"},
	} {
		if step.file != "" {
			must(t, os.WriteFile(step.file, []byte(step.text), 0o600))
		}
		now := pinnedBy(s)
		if before, ok := seen[now]; ok {
			t.Errorf("%s is the same as %s", step.name, before)
		}
		if seen[now] = step.name; pinnedBy(s) != now {
			t.Errorf("%s: read twice, two answers", step.name)
		}
	}
}
