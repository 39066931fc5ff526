package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/extwatch/extwatch/signatures/feed/publisher"
)

// A sourceDir is the folder source/ of a feed, or org/ in it.
type sourceDir struct {
	*os.Root
	prefix string // "" or "org/"
}

// openSource opens the source of the feed that the flags name.
func openSource(c *console, f *feedFlags, role string) (*sourceDir, error) {
	if role != "targets" && role != "org" {
		return nil, usage("the authors' roles are targets and org", "there is no author's role %q", role)
	}
	if _, err := f.open(c); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(filepath.Join(f.dir, "source"))
	if err != nil {
		return nil, failed("make it: mkdir "+filepath.Join(f.dir, "source"), "open the feed's source: %w", err)
	}
	s := &sourceDir{Root: root}
	if role == "org" {
		s.prefix = "org/"
	}
	return s, nil
}

// read reads a file of the source; one that is not there is empty.
func (s *sourceDir) read(name string) ([]byte, error) {
	data, err := s.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

func (s *sourceDir) write(name string, data []byte) error {
	if err := s.MkdirAll(path.Dir(name), 0o755); err != nil {
		return failed("is the disk full?", "write %s: %w", name, err)
	}
	if err := s.WriteFile(name, data, 0o644); err != nil {
		return failed("is the disk full?", "write %s: %w", name, err)
	}
	return nil
}

type feedAdd struct {
	feedFlags
	role         string
	block, trust string
	d            decision
	until        string
}

func newFeedAdd(c *console) *cobra.Command {
	f := &feedAdd{}
	cmd := &cobra.Command{
		Use:   "add [FILE...] [flags]",
		Short: "Put rules, lists of indicators or a decision into a feed's source",
		Long: `Copies rules (.yml) and lists of indicators (.csv) to their places in the feed's source, or writes down what your
organisation thinks of one extension. The rows of a list are added to those that are there. Nothing is published
before 'extwatch feed publish'.`,
		Example: `  extwatch feed add my-rule.yml extensions.csv
  extwatch feed add --block aaaabbbbccccddddeeeeffffgggghhhh --reason 'not needed for work' --owner it@corp.example
  extwatch feed add --trust aaaabbbbccccddddeeeeffffgggghhhh --reason 'our own' --owner it@corp.example --until 2027-01-31`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), c, args) },
	}
	f.folder(cmd)
	cmd.Flags().StringVar(&f.role, "role", "targets", "`ROLE` that signs it: targets or org")
	cmd.Flags().StringVar(&f.block, "block", "", "block the extension with this `ID`")
	cmd.Flags().StringVar(&f.trust, "trust", "", "trust the extension with this `ID`")
	cmd.Flags().StringVar(&f.d.Reason, "reason", "", "why, for whoever asks later")
	cmd.Flags().StringVar(&f.d.Owner, "owner", "", "whom to ask: a person or a team")
	cmd.Flags().StringVar(&f.until, "until", "", "a `DATE` like 2027-01-31, or a number of days; trust needs it")
	cmd.Flags().StringArrayVar(&f.d.Overrides, "overrides", nil, "`CAMPAIGN` that says malicious and is not to count for a trusted extension")
	cmd.Flags().StringArrayVar(&f.d.Versions, "version", nil, "only this exact `VERSION`")
	cmd.Flags().StringArrayVar(&f.d.Browser, "browser", nil, "only in this `BROWSER`")
	return cmd
}

func (f *feedAdd) run(_ context.Context, c *console, files []string) error {
	deciding := f.block != "" || f.trust != ""
	switch {
	case f.block != "" && f.trust != "":
		return usage("leave one away", "--block and --trust do not go together")
	case deciding && len(files) > 0:
		return usage("do one after the other", "files and a decision do not go together")
	case !deciding && len(files) == 0:
		return usage("for example: extwatch feed add my-rule.yml", "there is nothing to add")
	}
	s, err := openSource(c, &f.feedFlags, f.role)
	if err != nil {
		return err
	}
	defer s.Close()
	if deciding {
		return f.decide(c, s)
	}
	for _, file := range files {
		if err := addFile(c, s, file); err != nil {
			return err
		}
	}
	return nil
}

func (f *feedAdd) decide(c *console, s *sourceDir) error {
	f.d.Action, f.d.ID = "block", f.block
	if f.trust != "" {
		f.d.Action, f.d.ID = "trust", f.trust
	}
	if f.until != "" {
		end, err := endOf(f.until, c.now())
		if err != nil {
			return err
		}
		f.d.Until = end.AddDate(0, 0, -1).Format("2006-01-02") // the last day, which counts
	}
	if err := f.d.wrong(); err != nil {
		return usage("give --reason, --owner and, to trust, --until", "this decision cannot be published: %w", err)
	}
	name := s.prefix + "decisions.yml"
	text, err := s.read(name)
	if err != nil {
		return badPath(name, err)
	}
	if text, err = addDecision(text, f.d); err != nil {
		return usage("change it there, or remove it first", "%s: %w", name, err)
	}
	if err := s.write(name, text); err != nil {
		return err
	}
	return c.print("added to " + name + ": " + f.d.Action + " " + clean(f.d.ID, maxName))
}

// addFile copies one file to its place.
func addFile(c *console, s *sourceDir, file string) error {
	data, name, err := placeOf(file)
	if err != nil {
		return err
	}
	name = s.prefix + name
	if _, ok := publisher.Belongs(name); !ok {
		return usage("rules are named like my-rule.yml, with lower-case letters, digits and hyphens", "%q cannot be part of a feed", file)
	}
	old, err := s.read(name)
	if err != nil {
		return badPath(name, err)
	}
	text := "added " + name
	switch {
	case path.Ext(name) == ".csv" && old != nil:
		var n int
		if data, n, err = mergeRows(old, data); err != nil {
			return usage("give both the same first line", "%s: %w", file, err)
		}
		text = fmt.Sprintf("added %s to %s", count(n, "row"), name)
	case old != nil && bytes.Equal(old, data):
		text = "no change: " + name
	case old != nil:
		text = "replaced " + name
	}
	if err := s.write(name, data); err != nil {
		return err
	}
	return c.print(text)
}

// placeOf reads a file and tells where it belongs.
func placeOf(file string) (data []byte, name string, err error) {
	if filepath.Ext(file) == ".yml" {
		if data, err = readRule(file, file); err != nil {
			return nil, "", err
		}
		var rule struct {
			Campaign  string `yaml:"campaign"`
			Detection any    `yaml:"detection"`
		}
		if err := yaml.Unmarshal(data, &rule); err != nil || rule.Detection == nil {
			return nil, "", usage("run 'extwatch rules check "+file+"' to see all mistakes", "%q is not a rule", file)
		}
		folder := "techniques/"
		if rule.Campaign != "" {
			folder = "campaigns/"
		}
		return data, folder + filepath.Base(file), nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, "", badPath(file, err)
	}
	if filepath.Ext(file) != ".csv" || !info.Mode().IsRegular() || info.Size() > maxListFile {
		return nil, "", usage("give rules that end in .yml, or lists that end in .csv", "%q cannot be added", file)
	}
	if data, err = os.ReadFile(file); err != nil {
		return nil, "", badPath(file, err)
	}
	head, _, _ := bytes.Cut(data, []byte("\n"))
	for first, list := range map[string]string{"id,browser,versions,": "extensions.csv", "sha256,": "files.csv", "domain,": "domains.csv"} {
		if strings.HasPrefix(string(head), first) {
			return data, "indicators/" + list, nil
		}
	}
	return nil, "", usage("see signatures/README.md; 'extwatch feed import' turns public lists into this form",
		"the first line of %q is none of a list of indicators", file)
}

// maxListFile bounds a list in bytes; the engine's own bound is the same.
const maxListFile = 50 << 20

// mergeRows adds the rows of a list that another does not have.
func mergeRows(old, more []byte) (all []byte, added int, err error) {
	oldHead, oldRows, _ := strings.Cut(string(old), "\n")
	head, rows, _ := strings.Cut(string(more), "\n")
	if strings.TrimSpace(oldHead) != strings.TrimSpace(head) {
		return nil, 0, fmt.Errorf("its columns are not those of the list that is there: %s", strings.TrimSpace(oldHead))
	}
	have := map[string]bool{}
	var lines []string
	for line := range strings.Lines(oldRows + "\n") {
		if line = strings.TrimSpace(line); line != "" {
			have[line] = true
			lines = append(lines, line)
		}
	}
	for line := range strings.Lines(rows + "\n") {
		if line = strings.TrimSpace(line); line != "" && !have[line] {
			have[line] = true
			lines = append(lines, line)
			added++
		}
	}
	slices.Sort(lines)
	return []byte(strings.TrimSpace(head) + "\n" + strings.Join(lines, "\n") + "\n"), added, nil
}

func newFeedRemove(c *console) *cobra.Command {
	f := &feedFlags{}
	role := "targets"
	cmd := &cobra.Command{
		Use:   "remove NAME... [flags]",
		Short: "Take a rule, a list, a row of a list or a decision out of a feed's source",
		Long: `Takes out of the source what has this name: a rule (my-rule), a file (indicators/domains.csv), or whatever is listed
or decided about one extension ID, file hash or domain. Nothing is published before 'extwatch feed publish'.`,
		Example: `  extwatch feed remove my-rule
  extwatch feed remove aaaabbbbccccddddeeeeffffgggghhhh`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("for example: extwatch feed remove my-rule", "there is nothing to remove")
			}
			s, err := openSource(c, f, role)
			if err != nil {
				return err
			}
			defer s.Close()
			for _, name := range args {
				if err := removeNamed(c, s, name); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.folder(cmd)
	cmd.Flags().StringVar(&role, "role", "targets", "`ROLE` that signs it: targets or org")
	return cmd
}

func removeNamed(c *console, s *sourceDir, name string) error {
	for _, file := range []string{name, "campaigns/" + name + ".yml", "techniques/" + name + ".yml"} {
		file = s.prefix + strings.TrimPrefix(filepath.ToSlash(file), s.prefix)
		if _, ok := publisher.Belongs(file); !ok {
			continue
		}
		if err := s.Remove(file); err == nil {
			return c.print("removed " + file)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return badPath(file, err)
		}
	}
	var lines []string
	decisions := s.prefix + "decisions.yml"
	text, err := s.read(decisions)
	if err != nil {
		return badPath(decisions, err)
	}
	if len(text) > 0 {
		rest, n, err := removeDecision(text, name)
		if err != nil {
			return usage("correct the file", "%s: %w", decisions, err)
		}
		if n > 0 {
			if err := s.write(decisions, rest); err != nil {
				return err
			}
			lines = append(lines, fmt.Sprintf("removed %s from %s", count(n, "decision"), decisions))
		}
	}
	for _, list := range []string{"extensions", "files", "domains"} {
		file := s.prefix + "indicators/" + list + ".csv"
		n, err := removeRows(s, file, name)
		if err != nil {
			return err
		}
		if n > 0 {
			lines = append(lines, fmt.Sprintf("removed %s from %s", count(n, "row"), file))
		}
	}
	if len(lines) == 0 {
		return usage("'extwatch feed diff' and the folder source show what there is", "nothing in the feed's source is named %q", name)
	}
	return c.print(lines...)
}

// removeRows takes the rows about one value out of a list.
func removeRows(s *sourceDir, file, value string) (gone int, err error) {
	data, err := s.read(file)
	if err != nil {
		return 0, badPath(file, err)
	}
	var kept []string
	for line := range strings.Lines(string(data)) {
		if first, _, _ := strings.Cut(line, ","); len(kept) > 0 && strings.EqualFold(first, value) {
			gone++
			continue
		}
		kept = append(kept, line)
	}
	if gone == 0 {
		return 0, nil
	}
	return gone, s.write(file, []byte(strings.Join(kept, "")))
}
