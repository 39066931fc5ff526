package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/manifests"
)

type scanFlags struct {
	root, os   string
	format     string
	output     string
	browser    string
	rules      string
	feed       string
	all        bool
	inventory  bool
	quick      bool
	explain    bool
	code       bool
	noProgress bool
	homes      homes
}

const scanLong = `Lists every extension of every browser and profile that you may read, and judges what each
can do to an account at an exchange or a wallet.

With PATH it looks there instead: an unpacked extension, a package (.crx .xpi .zip), a browser
profile, or a folder that holds many of them at any depth.

Exit code: 0 nothing suspicious, 1 error, 2 wrong usage, 3 something suspicious or malicious.`

const scanExample = `  extwatch scan                                 this machine
  extwatch scan ~/Downloads/helper.crx          before you install it
  extwatch scan --explain ~/Downloads/helper.crx  and how it does it, with the lines of its code
  extwatch scan --root /mnt/disk --os windows   a mounted disk or image
  extwatch scan --format json > report.json     for programs; sarif for code scanning
  extwatch scan --format html -o report.html    one page to read or to send
  extwatch scan --quick                         do not analyse what code does: much faster
  extwatch scan --inventory                     list only, judge nothing: fast`

func newScan(c *console) *cobra.Command {
	var f scanFlags
	cmd := &cobra.Command{
		Use:     "scan [PATH...] [flags]",
		Short:   "List and judge the extensions that are installed",
		Long:    scanLong,
		Example: scanExample,
		RunE:    func(cmd *cobra.Command, args []string) error { return runScan(cmd.Context(), c, f, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "table", "`FORMAT` of the report: table, json, sarif or html")
	flags.StringVarP(&f.output, "output", "o", "", "write the report to `FILE` instead of the terminal")
	flags.BoolVar(&f.all, "all", false, "in the table, list clean and built-in extensions one by one")
	flags.BoolVar(&f.inventory, "inventory", false, "list only: load no rules, read no code, give no verdict")
	flags.BoolVar(&f.quick, "quick", false, "judge without analysing what the code does")
	flags.BoolVar(&f.explain, "explain", false, "in the table, tell how it happens in the code, what it reaches and how sure that is")
	flags.BoolVar(&f.code, "code", true, "analyse what the code does; this is the default")
	cmd.MarkFlagsMutuallyExclusive("quick", "code")
	_ = flags.MarkHidden("code") // it was needed once; scripts that give it still work
	flags.StringVar(&f.browser, "browser", "", "only this browser, by `NAME` (chrome, firefox, brave, ...)")
	flags.StringVar(&f.root, "root", "", "look at the disk or image mounted at `DIR` instead of this machine")
	flags.StringVar(&f.os, "os", "", "with --root, the system on it: `NAME` is linux, windows or darwin (default: this one's)")
	f.homes.flag(flags)
	flags.StringVar(&f.rules, "rules", "", "use the rules in `DIR` too, beside the built-in ones")
	flags.StringVar(&f.feed, "feed", "", "use the feed in `FOLDER`, where 'feed update --into' put it, instead of the service's")
	flags.BoolVar(&f.noProgress, "no-progress", false, "show no progress bar")
	complete(cmd, "format", "table", "json", "sarif", "html")
	complete(cmd, "os", "linux", "windows", "darwin")
	return cmd
}

// complete offers values for a flag in shell completion.
func complete(cmd *cobra.Command, flag string, values ...string) {
	// It fails only when the flag does not exist, which TestHelp would show.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// writers are the formats of a report.
func writers() map[string]func(*console, *report, bool) error {
	return map[string]func(*console, *report, bool) error{
		"table": writeTable,
		"json":  func(c *console, r *report, _ bool) error { return writeJSON(c, r) },
		"sarif": func(c *console, r *report, _ bool) error { return writeSARIF(c, r) },
		"html":  func(c *console, r *report, _ bool) error { return writeHTML(c, r) },
	}
}

// inventoryMemory is how much an inventory may use before memory is collected.
const inventoryMemory = 64 << 20

func runScan(ctx context.Context, c *console, f scanFlags, args []string) error {
	if err := f.check(args); err != nil {
		return err
	}
	write := writers()[f.format]
	start := c.now()
	r := &report{judged: !f.inventory, explain: f.explain}
	if r.judged {
		rs, err := loadRulesOver(f.feed, f.rules)
		if err != nil {
			return err
		}
		r.rules = rs
		// Workers hold most of the memory of a scan; this process does little that makes garbage.
		defer debug.SetGCPercent(debug.SetGCPercent(busyPercent))
	}
	if f.inventory {
		// A list of a few hundred extensions is done before a collection would pay; the limit brings it back for large disks.
		defer debug.SetGCPercent(debug.SetGCPercent(-1))
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(inventoryMemory))
	}
	p := newProgress(c, !f.noProgress)
	s := &scanner{inventory: inventory.NewReader(inventory.Config{OS: f.os, Root: f.root, Brief: f.inventory}), rules: r.rules, progress: p}
	if r.judged && !f.quick {
		analyst, err := newAnalyst()
		if err != nil {
			return err
		}
		defer analyst.Close()
		s.code = analyst
	}
	if err := f.collect(ctx, s, r, args); err != nil {
		return err
	}
	p.finish()
	if ctx.Err() != nil {
		r.problems = append(r.problems, manifests.Problem{Reason: "interrupted: this report is not complete"})
	}
	r.sort()
	r.seconds = since(start, c.now())
	if err := writeReport(c, f, r, write); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return interrupted("the report is not complete")
	}
	return r.err()
}

// check refuses what makes no sense before any work is done.
func (f *scanFlags) check(args []string) error {
	if writers()[f.format] == nil {
		return usage("the formats are table, json, sarif and html", "there is no format %q", f.format)
	}
	if f.inventory && f.format == "sarif" {
		return usage("use --format table, json or html, or leave out --inventory", "a SARIF report is made of verdicts, and --inventory gives none")
	}
	if f.explain && (f.inventory || f.quick) {
		return usage("leave out --inventory and --quick", "--explain tells what the code does, and they leave that out")
	}
	if f.os != "" && !slices.Contains([]string{"linux", "windows", "darwin"}, f.os) {
		return usage("the systems are linux, windows and darwin (macOS)", "there is no system %q", f.os)
	}
	if f.os != "" && f.root == "" {
		return usage("say where it is mounted with --root DIR", "--os is for a mounted disk")
	}
	if len(args) > 0 && (f.root != "" || f.browser != "" || len(f.homes) > 0) {
		return usage("leave out the path, or the flag", "--root, --home and --browser choose among installed browsers, and %q is a path to look at instead", args[0])
	}
	if f.root != "" {
		abs, err := directory(f.root)
		if err != nil {
			return err
		}
		f.root = abs
		return f.system()
	}
	return nil
}

// system finds out which system's disk the root is, or whether it is the one that was named.
func (f *scanFlags) system() error {
	has := func(name string) bool {
		info, err := os.Stat(filepath.Join(f.root, name))
		return err == nil && info.IsDir()
	}
	users, home := has("Users"), has("home") || has("root")
	switch {
	case f.os == "linux" && !home && users, f.os != "" && f.os != "linux" && !users && home:
		return usage("the folders of a disk's users lie in home (linux) or Users (windows, darwin)", "%q does not look like the disk of a %s system", f.root, f.os)
	case f.os != "":
	case users && (has("Windows") || has("Program Files")):
		f.os = "windows"
	case users && (has("Library") || has("System")):
		f.os = "darwin"
	case home && !users:
		f.os = "linux"
	default:
		return usage("add --os linux, --os windows or --os darwin", "it is not clear which system's disk %q is", f.root)
	}
	return nil
}

// collect fills the report with the extensions of the paths, or of all profiles.
func (f *scanFlags) collect(ctx context.Context, s *scanner, r *report, args []string) error {
	if len(args) > 0 {
		paths := make([]string, len(args))
		for i, arg := range args {
			abs, err := scannable(arg)
			if err != nil {
				return err
			}
			paths[i] = abs
		}
		slices.Sort(paths)
		r.extensions, r.problems = s.paths(ctx, slices.Compact(paths))
		return nil
	}
	cfg, err := f.homes.machine()
	if err != nil {
		return err
	}
	cfg.OS, cfg.Root = f.os, f.root
	if f.root != "" {
		cfg.Processes = nil // a mounted disk has none
	}
	machine, err := browsers.Find(ctx, cfg)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("look for browsers: %w", err)
	}
	profiles, err := f.filter(machine.Profiles)
	if err != nil {
		return err
	}
	r.profiles = len(profiles)
	r.extensions, r.problems = s.profiles(ctx, profiles)
	for _, p := range machine.Problems {
		r.problems = append(r.problems, manifests.Problem{Path: p.Path, Reason: p.Reason})
	}
	return nil
}

// filter keeps the profiles of one browser.
func (f *scanFlags) filter(profiles []browsers.Profile) ([]browsers.Profile, error) {
	if f.browser == "" {
		return profiles, nil
	}
	var kept []browsers.Profile
	var names []string
	for _, p := range profiles {
		names = append(names, p.Browser)
		if strings.EqualFold(p.Browser, f.browser) {
			kept = append(kept, p)
		}
	}
	if len(kept) > 0 {
		return kept, nil
	}
	slices.Sort(names)
	hint := "no browser has a profile here"
	if len(names) > 0 {
		hint = "here are " + strings.Join(slices.Compact(names), ", ")
	}
	return nil, usage(hint, "no profile of a browser %q was found", f.browser)
}

// writeReport writes to the terminal or to the file asked for.
func writeReport(c *console, f scanFlags, r *report, write func(*console, *report, bool) error) error {
	if f.output == "" {
		return write(c, r, f.all)
	}
	// The report tells which extensions a person has: nobody else needs to read it.
	file, err := os.OpenFile(f.output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return usage("give --output a file that you may write", "cannot write the report: %w", err)
	}
	err = write(c.plain(file), r, f.all)
	if cerr := file.Close(); err == nil && cerr != nil {
		err = cerr
	}
	if err != nil {
		return failed("is the disk full?", "cannot write the report: %v", err)
	}
	return nil
}

// existing makes path absolute and refuses one that is not there.
func existing(path string) (string, error) {
	if path == "" {
		return "", usage("is a variable empty that should hold it?", "the path is empty")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", usage("give a path to a file or folder", "%q is not a path: %w", path, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return "", badPath(path, err)
	}
	if info.IsDir() {
		// What may not be listed would look as if nothing were there.
		if _, err := os.ReadDir(abs); errors.Is(err, fs.ErrPermission) {
			return "", badPath(path, err)
		}
	}
	return abs, nil
}

// scannable is existing for what may hold an extension: a folder, or a file named like a package.
func scannable(path string) (string, error) {
	abs, err := existing(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(abs)
	if err != nil {
		return "", badPath(path, err)
	}
	named := slices.Contains([]string{".crx", ".xpi", ".zip"}, strings.ToLower(filepath.Ext(abs)))
	if !info.IsDir() && (!named || !info.Mode().IsRegular()) {
		return "", usage("give a folder, a browser profile, or a .crx, .xpi or .zip package", "%q is not a package of an extension", path)
	}
	return abs, nil
}

// directory is existing for what must be a folder.
func directory(path string) (string, error) {
	abs, err := existing(path)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return "", usage("give a folder", "%q is not a folder", path)
	}
	return abs, nil
}

func badPath(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usage("check the spelling; a path with spaces needs quotes", "there is no file or folder %q", path)
	case errors.Is(err, fs.ErrPermission):
		return usage("run it as a user who may read that, for example with sudo", "no permission to read %q", path)
	}
	return usage("give a path to a file or folder", "cannot read %q: %w", path, err)
}
