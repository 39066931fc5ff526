package signatures

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/extwatch/extwatch/manifests"
)

// maxEvidence is how much evidence one finding shows; more is not read.
const maxEvidence = 8

// Judge gives the verdict. It never fails: what could not be judged is a problem or the verdict unreadable.
//
// The verdict is the worst of the findings; without any it is unreadable when the extension, or one of its scripts in
// full, could not be read, then capable when it reaches an exchange, then clean. An extension that is part of the browser is only ever judged by
// indicators that say malicious.
func (rs *Ruleset) Judge(in Input) Result {
	now := in.Now
	if now.IsZero() {
		now = time.Now()
	}
	return rs.judge(rs.newSubject(in), now)
}

func (rs *Ruleset) judge(s *subject, now time.Time) Result {
	result := Result{Verdict: Clean, Reach: s.reach(), Partial: (s.contents == nil || s.contents.pending || s.code == nil) && s.ext.Open != nil}
	covered := map[string]bool{} // campaigns that have a rule
	for i := range rs.rules {
		r := &rs.rules[i]
		if f, ok := r.apply(s); ok {
			result.Findings = append(result.Findings, f)
		}
		if r.Campaign != "" {
			covered[r.Campaign] = true
		}
		covered[r.Name] = true
	}
	result.Findings = append(result.Findings, s.bareIndicators(covered)...)
	if s.ext.Origin == manifests.OriginBuiltin {
		result.Findings = slices.DeleteFunc(result.Findings, func(f Finding) bool {
			return f.Verdict != Malicious || !slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return e.Key == "id" || e.Key == "file.sha256" })
		})
	}
	if !s.undecided {
		s.decide(&result, now)
	}
	sortFindings(result.Findings)
	switch {
	case s.ext.Unreadable != "":
		result.Verdict = Unreadable
	case s.unsearched() != nil:
		// Padding must not hide code: what was not read cannot be called harmless.
		result.Verdict = Unreadable
		result.Problems = append(result.Problems, *s.unsearched())
	case len(result.Reach) > 0 && s.ext.Origin != manifests.OriginBuiltin:
		result.Verdict = Capable
	}
	for _, f := range result.Findings {
		if f.Verdict.Worse(result.Verdict) {
			result.Verdict = f.Verdict
		}
	}
	if s.contents != nil {
		for _, p := range s.contents.Problems {
			if !slices.Contains(result.Problems, p) { // the reason of the verdict stands first
				result.Problems = append(result.Problems, p)
			}
		}
	}
	if s.code != nil {
		result.Problems = append(result.Problems, s.code.Problems...)
	}
	result.Problems = append(result.Problems, s.problems...)
	return result
}

// unsearched returns why some code of the extension was not searched, when the extension can do anything with it.
func (s *subject) unsearched() *manifests.Problem {
	if s.contents == nil || s.ext.Origin == manifests.OriginBuiltin {
		return nil
	}
	able := len(s.m.Permissions) + len(s.m.Hosts) + len(s.m.ContentScripts) + len(s.m.OptionalPermissions) + len(s.m.OptionalHosts)
	switch {
	case able == 0 && len(s.reach()) == 0:
		return nil
	case s.contents.unread == nil && strings.HasPrefix(s.ext.Path, "/usr/"):
		// Debian links the libraries of its extensions to where they lie once for all programs; who can write there needs
		// no extension.
		return nil
	case s.contents.unread == nil:
		return s.contents.linked
	}
	return s.contents.unread
}

// apply runs one rule.
func (r *Rule) apply(s *subject) (Finding, bool) {
	s.unsure = false
	ok, facts := r.detection.eval(s)
	if !ok || s.unsure { // of what is not known yet nothing follows; reading tells
		return Finding{}, false
	}
	f := Finding{
		Rule: r.Name, Title: r.Title, Description: r.Description, Level: r.Level, Verdict: r.Verdict, Campaign: r.Campaign,
		Evidence: evidence(facts), FalsePositives: r.FalsePositives, References: r.References, Response: r.Response,
	}
	// A rule that asks for an indicator cannot be surer than the row is.
	if row := strongest(facts); row != nil {
		f.Verdict = weaker(f.Verdict, row.verdict)
		if f.Campaign == "" {
			f.Campaign = row.campaign
		}
	}
	s.rs.catalog.soften(&f, facts)
	return f, true
}

func strongest(facts []fact) *indicator {
	var best *indicator
	for _, f := range facts {
		if f.row != nil && (best == nil || f.row.verdict.Worse(best.verdict)) {
			best = f.row
		}
	}
	return best
}

func evidence(facts []fact) []Evidence {
	// Made even when empty: a rule of negations has none, and the report has a list all the same.
	out := make([]Evidence, 0, min(len(facts), maxEvidence))
	// What an indicator says comes first, it is the proof.
	for _, wanted := range []bool{true, false} {
		for _, f := range facts {
			if (f.row != nil) != wanted {
				continue
			}
			for _, e := range f.evidences() {
				if len(out) < maxEvidence && !slices.Contains(out, e) {
					out = append(out, e)
				}
			}
		}
	}
	return out
}

// bareIndicators makes findings of the indicators whose campaign has no rule. Check complains of those; an
// extension that is known to be bad must not pass for it.
func (s *subject) bareIndicators(covered map[string]bool) []Finding {
	byCampaign := map[string][]fact{}
	for _, f := range s.facts(s.rs.schema.byName["indicator"]) {
		// Of borrowed indicators the built-in ruleset tells.
		if !covered[f.row.campaign] && (f.row.org || !s.rs.borrowed) {
			byCampaign[f.row.campaign] = append(byCampaign[f.row.campaign], f)
		}
	}
	var out []Finding
	for _, campaign := range sortedKeys(byCampaign) {
		facts := byCampaign[campaign]
		level := "high"
		row := strongest(facts)
		if row.verdict == Malicious {
			level = "critical"
		}
		f := Finding{
			Rule: campaign, Title: "Known from the campaign " + campaign, Level: level, Verdict: row.verdict, Campaign: campaign,
			Evidence: evidence(facts), Response: s.rs.catalog.generic,
		}
		s.rs.catalog.soften(&f, facts)
		out = append(out, f)
	}
	return out
}

func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Verdict.rank(), a.Verdict.rank()),
			cmp.Compare(slices.Index(levels(), b.Level), slices.Index(levels(), a.Level)),
			strings.Compare(a.Rule, b.Rule),
		)
	})
}
