package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/resident"
	"github.com/extwatch/extwatch/agent/service"
)

const statusLong = `Says in at most ten lines whether this machine is protected. With --all it also lists each extension that your
organisation trusts or blocks, each place that could not be read and each mistake in the settings (as administrator).

Exit code: 0 protected and nothing is open, 3 protected and something suspicious or malicious is there that nobody has
blocked or trusts, 1 not protected.`

func newStatus(c *console) *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "status [flags]",
		Short: "Say whether this machine is protected",
		Long:  statusLong,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), c, asJSON, all) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	cmd.Flags().BoolVar(&all, "all", false, "list all problems, not only the first")
	return cmd
}

func runStatus(ctx context.Context, c *console, asJSON, all bool) error {
	reply, err := ask(ctx, resident.Request{Do: "status"})
	s := reply.Status
	if err != nil {
		s = &resident.Status{Version: engineVersion}
	}
	if asJSON {
		if err := encode(c, s); err != nil {
			return err
		}
	} else if err := c.print(statusLines(c, s, err, all)...); err != nil {
		return err
	}
	switch {
	case err != nil:
		return err
	case !s.Running:
		return failed("start it with 'sudo extwatch service start'", "the service does not run")
	case !s.Protected():
		return failed("wait a moment: the first check takes seconds", "the service has just started, and has not looked at everything yet")
	case s.Malicious+s.Suspicious > 0:
		return errFindings
	}
	return nil
}

// statusLines are at most ten lines, but for all problems.
func statusLines(c *console, s *resident.Status, failed error, all bool) []string {
	now := c.now()
	line := func(name, format string, args ...any) string { return fit(name, 12) + fmt.Sprintf(format, args...) }
	head := c.paint(shadeGood, "protected")
	switch {
	case !s.Protected():
		head = c.paint(shadeBad, "not protected")
	case s.Malicious+s.Suspicious > 0:
		head = c.paint(shadeBad, "protected, and something needs you")
	}
	lines := []string{line("machine", "%s", head), line("service", "%s, ExtWatch %s", serviceText(s, now), s.Version)}
	if failed != nil {
		return lines
	}
	checked := "not yet"
	if !s.Sweep.IsZero() {
		checked = fmt.Sprintf("all of it %s ago, in %v", span(now.Sub(s.Sweep)), s.Took.Round(10*time.Millisecond))
	}
	needs := "nothing"
	if s.Malicious+s.Suspicious > 0 {
		needs = fmt.Sprintf("%d malicious, %d suspicious: run 'extwatch open'", s.Malicious, s.Suspicious)
	}
	page := "not served"
	if s.Page {
		page = "extwatch open"
	}
	memory := fmt.Sprintf("%d MB used, %d KB remembered", s.HeapBytes>>20, s.StoreBytes>>10)
	if s.Waiting > 0 {
		memory += fmt.Sprintf(", %s for other systems", count(s.Waiting, "message"))
	}
	if s.Memory != "" {
		memory = "nothing can be kept on disk: " + clean(s.Memory, maxText)
	}
	lines = append(lines,
		line("rules", "%s: %s, %s, in use for %s", s.Feed, count(s.Rules, "rule"), count(s.Indicators, "indicator"), span(now.Sub(s.RulesAt))),
		line("watched", "%s in %s of %s, for %s", count(s.Extensions, "extension"), count(s.Profiles, "profile"), count(s.Browsers, "browser"), count(s.Users, "user")),
		line("checked", "%s", checked),
		line("needs you", "%s", needs),
		line("blocked", "%s", blockedText(s, all)))
	if s.Updates == nil && s.FeedError == "" {
		lines = append(lines, line("page", "%s", page))
	} else { // ten lines are read at a glance: the page is the one that everybody finds
		lines = append(lines, line("feed", "%s", feedText(s, now)))
	}
	lines = append(lines, line("memory", "%s", memory))
	if all {
		lines = append(lines, decisionLines(line, s)...)
	}
	return append(lines, problemLines(line, s, all)...)
}

// blockedText counts what the browser is told to block, and what the organisation decided of.
func blockedText(s *resident.Status, all bool) string {
	text := count(s.Blocked, "extension")
	by := map[string]int{}
	for _, d := range s.Decisions {
		by[d.Decision.Action]++
	}
	if n := by["block"]; n > 0 {
		text += fmt.Sprintf("; your organisation blocks %d", n)
	}
	if n := by["trust"]; n > 0 {
		text += fmt.Sprintf("; your organisation trusts %d", n)
	}
	if len(by) > 0 && !all {
		text += ": extwatch status --all"
	}
	return text
}

// decisionLines say what the organisation decided of, why and until when.
func decisionLines(line func(string, string, ...any) string, s *resident.Status) (lines []string) {
	for i := range s.Decisions {
		d := &s.Decisions[i]
		until := ""
		if day := d.Decision.LastDay(); day != "" {
			until = " until " + day
		}
		lines = append(lines, line(d.Decision.Action, "%s: %s %ss this%s: %s (%s)", clean(d.Name, maxName), clean(d.Decision.By, maxName),
			d.Decision.Action, until, clean(d.Decision.Reason, maxText), clean(d.Decision.Owner, maxText)))
	}
	return lines
}

// problemLines says what is wrong, in one line unless all is asked for.
func problemLines(line func(string, string, ...any) string, s *resident.Status, all bool) []string {
	known := append(slices.Clone(s.Mistakes), s.Problems...)
	total := max(len(known), len(s.Mistakes)+s.Unreadable)
	switch {
	case total == 0:
		return nil
	case len(known) == 0: // others' places are none of this person's business
		return []string{line("problems", "%s could not be read", count(s.Unreadable, "place"))}
	case !all && total == 1:
		return []string{line("problem", "%s", clean(known[0], maxText))}
	case !all:
		return []string{line("problems", "%d, the first: %s; all: extwatch status --all", total, clean(known[0], maxText))}
	}
	var lines []string
	for _, p := range known {
		lines = append(lines, line("problem", "%s", clean(p, maxErrorText)))
	}
	if more := total - len(known); more > 0 {
		lines = append(lines, line("problem", "and %d more", more))
	}
	return lines
}

func serviceText(s *resident.Status, now time.Time) string {
	if s.Running {
		return "runs for " + span(now.Sub(s.Started))
	}
	state, err := service.Query()
	switch {
	case err != nil:
		return "cannot be asked for: " + err.Error()
	case state.Running:
		return strings.TrimSpace("runs, and does not answer " + state.Detail)
	case state.Installed:
		return "installed, does not run"
	}
	return "not installed"
}

// span words a time in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return count(int(d.Seconds()), "second")
	case d < 2*time.Hour:
		return count(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour")
	}
	return count(int(d.Hours()/24), "day")
}

// feedText says where the organisation's rules come from, and how old they are.
func feedText(s *resident.Status, now time.Time) string {
	u := s.Updates
	switch {
	case s.FeedError != "":
		return "not used: " + clean(s.FeedError, maxText)
	case u.Version == 0:
		return "none yet" + feedWarning(u.Warning)
	}
	text := fmt.Sprintf("version %d, here for %s", u.Version, span(now.Sub(u.Changed)))
	if u.Mirror != "" && !u.Success.IsZero() {
		text += fmt.Sprintf(", proved current %s ago by %s", span(now.Sub(u.Success)), clean(u.Mirror, maxText))
	}
	return text + feedWarning(u.Warning)
}

func feedWarning(text string) string {
	if text == "" {
		return ""
	}
	return "; " + clean(text, maxText)
}
