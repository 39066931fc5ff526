package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// rulesets are the built-in rules and, after them, those of a folder. Each judges on its own; the worst verdict counts.
type rulesets []*signatures.Ruleset

// loadRules gives the built-in rules with the service's feed above them, and those in dir beside them.
func loadRules(dir string) (rulesets, error) { return loadRulesOver("", dir) }

// loadRulesOver is loadRules with the feed in a folder; "" is the service's.
func loadRulesOver(feed, dir string) (rulesets, error) {
	builtin, _, err := loadFed(feed)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		return rulesets{builtin}, nil
	}
	extra, err := loadRulesFrom(dir)
	if err != nil {
		return nil, err
	}
	return rulesets{builtin, extra}, nil
}

// loadRulesFrom gives the rules in a folder.
func loadRulesFrom(dir string) (*signatures.Ruleset, error) {
	abs, err := directory(dir)
	if err != nil {
		return nil, err
	}
	rs, err := signatures.Load(os.DirFS(abs))
	if err != nil {
		hint := fmt.Sprintf("run 'extwatch rules check %s' to see all mistakes", dir)
		var d signatures.Defect
		if errors.As(err, &d) {
			return nil, usage(hint, "a rule in %q is wrong: %w", dir, d)
		}
		return nil, usage(hint, "the rules in %q cannot be used: %w", dir, err)
	}
	return rs, nil
}

// info counts what is looked for. The version is the built-in rules'.
func (r rulesets) info() *jsonRuleset {
	info := &jsonRuleset{}
	for i, rs := range r {
		if i == 0 {
			info.Version = rs.Version()
		}
		rules, indicators := rs.Counts()
		info.Rules, info.Indicators = info.Rules+rules, info.Indicators+indicators
	}
	return info
}

// exchanges tells how many exchanges are known: as many as an extension that may act on all sites reaches.
func (r rulesets) exchanges() int {
	if len(r) == 0 {
		return 0
	}
	everywhere := manifests.Manifest{Kind: manifests.KindExtension, ManifestVersion: 3, Hosts: []string{"<all_urls>"}}
	return len(r[0].Judge(signatures.Input{Extension: &manifests.Extension{Manifest: &everywhere, Enabled: true}}).Reach)
}

// merge joins what several rulesets think of one extension.
func merge(a, b signatures.Result) signatures.Result {
	if b.Verdict.Worse(a.Verdict) {
		a.Verdict = b.Verdict
	}
	a.Findings = slices.Concat(a.Findings, b.Findings)
	slices.SortStableFunc(a.Findings, func(x, y signatures.Finding) int { return worseFirst(x.Verdict, y.Verdict) })
	a.Problems = slices.Concat(a.Problems, b.Problems)
	slices.SortFunc(a.Problems, func(x, y manifests.Problem) int {
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.File, y.File), cmp.Compare(x.Reason, y.Reason))
	})
	a.Problems = slices.Compact(a.Problems)
	a.Partial = a.Partial || b.Partial
	if a.Decision == nil || b.Decision != nil && b.Decision.Action == "block" {
		a.Decision = b.Decision
	}
	a.SetAside = slices.Concat(a.SetAside, b.SetAside)
	return a
}

// sorted gives the rules by verdict, level and name.
func (r rulesets) sorted() []signatures.Rule {
	levels := []string{"critical", "high", "medium", "low", "informational"}
	var rules []signatures.Rule
	for _, rs := range r {
		rules = append(rules, rs.Rules()...)
	}
	slices.SortStableFunc(rules, func(a, b signatures.Rule) int {
		return cmp.Or(
			worseFirst(a.Verdict, b.Verdict),
			cmp.Compare(slices.Index(levels, a.Level), slices.Index(levels, b.Level)),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return rules
}
