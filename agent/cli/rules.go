package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/signatures"
)

const rulesExample = `  extwatch rules list                    what is looked for
  extwatch rules show wallet-imitation   one rule, as its author wrote it
  extwatch rules new my-rule             start one of your own
  extwatch rules check my-rule.yml       is it written rightly?
  extwatch rules test --rules ./rules    do its own cases pass?`

func newRules(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rules COMMAND",
		Short:   "List, show, write, check and test rules",
		Long:    "A rule says how to recognise one campaign or technique. Rules are Sigma rules: YAML files, one each.",
		Example: rulesExample,
		Args:    onlySubcommands,
		RunE:    showHelp,
	}
	cmd.AddCommand(newRulesList(c), newRulesShow(c), newRulesNew(c), newRulesCheck(c), newRulesTest(c))
	return cmd
}

// A jsonRule is a rule in "rules list --format json".
type jsonRule struct {
	Name       string             `json:"name"`
	Title      string             `json:"title"`
	ID         string             `json:"id"`
	Status     string             `json:"status"`
	Level      string             `json:"level"`
	Verdict    signatures.Verdict `json:"verdict"`
	Campaign   string             `json:"campaign,omitempty"`
	Path       string             `json:"path"`
	Tags       []string           `json:"tags"`
	References []string           `json:"references"`
	Feed       bool               `json:"feed"` // it comes from the organisation's feed, not with the program
}

func newRulesList(c *console) *cobra.Command {
	var format, dir, feed string
	cmd := &cobra.Command{
		Use:   "list [flags]",
		Short: "List the rules",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if format != "table" && format != "json" {
				return usage("the formats are table and json", "there is no format %q", format)
			}
			sets, err := loadRulesOver(feed, dir)
			if err != nil {
				return err
			}
			fed, err := ofFeed(feed)
			if err != nil {
				return err
			}
			rules := sets.sorted()
			if format == "json" {
				out := make([]jsonRule, 0, len(rules))
				for _, r := range rules {
					out = append(out, jsonRule{Name: r.Name, Title: r.Title, ID: r.ID, Status: r.Status, Level: r.Level,
						Verdict: r.Verdict, Campaign: r.Campaign, Path: r.Path, Tags: list(r.Tags), References: list(r.References), Feed: fed[r.Path]})
				}
				return encode(c, out)
			}
			return listRules(c, sets.info(), rules, fed)
		},
	}
	cmd.Flags().StringVar(&format, "format", "table", "`FORMAT`: table or json")
	cmd.Flags().StringVar(&dir, "rules", "", "list the rules in `DIR` too")
	cmd.Flags().StringVar(&feed, "feed", "", "list with the feed in `FOLDER`, where 'feed update --into' put it, instead of the service's")
	complete(cmd, "format", "table", "json")
	return cmd
}

// listRules writes the table of rules: the sternest first.
func listRules(c *console, info *jsonRuleset, rules []signatures.Rule, fed map[string]bool) error {
	width := 4
	for _, r := range rules {
		width = max(width, cells(r.Name))
	}
	width = min(width, 44)
	lines := []string{c.paint(shadeQuiet, fit("NAME", width)+"  "+fit("VERDICT", 10)+"  "+fit("LEVEL", 13)+"  TITLE")}
	for _, r := range rules {
		verdict := c.paint(shadeOf(r.Verdict), fit(string(r.Verdict), 10))
		title := clean(r.Title, 200) // a long line that the terminal wraps beats a title that ends in the middle
		if fed[r.Path] {
			title += " (from the feed)"
		}
		lines = append(lines, strings.TrimRight(fit(clean(r.Name, 100), width)+"  "+verdict+"  "+fit(r.Level, 13)+"  "+title, " "))
	}
	lines = append(lines, "", fmt.Sprintf("%s, %s, version %d", count(info.Rules, "rule"), count(info.Indicators, "indicator"), info.Version))
	return c.print(lines...)
}

func newRulesShow(c *console) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "show NAME [flags]",
		Short: "Show a rule as its author wrote it",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("run 'extwatch rules list' to see the names", "'extwatch rules show' takes one name")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			sets, err := loadRules(dir)
			if err != nil {
				return err
			}
			r, err := ruleNamed(sets.sorted(), args[0])
			if err != nil {
				return err
			}
			return c.print(strings.TrimRight(string(r.Source), "\n"))
		},
		ValidArgsFunction: completeRules,
	}
	cmd.Flags().StringVar(&dir, "rules", "", "look in the rules in `DIR` too")
	return cmd
}

// completeRules offers the names of the built-in rules.
func completeRules(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	sets, err := loadRules("")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, r := range sets.sorted() {
		names = append(names, r.Name+"\t"+r.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// ruleNamed finds a rule, or suggests one whose name holds the same word.
func ruleNamed(rules []signatures.Rule, name string) (signatures.Rule, error) {
	var near []string
	for _, r := range rules {
		if r.Name == name {
			return r, nil
		}
		if len(name) > 2 && (strings.Contains(r.Name, name) || strings.Contains(name, r.Name)) {
			near = append(near, r.Name)
		}
	}
	hint := "run 'extwatch rules list' to see the names"
	if len(near) > 0 {
		slices.Sort(near)
		hint = "did you mean " + strings.Join(first(near, 3), " or ") + "?"
	}
	return signatures.Rule{}, usage(hint, "there is no rule %q", name)
}
