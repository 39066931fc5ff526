package signatures

import (
	"cmp"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/manifests"
)

// maxEvidence is how much evidence one finding shows; more is not read.
const maxEvidence = 8

// Judge gives the verdict. It never fails: what could not be judged is a problem or the verdict unreadable.
//
// The verdict is the worst of the findings; without any it is unreadable when the extension could not be read, then
// capable when it reaches an exchange, then clean. An extension that is part of the browser is only ever judged by
// indicators that say malicious.
func (rs *Ruleset) Judge(in Input) Result {
	return rs.judge(rs.newSubject(in))
}

func (rs *Ruleset) judge(s *subject) Result {
	result := Result{Verdict: Clean, Reach: s.reach(), Partial: s.contents == nil && s.ext.Open != nil}
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
	sortFindings(result.Findings)
	switch {
	case s.ext.Unreadable != "":
		result.Verdict = Unreadable
	case len(result.Reach) > 0 && s.ext.Origin != manifests.OriginBuiltin:
		result.Verdict = Capable
	}
	for _, f := range result.Findings {
		if f.Verdict.Worse(result.Verdict) {
			result.Verdict = f.Verdict
		}
	}
	if s.contents != nil {
		result.Problems = slices.Clone(s.contents.Problems)
	}
	result.Problems = append(result.Problems, s.problems...)
	return result
}

// apply runs one rule.
func (r *Rule) apply(s *subject) (Finding, bool) {
	ok, facts := r.detection.eval(s)
	if !ok {
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
			if (f.row != nil) == wanted && len(out) < maxEvidence && !slices.Contains(out, f.evidence) {
				out = append(out, f.evidence)
			}
		}
	}
	return out
}

// bareIndicators makes findings of the indicators whose campaign has no rule. Check complains of those; an
// extension that is known to be bad must not pass for it.
func (s *subject) bareIndicators(covered map[string]bool) []Finding {
	if s.rs.borrowed {
		return nil // the built-in ruleset tells of them
	}
	byCampaign := map[string][]fact{}
	for _, f := range s.facts(s.rs.schema.byName["indicator"]) {
		if !covered[f.row.campaign] {
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
		out = append(out, Finding{
			Rule: campaign, Title: "Known from the campaign " + campaign, Level: level, Verdict: row.verdict, Campaign: campaign,
			Evidence: evidence(facts), Response: s.rs.catalog.generic,
		})
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

// maxOwnSteps is for how many exchanges the steps are told one by one. Beyond, a frightened person would have to
// work through dozens of lines; the general order is better.
const maxOwnSteps = 3

// Advice says what to do now, in order and without repetition: the steps of the worst finding, then those of the
// exchanges that the extension reaches, or the general ones when it reaches many. It is empty when there is nothing
// to warn of.
func (rs *Ruleset) Advice(ext *manifests.Extension, result Result) Response {
	advice := Response{User: []string{}, Admin: []string{}}
	switch {
	case result.Verdict == Unreadable && ext.Browser == "":
		advice.User = append(advice.User, "Install it nowhere until it can be read: what it does could not be checked.")
		return advice
	case result.Verdict == Unreadable:
		advice.User = append(advice.User,
			"Open the extensions page of the browser and look whether you know "+show(ext.Name())+".",
			"Remove it if you do not know it, or if you can do without it: what it does could not be checked.")
		return advice
	case !result.Verdict.Worse(Unreadable) || len(result.Findings) == 0:
		return advice
	}
	advice.User = append(advice.User, result.Findings[0].Response.User...)
	for _, f := range result.Findings {
		advice.Admin = append(advice.Admin, f.Response.Admin...)
	}
	// What follows closes accounts and changes keys. A suspicion alone does not call for it.
	if result.Verdict == Suspicious && len(result.Reach) > 0 {
		advice.User = append(advice.User, "Go on with these steps at once if you see a login, trade, withdrawal or API key that is not yours.")
	}
	if len(result.Reach) > maxOwnSteps {
		advice.User = append(advice.User, "Do the following on every exchange that you use, in this order.")
		advice.User = append(advice.User, rs.catalog.generic.User...)
	} else {
		for _, r := range result.Reach {
			advice.User = append(advice.User, rs.exchangeSteps(r)...)
		}
	}
	advice.Admin = append(advice.Admin, rs.catalog.generic.Admin...)
	advice.User, advice.Admin = unique(advice.User), unique(advice.Admin)
	return advice
}

func (rs *Ruleset) exchangeSteps(r Reach) []string {
	var out []string
	for _, e := range rs.catalog.exchanges {
		if e.slug != r.Exchange {
			continue
		}
		for _, step := range e.response.User {
			out = append(out, e.title+": "+step)
		}
	}
	return out
}
