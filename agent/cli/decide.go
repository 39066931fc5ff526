package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/resident"
)

const blockLong = `Blocks an extension through the browser's own policy, for all users of the browser, after a copy of it was
kept as evidence. Nothing in anybody's folders is changed or deleted; 'unblock' takes it back. Without
--browser it is blocked in every browser that has it.`

func newBlock(c *console) *cobra.Command {
	var browser, reason string
	var all bool
	cmd := &cobra.Command{
		Use: "block ID [flags]", Short: "Let the browser refuse an extension", Long: blockLong, Args: oneID,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all && browser != "" {
				return usage("leave one away", "--all and --browser do not go together")
			}
			return decide(cmd.Context(), c, resident.Request{Do: "block", ID: args[0], Browser: browser, Reason: reason})
		},
	}
	cmd.Flags().StringVar(&browser, "browser", "", "only in this `BROWSER`, such as chrome")
	cmd.Flags().BoolVar(&all, "all", false, "in every browser that has it (the default)")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever asks later")
	return cmd
}

func newUnblock(c *console) *cobra.Command {
	var browser string
	cmd := &cobra.Command{
		Use: "unblock ID [flags]", Short: "Take a block back", Args: oneID,
		RunE: func(cmd *cobra.Command, args []string) error {
			return decide(cmd.Context(), c, resident.Request{Do: "unblock", ID: args[0], Browser: browser})
		},
	}
	cmd.Flags().StringVar(&browser, "browser", "", "only in this `BROWSER`")
	return cmd
}

const trustLong = `Says that you know an extension, so that you are not warned again of what was found in it. It holds for your own
profiles, for an administrator (sudo) for all. If it turns malicious you are warned nevertheless, unless
an administrator trusts it.`

func newTrust(c *console) *cobra.Command {
	var reason, until string
	cmd := &cobra.Command{
		Use: "trust ID --reason TEXT [flags]", Short: "Be warned no more of an extension that you know", Long: trustLong, Args: oneID,
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usage("add --reason 'why you trust it'", "a reason is missing")
			}
			q := resident.Request{Do: "trust", ID: args[0], Reason: reason}
			if until != "" {
				end, err := endOf(until, c.now())
				if err != nil {
					return err
				}
				q.Until = end
			}
			return decide(cmd.Context(), c, q)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever asks later")
	cmd.Flags().StringVar(&until, "until", "", "a `DATE` like 2027-01-31, or a number of days; for ever without it")
	return cmd
}

func newUntrust(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "untrust ID", Short: "Be warned again of an extension", Args: oneID,
		RunE: func(cmd *cobra.Command, args []string) error {
			return decide(cmd.Context(), c, resident.Request{Do: "untrust", ID: args[0]})
		},
	}
}

// oneID wants the ID of an extension.
func oneID(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && args[0] != "" {
		return nil
	}
	return usage("'extwatch scan --inventory' lists the IDs", "'%s' wants the ID of one extension", cmd.CommandPath())
}

// endOf is the end of a day, or so many days from now.
func endOf(text string, now time.Time) (time.Time, error) {
	if days, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil && days > 0 && days <= 3660 {
		return now.AddDate(0, 0, days), nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil || day.AddDate(0, 0, 1).Before(now) {
		return time.Time{}, usage("give a date to come, like 2027-01-31, or a number of days, like 30", "%q is no time until when it can be trusted", text)
	}
	return day.AddDate(0, 0, 1), nil
}

// decide asks for a decision and says what became of it.
func decide(ctx context.Context, c *console, q resident.Request) error {
	reply, err := ask(ctx, q)
	var lines []string
	for _, o := range reply.Done {
		text := fmt.Sprintf("%s in %s: %sed, holds %s", clean(o.ID, maxName), clean(o.Browser, maxName), q.Do, o.Effect)
		if o.Effect == "by hand" {
			text = fmt.Sprintf("%s in %s: do this by hand", clean(o.ID, maxName), clean(o.Browser, maxName))
		}
		lines = append(lines, text)
		for _, more := range []string{o.Policy, o.Note} {
			if more != "" {
				lines = append(lines, "  "+clean(more, maxErrorText))
			}
		}
	}
	for _, e := range reply.Evidence {
		lines = append(lines, "A copy is kept as evidence: "+e)
	}
	if err == nil && len(reply.Done) == 0 {
		word := map[string]string{"trust": "It is trusted", "untrust": "It is trusted no more"}[q.Do]
		if !q.Until.IsZero() {
			word += " until " + q.Until.Local().Format("2006-01-02 15:04")
		}
		lines = append(lines, word+".")
	}
	if perr := c.print(lines...); perr != nil {
		return perr
	}
	return err
}
