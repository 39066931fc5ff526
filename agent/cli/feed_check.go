package cli

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/feed/publisher"
)

func newFeedCheck(c *console) *cobra.Command {
	f := &feedFlags{}
	cmd := &cobra.Command{
		Use:   "check [flags]",
		Short: "Tell every mistake in a feed's source",
		Long: `Checks all that 'feed publish' would publish: all that 'extwatch rules check' insists on, the rules' own cases, the
extensions that everybody has, the lists of indicators, and the decisions.

Exit code: 0 no mistake, 1 error, 2 mistakes.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.open(c)
			if err != nil {
				return err
			}
			defects, err := p.Check(cmd.Context())
			if cmd.Context().Err() != nil {
				return interrupted("not all was checked")
			}
			if err != nil {
				return feedError(err)
			}
			if err := mistakes(c, defects, ""); err != nil {
				return err
			}
			return c.print("checked: no mistake")
		},
	}
	f.folder(cmd)
	return cmd
}

// checkSource says what is wrong with a feed's source.
func checkSource(ctx context.Context, source fs.FS) []error {
	var out []error
	for _, d := range signatures.Check(ctx, withoutDecisions{source}) {
		out = append(out, d)
	}
	for _, d := range append(checkDecisions(source, "decisions.yml"), checkDecisions(source, "org/decisions.yml")...) {
		out = append(out, d)
	}
	if len(out) > 0 {
		return out
	}
	clashes, err := clashes(source)
	if err != nil {
		return []error{err}
	}
	return clashes
}

// clashes finds rules that have the name or the ID of a built-in one in another file. One in the same file replaces it.
func clashes(source fs.FS) (defects []error, err error) {
	builtin, err := signatures.Builtin()
	if err != nil {
		return nil, fmt.Errorf("load the built-in rules: %w", err)
	}
	rs, err := signatures.Load(withoutDecisions{source})
	if err != nil {
		return nil, fmt.Errorf("load the feed's rules: %w", err)
	}
	for _, r := range rs.Rules() {
		for _, b := range builtin.Rules() {
			switch {
			case r.Path == b.Path:
			case r.Name == b.Name:
				defects = append(defects, signatures.Defect{Path: r.Path, Line: 1, Reason: "name: the same as of a built-in rule", Hint: "choose another; or put it into " + b.Path + ", to replace that one"})
			case r.ID == b.ID:
				defects = append(defects, signatures.Defect{Path: r.Path, Line: 1, Reason: "id: the same as of the built-in rule " + b.Name, Hint: "make one with uuidgen"})
			}
		}
	}
	return defects, nil
}

// withoutDecisions is a feed's source without what is no rule.
type withoutDecisions struct{ fs.FS }

// ReadDir implements [fs.ReadDirFS].
func (w withoutDecisions) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(w.FS, name)
	return slices.DeleteFunc(list, func(e fs.DirEntry) bool {
		return e.Name() == "decisions.yml" || strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), "~")
	}), err
}

// ReadFile implements [fs.ReadFileFS].
func (w withoutDecisions) ReadFile(name string) ([]byte, error) { return fs.ReadFile(w.FS, name) }

// Stat implements [fs.StatFS].
func (w withoutDecisions) Stat(name string) (fs.FileInfo, error) { return fs.Stat(w.FS, name) }

func newFeedDiff(c *console) *cobra.Command {
	f := &feedFlags{}
	cmd := &cobra.Command{
		Use:   "diff [flags]",
		Short: "Tell what would be published",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.open(c)
			if err != nil {
				return err
			}
			changes, err := p.Diff(cmd.Context())
			if err != nil {
				return feedError(err)
			}
			if len(changes) == 0 {
				return c.print("nothing differs from what is published")
			}
			return c.print(changeLines(c, changes)...)
		},
	}
	f.folder(cmd)
	return cmd
}

// maxRows bounds how many rows of a list are shown of each kind.
const maxRows = 10

// changeLines words what differs: one line for a file, and one for each row of a list.
func changeLines(c *console, changes []publisher.Change) (lines []string) {
	for _, ch := range changes {
		mark, s := "~", shadeWarn
		switch ch.What {
		case "added":
			mark, s = "+", shadeGood
		case "removed":
			mark, s = "-", shadeBad
		}
		line := c.paint(s, mark) + " " + clean(ch.Path, maxErrorText)
		if len(ch.Added)+len(ch.Removed) > 0 {
			line += fmt.Sprintf("  +%d -%d", len(ch.Added), len(ch.Removed))
		}
		lines = append(lines, line)
		lines = append(lines, rowLines("+", ch.Added)...)
		lines = append(lines, rowLines("-", ch.Removed)...)
	}
	return lines
}

func rowLines(sign string, rows []string) (lines []string) {
	for _, row := range first(rows, maxRows) {
		lines = append(lines, "    "+sign+" "+clean(row, maxText))
	}
	if more := len(rows) - maxRows; more > 0 {
		lines = append(lines, fmt.Sprintf("    %s … and %d more", sign, more))
	}
	return lines
}
