package cli

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/places"
	"github.com/extwatch/extwatch/agent/response"
)

// newRelease is what the scripts of packages call before the program goes.
func newRelease(c *console) *cobra.Command {
	var purge bool
	cmd := &cobra.Command{
		Use:    "release",
		Short:  "Take all blocks back, before a package is removed",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := releaseBlocks(cmd.Context(), places.Here().State)
			if err != nil {
				return err
			}
			if purge {
				if err := errors.Join(os.RemoveAll(places.Here().State), os.RemoveAll(places.Here().Logs)); err != nil {
					return failed("remove it by hand", "cannot remove what the service remembered: %v", err)
				}
			}
			return c.print(count(n, "block") + " taken back.")
		},
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "also remove what the service remembers")
	return cmd
}

// releaseBlocks takes back what is blocked, as the ledger in folder has it, and returns how many blocks that were.
func releaseBlocks(ctx context.Context, folder string) (int, error) {
	if _, err := os.Stat(folder); err != nil {
		return 0, nil // it never ran: there is nothing
	}
	blocker := response.New(response.Config{Folder: folder})
	blocks, err := blocker.Blocked()
	if err == nil {
		err = blocker.UndoAll(ctx)
	}
	if err != nil {
		return 0, failed("the policies are listed in "+folder, "not all blocks could be taken back: %v", err)
	}
	return len(blocks), nil
}
