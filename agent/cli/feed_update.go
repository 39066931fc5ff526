package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/places"
	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/agent/updates"
	"github.com/extwatch/extwatch/signatures"
)

const (
	// pinnedRoot is the root.json in a folder of the feed's that is not the service's.
	pinnedRoot = "root.json"
	// pinnedMirrors is the file there with where the feed was fetched from, for 'run --feed' and the next 'feed update'.
	pinnedMirrors = "mirrors.json"
	maxPinned     = 64 << 10
)

// pinnedSource is the content of mirrors.json.
type pinnedSource struct {
	Mirrors string `json:"mirrors"`
	CA      string `json:"ca_file,omitempty"`
}

// readPinned returns where the feed in a folder of one's own comes from; nothing when that is not known.
func readPinned(folder string) (s pinnedSource) {
	name := filepath.Join(folder, pinnedMirrors)
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() || info.Size() > maxPinned {
		return s
	}
	data, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(data, &s) != nil {
		return pinnedSource{}
	}
	return s
}

func writePinned(folder string, s settings.Feed) error {
	data, err := json.MarshalIndent(pinnedSource{Mirrors: s.Mirrors, CA: s.CA}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, pinnedMirrors), append(data, '\n'), 0o600)
}

// openUpdates opens the feed in a folder, or the service's; nil when there is none that this user may read. It asks nobody.
func openUpdates(builtin *signatures.Ruleset, folder string, s settings.Feed) (*updates.Updates, error) {
	if s.Root == "" {
		return nil, nil
	}
	return updates.Open(updates.Config{Builtin: builtin, Folder: folder, Settings: s, Engine: engineVersion})
}

// loadFed gives the built-in rules, and above them those of the last good feed in a folder that 'feed update' made, or in
// the service's when none is named. From has the paths of the feed's files.
func loadFed(folder string) (rules *signatures.Ruleset, u *updates.Updates, err error) {
	return openFed(folder, false)
}

// openFed is loadFed; to follow a feed in a folder of one's own, its mirrors are known as well. The service follows its own.
func openFed(folder string, follow bool) (rules *signatures.Ruleset, u *updates.Updates, err error) {
	if rules, err = signatures.Builtin(); err != nil {
		return nil, nil, fmt.Errorf("load the built-in rules: %w", err)
	}
	var s settings.Feed
	switch folder {
	case "":
		folder = updates.Folder(places.Here().State)
		if _, err := os.Stat(filepath.Join(folder, "current")); err != nil {
			return rules, nil, nil // no feed, or not for this user
		}
		all, _ := loadSettings() // the service tells what is wrong with them
		s.Root = all.Feed.Root
	default:
		if _, err := os.Stat(filepath.Join(folder, "current")); err != nil {
			return nil, nil, usage(howToTry(folder), "there is no feed in %q", folder)
		}
		s.Root = filepath.Join(folder, pinnedRoot)
		if follow {
			from := readPinned(folder)
			s.Mirrors, s.CA, s.Events = from.Mirrors, from.CA, true
		}
	}
	if u, err = openUpdates(rules, folder, s); err != nil {
		return nil, nil, failed("'extwatch feed update' brings it back", "the last good feed cannot be used: %w", err)
	}
	if u != nil {
		rules = u.Rules()
	}
	return rules, u, nil
}

// howToTry tells how to get a feed to try. The folder that a publisher signs in is what people name first, and is not one.
func howToTry(folder string) string {
	root, public := filepath.Join(folder, pinnedRoot), filepath.Join(folder, "public")
	for _, name := range []string{root, public} {
		if _, err := os.Stat(name); err != nil {
			return "'extwatch feed update --into " + folder + " --root FILE --mirror ADDRESS' makes it"
		}
	}
	return "a publisher's folder; try its feed in another: 'extwatch feed update --into try --root " + root + " --mirror " + public + "'"
}

// ofFeed gives the paths of the files that come from a feed, as loadFed names it.
func ofFeed(folder string) (map[string]bool, error) {
	_, u, err := loadFed(folder)
	if err != nil || u == nil {
		return nil, err
	}
	return u.From(), nil
}

type updateFlags struct {
	into, root, ca string
	mirrors        []string
}

func newFeedUpdate(c *console) *cobra.Command {
	var f updateFlags
	cmd := &cobra.Command{
		Use:   "update [flags]",
		Short: "Fetch the feed now, on a machine that uses it",
		Long: `Asks the mirrors that the settings name for new rules, proves and tries them, and lets the service use them at once. It
needs administrator rights. A machine without a network takes the feed from a stick: --mirror names the folder there.

With --into the feed goes into a folder of your own, for 'extwatch scan --feed' and 'extwatch run --feed': to try a feed before
the fleet has it. The folder remembers --root, --mirror and --ca; 'run --feed' goes on asking that mirror.

Exit code: 0 the rules are the newest, 1 they are not.`,
		Example: `  sudo extwatch feed update
  sudo extwatch feed update --mirror /media/stick/public
  extwatch feed update --into try --root feed/root.json --mirror feed/public`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return updateFeed(cmd, c, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.into, "into", "", "keep the feed in `FOLDER` instead of the service's")
	flags.StringVar(&f.root, "root", "", "trust the root.json `FILE` instead of the settings'; the next time it is known with --into")
	flags.StringArrayVar(&f.mirrors, "mirror", nil, "ask this `ADDRESS` instead of the settings': an https URL or a folder; may be given several times")
	flags.StringVar(&f.ca, "ca", "", "trust the certificates in `FILE` as well")
	return cmd
}

func updateFeed(cmd *cobra.Command, c *console, f updateFlags) error {
	s, folder, err := f.settings()
	if err != nil {
		return err
	}
	builtin, err := signatures.Builtin()
	if err != nil {
		return fmt.Errorf("load the built-in rules: %w", err)
	}
	u, err := openUpdates(builtin, folder, s)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return failed("run it with 'sudo', or from an administrator's terminal", "the service's feed is an administrator's: %v", err)
	case err != nil:
		return failed("docs/administration.md names the settings of the feed", "%w", err)
	}
	before := u.State().Version
	changed, err := u.Update(cmd.Context())
	if cmd.Context().Err() != nil {
		return interrupted("the feed in use is the last good one")
	}
	state := u.State()
	if err != nil {
		return failed("the last good rules stay in use", "the feed was not updated: %s", clean(strings.ReplaceAll(err.Error(), "\n", "; "), maxErrorText))
	}
	if f.into != "" {
		if err := writePinned(folder, s); err != nil {
			return badPath(folder, err)
		}
	}
	rules, indicators := u.Rules().Counts()
	line := fmt.Sprintf("the feed has not changed: version %d", state.Version)
	if changed || before != state.Version {
		line = fmt.Sprintf("updated: version %d", state.Version)
	}
	lines := []string{line + fmt.Sprintf(", until %s", state.Expires.UTC().Format(time.DateOnly)),
		fmt.Sprintf("with the built-in ones: %s, %s", count(rules, "rule"), count(indicators, "indicator"))}
	if state.Warning != "" {
		c.note("%s", clean(state.Warning, maxErrorText))
	}
	return c.print(lines...)
}

// settings gives what the flags and the settings say.
func (f *updateFlags) settings() (s settings.Feed, folder string, err error) {
	if f.into == "" {
		all, err := loadSettings()
		if err != nil {
			return s, "", failed("'extwatch run --check-config' lists them", "the settings have mistakes: %v", err)
		}
		s, folder = all.Feed, updates.Folder(places.Here().State)
		if !administrator() {
			return s, "", failed("run it with 'sudo', or from an administrator's terminal; --into keeps it in a folder of your own", "the service's feed is an administrator's")
		}
	} else if folder, err = filepath.Abs(f.into); err != nil {
		return s, "", badPath(f.into, err)
	}
	if f.root != "" {
		s.Root = f.root
	}
	if f.into != "" {
		if s.Root, err = f.pin(folder); err != nil {
			return s, "", err
		}
	}
	if len(f.mirrors) > 0 {
		list := make([]string, len(f.mirrors))
		for i, m := range f.mirrors {
			if list[i] = m; !strings.Contains(m, "://") {
				dir, err := directory(m)
				if err != nil {
					return s, "", err
				}
				list[i] = dir
				if strings.ContainsAny(dir, " ,") {
					list[i] = (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(dir), "/")}).String()
				}
			}
		}
		s.Mirrors = strings.ReplaceAll(strings.Join(list, " "), ",", "%2C")
	}
	if f.ca != "" {
		if s.CA, err = filepath.Abs(f.ca); err != nil {
			return s, "", badPath(f.ca, err)
		}
	}
	if from := readPinned(folder); f.into != "" && s.Mirrors == "" {
		s.Mirrors = from.Mirrors
		s.CA = cmp.Or(s.CA, from.CA)
	}
	switch {
	case s.Root == "":
		return s, "", usage("give --root FILE, or set feed.root", "it is not said whose signatures are trusted")
	case s.Mirrors == "":
		return s, "", usage("give --mirror ADDRESS, or set feed.mirrors", "it is not said where the feed is")
	}
	return s, folder, nil
}

// pin keeps the root.json in a folder of one's own. Another one later is refused: a new feed takes a new folder.
func (f *updateFlags) pin(folder string) (string, error) {
	name := filepath.Join(folder, pinnedRoot)
	old, err := os.ReadFile(name)
	if f.root == "" {
		if err != nil {
			return "", usage("give --root FILE the first time", "it is not said whose signatures are trusted")
		}
		return name, nil
	}
	data, rerr := (settings.Feed{Root: f.root}).ReadRoot()
	switch {
	case rerr != nil:
		return "", badPath(f.root, rerr)
	case err == nil && string(old) != string(data):
		return "", usage("take another folder", "%q holds a feed with another root.json", folder)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", badPath(folder, err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		return "", badPath(name, err)
	}
	return name, nil
}
