package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

func newRulesTest(c *console) *cobra.Command {
	var dir, against string
	cmd := &cobra.Command{
		Use:   "test [NAME...] [flags]",
		Short: "Run the cases that rules bring along, or try rules on real extensions",
		Long: `Every rule brings examples of what it must and must not match. This runs them: all, or those of the
rules NAME. With --against it runs the rules on the extensions at PATH instead and tells what they
would match there.

Exit code: 0 all passed (or nothing matched), 1 a case failed, 2 wrong usage, 3 something matched.`,
		Example: `  extwatch rules test
  extwatch rules test my-rule --rules ./rules
  extwatch rules test my-rule --rules ./rules --against ~/.config/google-chrome`,
		RunE: func(cmd *cobra.Command, names []string) error {
			rs, err := rulesToTest(dir, names)
			if err != nil {
				return err
			}
			if against != "" {
				return tryRules(cmd.Context(), c, rs, names, against)
			}
			return runCases(cmd.Context(), c, rs, names)
		},
		ValidArgsFunction: completeRules,
	}
	cmd.Flags().StringVar(&dir, "rules", "", "test the rules in `DIR` instead of the built-in ones")
	cmd.Flags().StringVar(&against, "against", "", "run the rules on the extensions at `PATH`")
	return cmd
}

// rulesToTest gives the ruleset that holds all the names.
func rulesToTest(dir string, names []string) (*signatures.Ruleset, error) {
	sets, err := loadRules("")
	if err != nil {
		return nil, err
	}
	rs := sets[0]
	if dir != "" {
		if rs, err = loadRulesFrom(dir); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		if _, err := ruleNamed(rs.Rules(), name); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

// runCases runs the rules' own cases.
func runCases(ctx context.Context, c *console, rs *signatures.Ruleset, names []string) error {
	if len(names) == 0 {
		names = []string{""} // all
	}
	passed, failures := 0, 0
	for _, name := range names {
		results, err := rs.RunCases(ctx, name)
		if err != nil {
			return fmt.Errorf("run the cases: %w", err)
		}
		for _, r := range results {
			if r.Passed {
				passed++
			} else {
				failures++
			}
			if err := c.print(caseLine(c, r)); err != nil {
				return err
			}
		}
	}
	if failures > 0 {
		return failed("the case's line says what the rule should do; 'extwatch rules show NAME' shows it",
			"%s of %d failed", count(failures, "case"), passed+failures)
	}
	return c.print(count(passed, "case") + " passed")
}

func caseLine(c *console, r signatures.CaseResult) string {
	mark, kind := c.paint(shadeGood, "pass"), "no_match"
	if !r.Passed {
		mark = c.paint(shadeBad, "FAIL")
	}
	if r.Match {
		kind = "match"
	}
	line := fmt.Sprintf("%s  %s: %s: %s", mark, clean(r.Rule, maxName), kind, clean(r.Case, maxName))
	if !r.Passed {
		line += fmt.Sprintf(" (line %d of the rule)", r.Line)
	}
	return line
}

// tryRules runs rules on real extensions: what would they warn of?
func tryRules(ctx context.Context, c *console, rs *signatures.Ruleset, names []string, path string) error {
	abs, err := existing(path)
	if err != nil {
		return err
	}
	s := &scanner{inventory: inventory.NewReader(inventory.Config{}), rules: rulesets{rs}, progress: newProgress(c, true)}
	if s.code, err = newAnalyst(); err != nil {
		return err
	}
	defer s.code.Close()
	r := &report{judged: true}
	r.extensions, r.problems = s.paths(ctx, []string{abs})
	s.progress.finish()
	r.sort()
	if ctx.Err() != nil {
		return interrupted("not all extensions were looked at")
	}
	matched := 0
	for i := range r.extensions {
		lines := matches(c, &r.extensions[i], names)
		if len(lines) > 0 {
			matched++
		}
		if err := c.print(lines...); err != nil {
			return err
		}
	}
	for _, p := range r.problems {
		c.note("not read: %s", problem(p))
	}
	if err := c.print(fmt.Sprintf("%d of %s matched", matched, count(len(r.extensions), "extension"))); err != nil {
		return err
	}
	if matched > 0 {
		return errFindings
	}
	return nil
}

// matches says which of the named rules (all, without names) matched an extension, and where.
func matches(c *console, j *judged, names []string) []string {
	var lines []string
	for _, f := range j.result.Findings {
		if len(names) > 0 && !slices.Contains(names, f.Rule) {
			continue
		}
		if len(lines) == 0 {
			lines = append(lines, matchHead(&j.ext))
		}
		lines = append(lines, "  "+c.paint(shadeOf(f.Verdict), f.Rule))
		for _, ev := range first(f.Evidence, maxWhy) {
			lines = append(lines, wrap(evidence(ev), "    - ", "      ", c.width)...)
		}
	}
	return lines
}

func matchHead(e *manifests.Extension) string {
	return fmt.Sprintf("\"%s\" %s (%s)", clean(e.Name(), maxName), clean(e.Version(), 20), clean(e.Path, 400))
}
