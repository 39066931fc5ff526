package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/signatures/feed/publisher"
)

func newFeedPublish(c *console) *cobra.Command {
	f := &feedFlags{}
	var q publisher.Request
	cmd := &cobra.Command{
		Use:   "publish [flags]",
		Short: "Check a feed's source, sign it and show it to the fleet",
		Long: `Checks the source, and signs and shows what has changed. Machines that ask in the middle of it see the old feed or the
new one, never half. Without a change only the timestamp is renewed.

With --role org only the part of the role org is signed, by who has its key; it is shown with the next 'feed refresh' or
'feed publish' by who has the other keys.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.open(c)
			if err != nil {
				return err
			}
			out, err := p.Publish(cmd.Context(), q)
			return published(cmd.Context(), c, out, err)
		},
	}
	f.folder(cmd)
	f.daily(cmd)
	cmd.Flags().StringVar(&q.Role, "role", "", "sign only the part of this author's `ROLE`: targets or org")
	cmd.Flags().BoolVar(&q.AcceptPublic, "accept-public", false, "go on from a public/ that somebody else has published to")
	return cmd
}

func newFeedRefresh(c *console) *cobra.Command {
	f := &feedFlags{}
	cmd := &cobra.Command{
		Use:   "refresh [flags]",
		Short: "Renew the timestamp, each night",
		Long: `Renews the timestamp, and the snapshot when half of its time is over or the role org has published. It needs only
these two keys and looks at no source: a nightly job's work.`,
		Example: `  extwatch feed refresh --dir /srv/feed --passphrase-file /etc/extwatch-feed.passphrase`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.open(c)
			if err != nil {
				return err
			}
			out, err := p.Refresh(cmd.Context())
			return published(cmd.Context(), c, out, err)
		},
	}
	f.folder(cmd)
	f.daily(cmd)
	return cmd
}

// versions words what was signed.
func versions(out publisher.Published) string {
	var parts []string
	for _, role := range feedRoles() {
		for _, signed := range out.Signed {
			if signed == role {
				parts = append(parts, fmt.Sprintf("%s %d", role, out.Versions[role]))
			}
		}
	}
	return strings.Join(parts, ", ")
}
