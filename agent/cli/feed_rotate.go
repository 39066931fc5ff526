package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/signatures/feed/publisher"
)

const feedRotateLong = `Gives a role new keys in the place of its old ones: after a loss, after a theft, or because time has passed. Machines
follow by themselves; nobody has to visit them.

The roles targets, snapshot and timestamp, and the root itself, are changed by the root keys: bring so many sticks as
must sign, and name their folders with --root-keys. When they are in different places, each signs in its turn with
'extwatch feed sign'. The role org is changed by the role targets.`

func newFeedRotate(c *console) *cobra.Command {
	f := &feedFlags{}
	var q publisher.Rotation
	cmd := &cobra.Command{
		Use:   "rotate ROLE [flags]",
		Short: "Give a role new keys",
		Long:  feedRotateLong,
		Example: `  extwatch feed rotate timestamp --root-keys /media/a --root-keys /media/b
  extwatch feed rotate root --key root-1a2b3c4d5e6f --new-keys /media/d --root-keys /media/a --root-keys /media/b
  extwatch feed rotate root --renew --root-keys /media/a --root-keys /media/b`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && slices.Contains(feedRoles(), args[0]) {
				return nil
			}
			return usage("the roles are "+strings.Join(feedRoles(), ", "), "'extwatch feed rotate' takes one role")
		},
		ValidArgs: feedRoles(),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.Role = args[0]
			if q.Renew && (q.Role != "root" || len(q.Keys) > 0 || q.Add > 0 || q.Drop || q.Threshold > 0) {
				return usage("leave the other flags away", "--renew signs the root anew and changes no key")
			}
			p, err := f.open(c)
			if err != nil {
				return err
			}
			out, err := p.Rotate(cmd.Context(), q)
			return published(cmd.Context(), c, out, err)
		},
	}
	f.folder(cmd)
	f.root(cmd)
	f.daily(cmd)
	cmd.Flags().StringArrayVar(&q.Keys, "key", nil, "replace only this `KEY`: its name or the beginning of its ID")
	cmd.Flags().BoolVar(&q.Drop, "drop", false, "put no new key in the place of --key")
	cmd.Flags().IntVar(&q.Add, "add", 0, "add so many new keys")
	cmd.Flags().IntVar(&q.Threshold, "threshold", 0, "so many keys must sign from now on")
	cmd.Flags().StringArrayVar(&q.URIs, "kms", nil, "`URI` of the new key in a KMS or in hardware")
	cmd.Flags().StringVar(&q.Folder, "new-keys", "", "`FOLDER` for the new keys; without it DIR/keys, or --root-keys for the root's")
	cmd.Flags().BoolVar(&q.Renew, "renew", false, "sign the root anew for another year, and change no key")
	return cmd
}

func newFeedSign(c *console) *cobra.Command {
	f := &feedFlags{}
	var discard bool
	cmd := &cobra.Command{
		Use:   "sign [flags]",
		Short: "Sign a new root that waits for further root keys",
		Long: `Signs the root that 'extwatch feed rotate' left in DIR/staged with the root keys at hand, and publishes it when there
are enough signatures. The folder staged may be carried to where the keys are, with feed.yml, root.json and public.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.open(c)
			if err != nil {
				return err
			}
			if discard {
				if err := p.Discard(); err != nil {
					return feedError(err)
				}
				return c.print("dropped the new root; the keys stay as they are")
			}
			if len(f.rootKeys) == 0 {
				return usage("name the stick with --root-keys FOLDER", "there is no root key to sign with")
			}
			out, err := p.Sign(cmd.Context())
			return published(cmd.Context(), c, out, err)
		},
	}
	f.folder(cmd)
	f.root(cmd)
	f.daily(cmd)
	cmd.Flags().BoolVar(&discard, "discard", false, "drop the new root instead")
	return cmd
}
