package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

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
				if err := forgetAll(places.Here()); err != nil {
					return failed("remove it by hand", "cannot remove what the service remembered: %v", err)
				}
			}
			return c.print(count(n, "block") + " taken back.")
		},
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "also remove what the service remembers")
	return cmd
}

// forgetAll removes what the service remembered, its logs, and the folder above when nothing else is left in it.
func forgetAll(p places.Places) error {
	err := errors.Join(removeAll(p.State), removeAll(p.Logs))
	if err == nil && filepath.Dir(p.State) == p.Settings {
		_ = os.Remove(p.Settings) // settings that somebody wrote keep it
	}
	return err
}

// removeAll is os.RemoveAll. Where the system does not know its way of deleting, files go one by one (measured on Wine 8:
// FileDispositionInformationEx gives "Invalid function").
func removeAll(folder string) error {
	err := os.RemoveAll(folder)
	if err == nil {
		return nil
	}
	var found []string
	_ = filepath.WalkDir(folder, func(name string, _ fs.DirEntry, err error) error {
		if err == nil {
			found = append(found, name)
		}
		return nil // what stays is in the error
	})
	for _, name := range slices.Backward(found) {
		_ = os.Remove(name)
	}
	if _, left := os.Lstat(folder); errors.Is(left, fs.ErrNotExist) {
		return nil
	}
	return err
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
