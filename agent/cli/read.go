package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/reader"
	"github.com/extwatch/extwatch/agent/sandbox"
)

// readCommand is the hidden subcommand that the service starts for each user, with that user's rights, to read that user's
// folders.
const readCommand = "read"

func newRead(c *console) *cobra.Command {
	return &cobra.Command{
		Use:    readCommand,
		Hidden: true,
		Args:   noArgs,
		RunE: func(*cobra.Command, []string) error {
			// Who is still root here reads root's own folders.
			if err := confine(c, sandbox.Policy{Read: true, Root: os.Geteuid() == 0}); err != nil {
				return err
			}
			if err := reader.Serve(c.in, c.out); err != nil {
				return fmt.Errorf("read folders: %w", err)
			}
			return nil
		},
	}
}

// confine gives up all rights that a policy does not name. What an older system cannot enforce is said once; it is no
// reason to see nothing.
func confine(c *console, p sandbox.Policy) error {
	missing, err := sandbox.Enter(p)
	if err != nil {
		return fmt.Errorf("give up rights: %w", err)
	}
	for _, m := range missing {
		c.note("less protected: %s", m)
	}
	return nil
}
