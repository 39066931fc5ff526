package cli

import (
	"fmt"

	"github.com/extwatch/extwatch/agent/dashboard"
	"github.com/extwatch/extwatch/signatures"
)

// writeHTML writes the report as one page for a person who is not at the terminal, or who gets it by mail.
func writeHTML(c *console, r *report) error {
	page := dashboard.Report{Made: c.now(), Engine: engineVersion, Problems: r.problems}
	var rules *signatures.Ruleset
	if r.judged && len(r.rules) > 0 {
		rules, page.Ruleset = r.rules[0], r.rules[0].Version()
	}
	for i := range r.extensions {
		j := &r.extensions[i]
		page.Subjects = append(page.Subjects, dashboard.Subject{
			Extension: &j.ext, Result: j.result, Behavior: j.code, Profile: profileTitle(&j.ext, j.profile),
		})
	}
	if err := dashboard.WriteReport(c.out, rules, page); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	return nil
}
