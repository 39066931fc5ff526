package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/resident"
	"github.com/extwatch/extwatch/agent/service"
)

const statusLong = `Says in ten lines whether this machine is protected.

Exit code: 0 protected and nothing is open, 3 protected and something suspicious or malicious is there that nobody has
blocked or trusts, 1 not protected.`

func newStatus(c *console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [flags]",
		Short: "Say whether this machine is protected",
		Long:  statusLong,
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), c, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func runStatus(ctx context.Context, c *console, asJSON bool) error {
	reply, err := ask(ctx, resident.Request{Do: "status"})
	s := reply.Status
	if err != nil {
		s = &resident.Status{Version: engineVersion}
	}
	if asJSON {
		if err := encode(c, s); err != nil {
			return err
		}
	} else if err := c.print(statusLines(c, s, err)...); err != nil {
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

// statusLines are the ten lines.
func statusLines(c *console, s *resident.Status, failed error) []string {
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
	last := "never"
	if !s.Sweep.IsZero() {
		last = fmt.Sprintf("%s ago, took %v", span(now.Sub(s.Sweep)), s.Took.Round(10*time.Millisecond))
	}
	page := "not served"
	if s.Page {
		page = "extwatch open"
	}
	memory := fmt.Sprintf("%d MB used, %d KB remembered", s.HeapBytes>>20, s.StoreBytes>>10)
	if s.Memory != "" {
		memory = "nothing can be kept on disk: " + clean(s.Memory, maxText)
	}
	lines = append(lines,
		line("rules", "%s: %s, %s, in use for %s", s.Feed, count(s.Rules, "rule"), count(s.Indicators, "indicator"), span(now.Sub(s.RulesAt))),
		line("watched", "%s in %s of %s, for %s", count(s.Extensions, "extension"), count(s.Profiles, "profile"), count(s.Browsers, "browser"), count(s.Users, "user")),
		line("last check", "%s", last),
		line("unreadable", "%s", count(s.Unreadable, "place")),
		line("open", "%d malicious, %d suspicious", s.Malicious, s.Suspicious),
		line("blocked", "%s", count(s.Blocked, "extension")),
		line("page", "%s", page),
		line("memory", "%s", memory))
	for _, p := range append(s.Mistakes, s.Problems...) {
		lines = append(lines, "  - "+clean(p, maxErrorText))
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
