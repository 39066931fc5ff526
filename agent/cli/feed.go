package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/signatures/feed/publisher"
)

const feedExample = `  extwatch feed init ./feed --root-keys /media/a --root-keys /media/b --root-keys /media/c
  extwatch feed add my-rule.yml          into the feed in this folder
  extwatch feed check                    is all of it right?
  extwatch feed publish                  sign it and show it to the fleet
  extwatch feed status                   what is due?`

func newFeed(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "feed COMMAND",
		Short: "Sign rules and indicators, and give them to your machines",
		Long: `A feed is a folder of rules, indicators and decisions that you sign and any web server serves. Your machines
take from it what your keys have signed, and nothing else. docs/publishing.md leads through it in a quarter of an hour.`,
		Example: feedExample,
		Args:    onlySubcommands,
		RunE:    showHelp,
	}
	cmd.AddCommand(newFeedInit(c), newFeedAdd(c), newFeedRemove(c), newFeedCheck(c), newFeedDiff(c), newFeedPublish(c), newFeedRefresh(c),
		newFeedRotate(c), newFeedSign(c), newFeedStatus(c), newFeedServe(c), newFeedImport(c), newFeedUpdate(c))
	return cmd
}

// feedFlags are the flags that several of the commands have.
type feedFlags struct {
	dir      string
	rootKeys []string
	secrets  secrets
}

func (f *feedFlags) folder(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "dir", ".", "the feed's `FOLDER`")
}

func (f *feedFlags) root(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.rootKeys, "root-keys", nil, "`FOLDER` of root keys, such as a stick; may be given several times")
	cmd.Flags().StringVar(&f.secrets.rootFile, "root-passphrase-file", "", "`FILE` whose first line is the passphrase of the root keys")
}

func (f *feedFlags) daily(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.secrets.file, "passphrase-file", "", "`FILE` whose first line is the passphrase of the other keys")
}

// config is how the publisher asks this console, and judges what it publishes.
func (f *feedFlags) config(c *console) publisher.Config {
	f.secrets.c = c
	return publisher.Config{Dir: f.dir, RootKeys: f.rootKeys, Now: c.now, Passphrase: f.secrets.ask, Check: checkSource, Prepare: prepareFiles}
}

// open opens the feed that the flags name.
func (f *feedFlags) open(c *console) (*publisher.Publisher, error) {
	p, err := publisher.Open(f.config(c))
	return p, feedError(err)
}

// feedError words an error of the publisher's.
func feedError(err error) error {
	var r *publisher.Refusal
	if errors.As(err, &r) {
		return failed(r.Hint, "%w", r.Err)
	}
	return err
}

// mistakes prints what is wrong with a feed's source, and gives the error for it; nil when nothing is.
func mistakes(c *console, defects []error, after string) error {
	if len(defects) == 0 {
		return nil
	}
	lines := make([]string, 0, len(defects))
	for _, d := range defects {
		lines = append(lines, clean(strings.ReplaceAll(d.Error(), "\n", "; "), maxErrorText))
	}
	if err := c.print(lines...); err != nil {
		return err
	}
	return usage("correct the lines above; docs/rule-format.md explains every field", "%s%s", count(len(defects), "mistake"), after)
}

// listed gives the errors that were joined in a refusal to publish what is wrong.
func listed(err error) []error {
	var r *publisher.Refusal
	if !errors.As(err, &r) {
		return nil
	}
	if list, ok := r.Err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	return nil
}

// published says what publishing did.
func published(ctx context.Context, c *console, out publisher.Published, err error) error {
	if defects := listed(err); defects != nil {
		return mistakes(c, defects, "; nothing was published")
	}
	if err != nil {
		if ctx.Err() != nil {
			return interrupted("run it again; what was published is whole")
		}
		return feedError(err)
	}
	lines := changeLines(c, out.Changes)
	if len(out.NewKeys) > 0 {
		lines = append(lines, "new keys:")
		for _, k := range out.NewKeys {
			lines = append(lines, "  "+k)
		}
	}
	switch {
	case out.Waiting != "":
		lines = append(lines, "The new root waits for "+out.Waiting+".")
	case len(out.Signed) == 0:
		lines = append(lines, "nothing new: nothing was signed")
	default:
		lines = append(lines, "published: "+versions(out))
	}
	for _, n := range out.Notes {
		c.note("%s", clean(n, maxErrorText))
	}
	return c.print(lines...)
}
