package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/signatures/feed/publisher"
)

const feedInitLong = `Makes a feed in DIR, with all its keys, and publishes it empty. Whatever is not given by a flag is asked for.

The root keys say which other keys count. They are written to --root-keys, apart from DIR, and are needed once a year
and when another key is lost: lock them away. Usual are three, of which any two decide: a lost one then strands
nobody, and a stolen one rules nobody. Two of two would leave the fleet without a way to new keys when one is lost.
The keys of daily work stay in DIR/keys, encrypted with a passphrase; --kms ROLE=URI takes a key in a KMS or in hardware
instead, through a sigstore plugin: a program sigstore-kms-NAME in the PATH answers NAME://...`

type feedInit struct {
	feedFlags
	plan    publisher.Plan
	keys    []string
	expires []string
	kms     []string
}

func newFeedInit(c *console) *cobra.Command {
	f := &feedInit{}
	cmd := &cobra.Command{
		Use:   "init DIR [flags]",
		Short: "Make a feed and its keys: the root ceremony",
		Long:  feedInitLong,
		Example: `  extwatch feed init ./feed
  extwatch feed init ./feed --name 'Example Ltd' --root-keys /media/a --root-keys /media/b --root-keys /media/c`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("for example: extwatch feed init ./feed", "'extwatch feed init' takes the folder to make")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.dir = args[0]
			return f.run(cmd.Context(), c)
		},
	}
	f.root(cmd)
	f.daily(cmd)
	cmd.Flags().StringVar(&f.plan.Organisation, "name", "", "`NAME` of your organisation")
	cmd.Flags().StringArrayVar(&f.keys, "keys", nil, "`ROLE=THRESHOLD/KEYS`, such as root=2/3 (the default) or targets=1/1")
	cmd.Flags().StringArrayVar(&f.expires, "expires", nil, "`ROLE=DAYS` that a signature holds; usual are "+usualLifetimes())
	cmd.Flags().StringArrayVar(&f.kms, "kms", nil, "`ROLE=URI` of a key in a KMS or in hardware")
	cmd.Flags().StringVar(&f.plan.OrgKeys, "org-keys", "", "`FOLDER` for the key of role org, to hand it to another team")
	cmd.Flags().IntVar(&f.plan.Scrypt, "scrypt", 0, "work of guessing a passphrase, as a power of two (17)")
	cmd.Flags().Lookup("scrypt").Hidden = true // for tests
	return cmd
}

func usualLifetimes() string {
	var parts []string
	all := publisher.Lifetimes()
	for _, role := range feedRoles() {
		parts = append(parts, fmt.Sprintf("%s=%d", role, int(all[role].Hours()/24)))
	}
	return strings.Join(parts, " ")
}

// feedRoles are the roles, in the order in which they are told.
func feedRoles() []string { return []string{"root", "targets", "org", "snapshot", "timestamp"} }

func (f *feedInit) run(ctx context.Context, c *console) error {
	if err := f.parse(); err != nil {
		return err
	}
	if f.plan.Organisation == "" || len(f.rootKeys) == 0 {
		if _, person := c.terminal(); !person {
			return usage("give --name NAME and --root-keys FOLDER; a terminal would ask for them", "the organisation's name or the place for the root keys is missing")
		}
		if err := f.interview(c, bufio.NewReader(c.in)); err != nil {
			return err
		}
	}
	out, err := publisher.Init(ctx, f.config(c), f.plan)
	if err != nil {
		return feedError(err)
	}
	return c.print(f.tell(out)...)
}

// parse reads the flags that hold pairs.
func (f *feedInit) parse() error {
	f.plan.Keys, f.plan.Thresholds, f.plan.Lifetimes, f.plan.URIs = map[string]int{}, map[string]int{}, map[string]time.Duration{}, map[string][]string{}
	for _, pair := range f.keys {
		role, text, err := pairOf("keys", pair)
		if err != nil {
			return err
		}
		n, of, both := strings.Cut(text, "/")
		need, err1 := strconv.Atoi(n)
		have, err2 := strconv.Atoi(of)
		if !both || err1 != nil || err2 != nil || need < 1 || have < need {
			return usage("for example: --keys root=2/3", "--keys %s: %q is not THRESHOLD/KEYS", pair, text)
		}
		f.plan.Thresholds[role], f.plan.Keys[role] = need, have
	}
	for _, pair := range f.expires {
		role, text, err := pairOf("expires", pair)
		if err != nil {
			return err
		}
		days, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
		if err != nil || days < 1 || days > 3650 {
			return usage("for example: --expires timestamp=7", "--expires %s: %q is no number of days", pair, text)
		}
		f.plan.Lifetimes[role] = time.Duration(days) * 24 * time.Hour
	}
	for _, pair := range f.kms {
		role, uri, err := pairOf("kms", pair)
		if err != nil {
			return err
		}
		f.plan.URIs[role] = append(f.plan.URIs[role], uri)
	}
	return nil
}

func pairOf(flag, pair string) (role, value string, err error) {
	role, value, ok := strings.Cut(pair, "=")
	if !ok || !slices.Contains(feedRoles(), role) {
		return "", "", usage("the roles are "+strings.Join(feedRoles(), ", "), "--%s %s: expected ROLE=…", flag, pair)
	}
	return role, value, nil
}

const interviewHead = `This makes a feed: the keys that sign your rules, and the folder that your machines fetch them from.
An empty answer takes what stands in brackets.

The root keys come first. They say which other keys count, and are needed once a year, and when a key is lost or
stolen. Each belongs on a stick of its own, locked away in another place. Three of which any two decide suit most: one
may be lost, and one may be stolen, and you still have your fleet.
`

// interview asks for what the flags did not say.
func (f *feedInit) interview(c *console, in *bufio.Reader) error {
	fmt.Fprint(c.err, interviewHead+"\n")
	var err error
	ask := func(question, usual string) string {
		if err != nil {
			return ""
		}
		if usual != "" {
			question += " [" + usual + "]"
		}
		fmt.Fprint(c.err, question+": ")
		line, e := in.ReadString('\n')
		if e != nil && (e != io.EOF || line == "") {
			fmt.Fprintln(c.err)
			err = interrupted("nothing was made")
			return ""
		}
		return either(strings.TrimSpace(line), usual)
	}
	if f.plan.Organisation == "" {
		f.plan.Organisation = ask("Name of your organisation", "")
	}
	if f.plan.Keys["root"] == 0 {
		have, e1 := strconv.Atoi(ask("How many root keys", "3"))
		need, e2 := strconv.Atoi(ask("How many of them decide", strconv.Itoa(max(1, min(2, have)))))
		if err == nil && (e1 != nil || e2 != nil || need < 1 || need > have) {
			return usage("start again; nothing was made", "that is no number of keys")
		}
		f.plan.Keys["root"], f.plan.Thresholds["root"] = have, need
	}
	for i := 0; len(f.rootKeys) == 0 || i < f.plan.Keys["root"] && len(f.rootKeys) <= i; i++ {
		usual := ""
		if i > 0 {
			usual = f.rootKeys[i-1]
		}
		folder := ask(fmt.Sprintf("Folder for root key %d, such as a stick", i+1), usual)
		if err != nil {
			return err
		}
		if folder == "" {
			return usage("start again; nothing was made", "a root key needs a place")
		}
		f.rootKeys = append(f.rootKeys, folder)
	}
	return err
}

// tell says what was made, where each part belongs, and what comes next.
func (f *feedInit) tell(out publisher.Created) []string {
	lines := []string{"The feed of " + clean(f.plan.Organisation, maxName) + " is in " + f.dir + ".", "",
		fmt.Sprintf("Lock these away, each in another place; any %d of the %d can change keys:", out.Thresholds["root"], len(out.Keys["root"]))}
	if out.Thresholds["root"] == len(out.Keys["root"]) {
		lines[2] = "Lock these away, each in another place; all of them are needed to change keys, so keep a copy of each:"
	}
	for _, file := range out.Keys["root"] {
		lines = append(lines, "  "+file)
	}
	lines = append(lines, "", "These sign from day to day:")
	what := map[string]string{"targets": "rules, indicators and decisions", "org": "what is below org/",
		"snapshot": "which versions belong together", "timestamp": "that they are current"}
	width := 0
	for _, role := range feedRoles()[1:] {
		for _, file := range out.Keys[role] {
			width = max(width, cells(file))
		}
	}
	for _, role := range feedRoles()[1:] {
		for _, file := range out.Keys[role] {
			lines = append(lines, "  "+fit(file, width)+"  "+what[role])
		}
	}
	at := ""
	if f.dir != "." {
		at = " --dir " + f.dir
	}
	return append(lines, "", "Give this file to every machine; it trusts nothing else:", "  "+out.Root, "  SHA-256 "+out.Fingerprint, "",
		"Serve this folder with any web server, and nothing else of "+f.dir+":", "  "+filepath.Join(f.dir, "public"), "",
		"Next: extwatch feed add"+at+" my-rule.yml, then extwatch feed publish"+at)
}
