package cli

import "github.com/spf13/cobra"

func newFeed(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "feed COMMAND",
		Short: "Sign rules and indicators, and give them to your machines",
		Args:  onlySubcommands,
		RunE:  showHelp,
	}
	cmd.AddCommand(newFeedImport(c))
	return cmd
}
