package dashboard

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// decided is an extension that an organisation decided of.
func decided(action, by string, until time.Time) (*manifests.Extension, signatures.Result) {
	e := &manifests.Extension{Browser: "chrome", User: "ada", Profile: "Default", ID: strings.Repeat("k", 32), Enabled: true,
		Origin: manifests.OriginStore, Manifest: &manifests.Manifest{ManifestVersion: 3, Name: "Ledger Notes", Version: "2.0"}}
	r := signatures.Result{Verdict: signatures.Clean, Decision: &signatures.Decision{
		Action: action, By: by, ID: e.ID, Reason: "reviewed <b>by us</b>", Owner: "it@corp.example", Until: until,
	}}
	if action == "trust" {
		r.SetAside = []signatures.Finding{{Rule: "x", Title: "Reads all cookies", Verdict: signatures.Suspicious}}
	}
	return e, r
}

// A person sees what the organisation decided, why, until when and whom to ask: on the page, in its lists and in the report.
func TestOrganisation(t *testing.T) {
	end := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	const why = "reviewed &lt;b&gt;by us&lt;/b&gt;"
	for _, tt := range []struct {
		action, by string
		until      time.Time
		one        []string
		chip       string
	}{
		{"trust", signatures.Organisation, end, []string{"Your organisation</bdi> trusts this until 2027-01-31.", why, "it@corp.example", "Reads all cookies"}, "trusted by your organisation"},
		{"block", "example Ltd", time.Time{}, []string{"Example Ltd</bdi> blocks this.", why}, "blocked by your organisation"},
		{"block", "Example Ltd", end, []string{"Example Ltd</bdi> blocks this until 2027-01-31.", why}, "blocked by your organisation"},
	} {
		l := newLab(t)
		e, r := decided(tt.action, tt.by, tt.until)
		out, err := l.store.Record(context.Background(), store.Observation{Dir: "/home/ada/chrome/Default", Extension: e, Content: "c", Ruleset: 1, Result: r})
		if err != nil {
			t.Fatal(err)
		}
		c := l.client(t, "ada", false)
		_, page := get(t, c, fmt.Sprintf("%s/extensions/%d", l.srv.URL, out[0].Extension))
		_, list := get(t, c, l.srv.URL+"/extensions")
		var b bytes.Buffer
		if err := WriteReport(&b, l.cfg.Rules, Report{Ruleset: 1, Subjects: []Subject{{Extension: e, Result: r}}}); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"page": page, "report": b.String()} {
			wellFormed(t, name, text)
			for _, want := range append(tt.one, tt.chip) {
				if !strings.Contains(text, want) {
					t.Errorf("%s %s: the %s does not say %q:\n%s", tt.action, tt.by, name, want, text)
				}
			}
		}
		if !strings.Contains(list, tt.chip) {
			t.Errorf("%s: the list does not say %q", tt.action, tt.chip)
		}
	}
}

// The page follows the rules in use: advice and exchanges are those of the newest.
func TestCurrentRules(t *testing.T) {
	l := newLab(t)
	old := l.cfg.Rules
	catalog, err := os.ReadFile("../../signatures/rules/catalog/exchanges.yml")
	if err != nil {
		t.Fatal(err)
	}
	fed, err := old.With(fstest.MapFS{
		"version.txt":           {Data: []byte("999999\n")},
		"catalog/exchanges.yml": {Data: bytes.Replace(catalog, []byte("title: Binance\n"), []byte("title: New Name\n"), 1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	rules := old
	l.cfg.Current = func() *signatures.Ruleset { return rules }
	c := l.client(t, "ada", false)
	if _, body := get(t, c, l.srv.URL+"/exchanges/binance"); strings.Contains(body, "New Name") {
		t.Error("the new name is known before the rules know it")
	}
	rules = fed
	if _, body := get(t, c, l.srv.URL+"/exchanges/binance"); !strings.Contains(body, "New Name") {
		t.Errorf("the page keeps the old rules:\n%s", body)
	}
}
