package cli

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing/fstest"

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

// checkSource says what is wrong with a feed's source. It is judged as machines use it: together with the built-in rules,
// which cover campaigns that the feed has indicators of.
func checkSource(ctx context.Context, source fs.FS) (out []error) {
	own, err := ownFiles(source)
	if err != nil {
		return []error{err}
	}
	builtin, err := signatures.Builtin()
	if err != nil {
		return []error{fmt.Errorf("load the built-in rules: %w", err)}
	}
	rs, err := signatures.Load(own)
	if err != nil { // the mistakes of the files alone; those with the rest would only hide them
		for _, d := range signatures.Check(ctx, own) {
			out = append(out, d)
		}
		return out
	}
	for _, d := range clashes(rs, builtin) {
		out = append(out, d)
	}
	if len(out) > 0 {
		return out
	}
	all := fstest.MapFS{}
	for _, r := range builtin.Rules() {
		all[r.Path] = &fstest.MapFile{Data: r.Source, Mode: 0o444}
	}
	maps.Copy(all, own)
	for _, d := range signatures.Check(ctx, all) {
		// A built-in rule may miss the built-in lists here; its own mistakes are no business of the feed's author.
		if _, theirs := own[d.Path]; theirs || !strings.HasSuffix(d.Path, ".yml") {
			out = append(out, d)
		}
	}
	return out
}

// ownFiles reads a feed's source.
func ownFiles(source fs.FS) (fstest.MapFS, error) {
	files := fstest.MapFS{}
	err := fs.WalkDir(source, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read source/: %w", err)
		}
		if _, ok := publisher.Belongs(name); !ok || e.IsDir() {
			return nil
		}
		data, err := fs.ReadFile(source, name)
		if err != nil {
			return fmt.Errorf("read source/: %w", err)
		}
		files[name] = &fstest.MapFile{Data: data, Mode: 0o444}
		return nil
	})
	return files, err
}

// clashes finds rules that have the name or the ID of a built-in one in another file. One in the same file replaces it.
func clashes(rs, builtin *signatures.Ruleset) (defects []signatures.Defect) {
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
	return defects
}

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
