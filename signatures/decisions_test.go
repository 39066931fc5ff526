package signatures

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/extwatch/extwatch/manifests"
)

// decided is a ruleset with a rule and rows for two campaigns, and decisions.
func decided(t testing.TB, decisions string) *Ruleset {
	t.Helper()
	rule := strings.NewReplacer("name: test", "name: evil-2026", "A test", "The evil campaign", "suspicious", "malicious").Replace(header) +
		"campaign: evil-2026\ndetection:\n  s: {indicator: evil-2026}\n  condition: s\n"
	behaves := strings.NewReplacer("name: test", "name: odd", "11111111-1111", "11111111-2222").Replace(header) +
		"detection:\n  s: {permissions: odd}\n  condition: s\n"
	proves := strings.NewReplacer("name: test", "name: proof", "11111111-1111", "11111111-3333", "suspicious", "malicious").Replace(header) +
		"detection:\n  s: {permissions: proof}\n  condition: s\n"
	return ruleset(t, "", "campaigns/evil-2026.yml", rule, "techniques/odd.yml", behaves, "techniques/proof.yml", proves,
		"indicators/extensions.csv", idHeader+badID+",chrome,*,evil-2026,malicious,a report,\n"+
			"cccccccccccccccccccccccccccccccc,chrome,6.6 6.7,evil-2026,malicious,a report,\n"+
			"nkbihfbeogaeaoehlefnkodbefgpgknn,chrome,*,evil-2026,malicious,a list,\n",
		"org/decisions.yml", decisions)
}

// The table of docs/rule-format.md: what counts more.
func TestPrecedence(t *testing.T) {
	const (
		block     = "action: block, reason: not wanted, owner: it@tests.example"
		trust     = "action: trust, reason: ours, owner: it@tests.example, until: 2026-12-31"
		named     = trust + ", overrides: evil-2026"
		exactly   = named + `, versions: ["6.6"]`
		hijacked  = "cccccccccccccccccccccccccccccccc"
		metamask  = "nkbihfbeogaeaoehlefnkodbefgpgknn"
		harmless  = "dddddddddddddddddddddddddddddddd"
		theirRule = "evil-2026"
	)
	for _, tt := range []struct {
		name, id, version, permission, decision string
		origin                                  manifests.Origin
		verdict                                 Verdict
		findings, setAside                      string
		problem                                 string
	}{
		{name: "block of a harmless one", id: harmless, decision: block, verdict: Suspicious, findings: "organisation-block"},
		{name: "block beside a finding", id: badID, decision: block, verdict: Malicious, findings: "evil-2026 organisation-block"},
		{name: "block of a known-good one", id: metamask, decision: block, verdict: Suspicious, findings: "organisation-block"},
		{name: "block of a sideloaded one", id: harmless, decision: block, origin: manifests.OriginSideloaded, verdict: Suspicious, findings: "organisation-block"},
		{name: "block of a part of the browser", id: harmless, decision: block, origin: manifests.OriginBuiltin, verdict: Suspicious, findings: "organisation-block"},
		{name: "trust", id: harmless, permission: "odd", decision: trust, verdict: Clean, setAside: "odd"},
		{name: "trust of a claimed ID", id: harmless, permission: "odd", decision: trust, origin: manifests.OriginUnpacked, verdict: Suspicious, findings: "odd",
			problem: "the trust does not count"},
		{name: "trust without a campaign", id: badID, decision: trust, verdict: Malicious, findings: theirRule},
		{name: "trust that names the campaign", id: badID, decision: named, verdict: Clean, setAside: theirRule},
		{name: "trust and a conclusive rule", id: harmless, permission: "proof", decision: trust, verdict: Malicious, findings: "proof"},
		{name: "trust that names the rule", id: harmless, permission: "proof", decision: trust + ", overrides: [proof]", verdict: Clean, setAside: "proof"},
		{name: "a bad version", id: hijacked, version: "6.6", decision: trust, verdict: Malicious, findings: theirRule},
		{name: "a bad version, campaign named", id: hijacked, version: "6.6", decision: named, verdict: Malicious, findings: theirRule},
		{name: "a bad version, both named", id: hijacked, version: "6.6", decision: exactly, verdict: Clean, setAside: theirRule},
		{name: "another bad version", id: hijacked, version: "6.7", decision: exactly, verdict: Malicious, findings: theirRule},
		{name: "a good version", id: hijacked, version: "6.8", permission: "odd", decision: trust, verdict: Clean, setAside: "odd"},
		{name: "known good beats a list", id: metamask, verdict: Clean},
		{name: "unpacked, it does not", id: metamask, origin: manifests.OriginUnpacked, verdict: Malicious, findings: theirRule},
		{name: "ended", id: harmless, permission: "odd", decision: strings.Replace(trust, "2026-12-31", "2026-05-31", 1), verdict: Suspicious, findings: "odd",
			problem: "your organisation decided to trust it (it@tests.example), which ended on 2026-05-31 and does not count"},
		{name: "the last day", id: harmless, permission: "odd", decision: strings.Replace(trust, "2026-12-31", "2026-06-01", 1), verdict: Clean, setAside: "odd"},
		{name: "another browser", id: harmless, decision: block + ", browser: edge", verdict: Clean},
		{name: "another version", id: harmless, decision: block + `, versions: ["9.9"]`, verdict: Clean},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := "decisions: []\n"
			if tt.decision != "" {
				file = "decisions:\n  - {id: " + tt.id + ", " + tt.decision + "}\n"
			}
			ext := extension(func(e *manifests.Extension, m *manifests.Manifest) {
				e.ID, m.Version = tt.id, "1.0"
				if tt.version != "" {
					m.Version = tt.version
				}
				if tt.origin != "" {
					e.Origin = tt.origin
				}
				if tt.permission != "" {
					m.Permissions = []string{tt.permission}
				}
			})
			got := decided(t, file).Judge(Input{Extension: ext, Now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)})
			names := func(findings []Finding) string {
				var out []string
				for _, f := range findings {
					out = append(out, f.Rule)
				}
				return strings.Join(out, " ")
			}
			if got.Verdict != tt.verdict || names(got.SetAside) != tt.setAside || tt.origin != manifests.OriginUnpacked && names(got.Findings) != tt.findings {
				t.Errorf("%s, findings %q, set aside %q; want %s, %q, %q", got.Verdict, names(got.Findings), names(got.SetAside), tt.verdict, tt.findings, tt.setAside)
			}
			if !strings.Contains(names(got.Findings), tt.findings) {
				t.Errorf("findings %q lack %q", names(got.Findings), tt.findings)
			}
			problems := ""
			for _, p := range got.Problems {
				problems += p.Reason + "\n"
			}
			if !strings.Contains(problems, tt.problem) {
				t.Errorf("problems %q lack %q", problems, tt.problem)
			}
		})
	}
}

// Between files: a block counts before a trust, wherever it stands.
func TestDecisionFiles(t *testing.T) {
	const id = "dddddddddddddddddddddddddddddddd"
	rs, err := Load(fstest.MapFS{
		"indicators/none.txt": {},
		"decisions.yml": {Data: []byte("by: Example Ltd\ndecisions:\n- {action: block, id: " + id + ", reason: no licence, owner: it}\n" +
			"- {action: trust, id: x@y.example, reason: known, owner: it, until: 2020-01-01}\n")},
		"org/decisions.yml":             {Data: []byte("decisions:\n- {action: trust, id: " + id + ", reason: ours, owner: me, until: 2999-01-01}\n")},
		"org/indicators/extensions.csv": {Data: []byte(idHeader + badID + ",chrome,*,ours,malicious,our own case 7,\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := rs.Judge(Input{Extension: extension(func(e *manifests.Extension, _ *manifests.Manifest) { e.ID = id })})
	if d := got.Decision; d == nil || d.Action != "block" || d.By != "Example Ltd" || d.Reason != "no licence" {
		t.Fatalf("%+v", d)
	}
	f := got.Findings[0]
	if f.Verdict != Suspicious || f.Title != "Blocked by Example Ltd" || !strings.Contains(f.Description, "Example Ltd does not want this extension here: no licence.") {
		t.Errorf("%+v", f)
	}
	inForce, ended := rs.Decisions(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if len(inForce) != 2 || len(ended) != 1 || ended[0].ID != "x@y.example" {
		t.Errorf("in force %+v, ended %+v", inForce, ended)
	}
	listed := rs.Judge(Input{Extension: extension(func(e *manifests.Extension, _ *manifests.Manifest) { e.ID = badID })})
	want := []Evidence{{Key: "id", Text: badID + " (listed by your organisation: our own case 7)"}}
	if listed.Verdict != Malicious || len(listed.Findings) != 1 {
		t.Fatalf("%+v", listed)
	}
	if diff := cmp.Diff(want, listed.Findings[0].Evidence); diff != "" {
		t.Error(diff)
	}
}

func TestBadDecisions(t *testing.T) {
	const id = "id: dddddddddddddddddddddddddddddddd, reason: r, owner: o"
	for text, want := range map[string]string{
		"decisions:\n- {action: trust, " + id + "}":                                      ":2: decision: trust needs an end",
		"decisions:\n- {action: trust, until: soon, " + id + "}":                         ":2: until: \"soon\" is no date",
		"decisions:\n- {action: allow, " + id + "}":                                      ":2: action: unknown value",
		"decisions:\n- {action: block, id: abc, reason: r, owner: o}":                    ":2: id: \"abc\" is neither",
		"decisions:\n- {action: block, id: x@y.example}":                                 ":2: decision: missing reason",
		"decisions:\n- {action: block, overrides: x, " + id + "}":                        ":2: decision: a block overrides nothing",
		"decisions:\n- {action: trust, until: 2027-01-01, overrides: \"*\", " + id + "}": ":2: overrides: \"*\" is no slug",
		"decisions:\n- {action: block, versions: \">1\", " + id + "}":                    ":2: versions: \">1\" is not exact",
		"decisions:\n- {action: block, " + id + "}\n- {action: block, " + id + "}":       ":3: dddddddddddddddddddddddddddddddd: line 2 decides of it as well",
		"decisions: 7": ":1: decisions: expected a list",
		"rules: []":    ":1: file: unknown key",
		"by: ''\n":     ":1: by: expected",
		"decisions:\n- {action: block, id: x@y.example, owner: o, reason: " + strings.Repeat("r", 200) + "}": ":2: decision: a text of more than",
	} {
		_, err := Load(fstest.MapFS{"indicators/none.txt": {}, "org/decisions.yml": {Data: []byte(text)}})
		if err == nil || !strings.Contains(err.Error(), "org/decisions.yml"+want) {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

// What lists take back, and what an organisation may not.
func TestRetracted(t *testing.T) {
	rs := ruleset(t, "", "indicators/extensions.csv", idHeader+badID+",chrome,*,evil,malicious,a list,\n"+badID+",chrome,1.0,other,malicious,a report,\n"+
		badID+",edge,*,evil,retracted,the author,\n")
	got := rs.Judge(Input{Extension: extension(func(e *manifests.Extension, _ *manifests.Manifest) { e.ID = badID })})
	if len(got.Findings) != 1 || got.Findings[0].Campaign != "other" {
		t.Errorf("%+v", got.Findings)
	}
	_, err := Load(fstest.MapFS{"indicators/none.txt": {}, "org/indicators/extensions.csv": {Data: []byte(idHeader + badID + ",chrome,*,evil,retracted,me,\n")}})
	if err == nil || !strings.Contains(err.Error(), "org/indicators/extensions.csv:2: only the feed itself retracts") {
		t.Errorf("%v", err)
	}
}

func FuzzDecisions(f *testing.F) {
	f.Add([]byte("by: me\ndecisions:\n- {action: trust, id: x@y.example, reason: r, owner: o, until: 2027-01-01, overrides: [a], versions: [1.0], browser: chrome}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, defects := loadDecisions(fstest.MapFS{"decisions.yml": {Data: data}})
		for _, list := range all {
			for _, d := range list {
				if len(defects) == 0 && (d.ID == "" || d.By == "" || d.Reason == "" || d.Action == actionTrust && d.Until.IsZero()) {
					t.Errorf("accepted: %+v", d)
				}
			}
		}
	})
}
