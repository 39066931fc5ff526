package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/resident"
	"github.com/extwatch/extwatch/agent/store"
)

const historyLong = `Tells what the service remembers: all extensions, or one with its versions and findings. You see your own
profiles; an administrator (sudo) sees all.`

func newHistory(c *console) *cobra.Command {
	var asJSON bool
	var skip, limit int
	cmd := &cobra.Command{
		Use: "history [ID] [flags]", Short: "Tell what was seen, and when", Long: historyLong,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return oneID(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id := ""
			if len(args) == 1 {
				id = args[0]
			}
			if skip < 0 || limit < 0 {
				return usage("give 0 or more", "--skip and --limit count extensions")
			}
			return runHistory(cmd.Context(), c, resident.Request{Do: "history", ID: id, Skip: skip, Limit: limit}, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	cmd.Flags().IntVar(&limit, "limit", 50, "at most so many extensions; 0 is all")
	cmd.Flags().IntVar(&skip, "skip", 0, "leave out so many that came first")
	return cmd
}

func runHistory(ctx context.Context, c *console, q resident.Request, asJSON bool) error {
	reply, err := ask(ctx, q)
	if err != nil {
		return err
	}
	if asJSON {
		return encode(c, list(reply.History))
	}
	if len(reply.History) == 0 && reply.Total > 0 {
		return c.print(fmt.Sprintf("There are %d, and all were skipped.", reply.Total))
	}
	if len(reply.History) == 0 {
		return failed("'extwatch scan --inventory' lists what is there now", "nothing is known of it")
	}
	var lines []string
	for _, x := range reply.History {
		lines = append(lines, historyLines(c, x, q.ID != "")...)
	}
	if end := q.Skip + len(reply.History); end < reply.Total {
		lines = append(lines, fmt.Sprintf("%d of %d; the next: extwatch history --skip %d", len(reply.History), reply.Total, end))
	}
	return c.print(lines...)
}

// historyLines tells of one extension: in a line, or in full.
func historyLines(c *console, x store.Extension, full bool) []string {
	day := func(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }
	state := "there"
	switch {
	case !x.Gone.IsZero():
		state = "gone since " + day(x.Gone)
	case !x.Enabled:
		state = "disabled"
	}
	verdict := string(x.Result.Verdict)
	lines := []string{fmt.Sprintf("%s  %s %s %s in %s (%s, %s), %s", day(x.FirstSeen), c.paint(shadeOf(x.Result.Verdict), fit(verdict, 10)),
		clean(x.Name, maxName), clean(x.Version, 20), x.Browser, clean(x.User, maxName), clean(x.Profile, maxName), state)}
	if !full {
		return lines
	}
	lines = append(lines, "  "+clean(x.ID, maxName)+"  "+clean(x.Path, maxErrorText))
	for _, v := range slices.Backward(x.Versions) {
		lines = append(lines, fmt.Sprintf("  %s  version %s, until %s", day(v.FirstSeen), clean(v.Version, 20), day(v.LastSeen)))
	}
	for _, f := range slices.Backward(x.Findings) {
		text := fmt.Sprintf("  %s  %s: %s (%s)", day(f.Opened), f.Verdict, clean(f.Title, maxText), f.Rule)
		if !f.Told.IsZero() {
			text += ", told " + day(f.Told)
		}
		if !f.Closed.IsZero() {
			text += ", over " + day(f.Closed)
		}
		lines = append(lines, text)
	}
	return lines
}
