package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/agent/inventory"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/indicators"
	"github.com/extwatch/extwatch/signatures/lists"
)

type feedImport struct {
	format, out, campaign, source, date string
	dryRun, details                     bool
	homes                               homes
}

const feedImportLong = `Turns a public list of bad extensions into indicators. Nothing is taken that is not exactly an ID, a hash or a domain,
and nothing that is known to be good. A row warns only when the list names a report for it; all else gets the tag
"weak" and is listed without a warning. Importing a newer copy of a list replaces the rows of the older one.

  chrome-mal-ids  current-list-meta.csv of github.com/mallorybowes/chrome-mal-ids
  extsentry       extsentry_ioc_feed.csv of extsentry.github.io
  malext          Malicious-Extensions.md of github.com/toborrm9/malicious_extension_sentry
  stix, misp      a STIX 2 bundle, MISP events
  csv             a header that names columns such as id, versions, reference; or one ID in each line`

const feedImportExample = `  extwatch feed import --format chrome-mal-ids --dry-run current-list-meta.csv    who would be hit here?
  extwatch feed import --format chrome-mal-ids --out source/indicators current-list-meta.csv
  extwatch feed import --format csv --source https://example.com/report --out source/indicators ids.csv`

func newFeedImport(c *console) *cobra.Command {
	f := &feedImport{}
	cmd := &cobra.Command{
		Use: "import FILE --format FORMAT [flags]", Short: "Turn a public list into indicators", Long: feedImportLong, Example: feedImportExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("for example: extwatch feed import --format csv --source https://example.com --dry-run ids.csv", "'extwatch feed import' takes one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), c, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "`FORMAT` of the list: "+strings.Join(lists.Formats(), ", "))
	flags.StringVar(&f.out, "out", "", "put the rows into the lists in `DIR`, such as source/indicators")
	flags.StringVar(&f.campaign, "campaign", "", "`NAME` that the rows stand under; the format's without it")
	flags.StringVar(&f.source, "source", "", "`URL` of the list; needed for stix, misp and csv")
	flags.StringVar(&f.date, "date", "", "`DATE` of the list like 2026-01-31, for rows without one")
	flags.BoolVar(&f.dryRun, "dry-run", false, "write nothing, and tell which extensions installed here would be hit")
	flags.BoolVar(&f.details, "details", false, "tell of every row that is left out")
	f.homes.flag(flags)
	complete(cmd, "format", lists.Formats()...)
	return cmd
}

func (f *feedImport) run(ctx context.Context, c *console, file string) error {
	opts, err := f.options()
	if err != nil {
		return err
	}
	builtin, err := signatures.Builtin()
	if err != nil {
		return fmt.Errorf("load the built-in rules: %w", err)
	}
	opts.KnownGood = builtin.KnownGood
	data, err := readList(file)
	if err != nil {
		return err
	}
	result, err := lists.Read(f.format, data, opts)
	if err != nil {
		return usage("'extwatch feed import --help' tells which file belongs to which format", "read %s: %w", file, err)
	}
	if err := c.print(importLines(result, f.details)...); err != nil {
		return err
	}
	if f.dryRun {
		return f.hits(ctx, c, result)
	}
	lines, err := f.write(result, builtin, c.now())
	if err != nil {
		return err
	}
	return c.print(lines...)
}

// options checks the flags.
func (f *feedImport) options() (opts lists.Options, err error) {
	switch {
	case !slices.Contains(lists.Formats(), f.format):
		return opts, usage("the formats are "+strings.Join(lists.Formats(), ", "), "there is no format %q", f.format)
	case f.dryRun == (f.out != ""):
		return opts, usage("add --dry-run to try it, or --out source/indicators to keep it", "say what to do with the rows: either --out or --dry-run")
	case f.source != "" && (!strings.HasPrefix(f.source, "https://") && !strings.HasPrefix(f.source, "http://") || strings.ContainsAny(f.source, " \t\r\n#\"\\")):
		return opts, usage("write https://…", "%q is not the address of a list", f.source)
	}
	opts.Campaign, opts.Source = f.campaign, f.source
	if f.date != "" {
		if opts.Date, err = time.Parse(time.DateOnly, f.date); err != nil {
			return opts, usage("write 2026-01-31", "%q is no date", f.date)
		}
	}
	return opts, nil
}

// maxListBytes bounds a list; the reader's own bound is the same.
const maxListBytes = 64 << 20

func readList(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, badPath(name, err)
	}
	defer file.Close() // read only: nothing can be lost
	info, err := file.Stat()
	if err != nil {
		return nil, badPath(name, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxListBytes {
		return nil, usage("give the file of the list itself", "%q is no file of at most %d MB", name, maxListBytes>>20)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxListBytes+1))
	if err != nil {
		return nil, badPath(name, err)
	}
	return data, nil
}

// importLines tells what was taken and what was not.
func importLines(result *lists.Result, details bool) []string {
	verdicts, taken := map[string]int{}, []string{}
	for _, kind := range indicators.Kinds() {
		noun := map[indicators.Kind]string{indicators.ID: "ID", indicators.SHA256: "hash", indicators.Domain: "domain"}[kind]
		n := len(result.Rows[kind])
		text := count(n, noun)
		if kind == indicators.SHA256 && n != 1 {
			text = fmt.Sprintf("%d hashes", n)
		}
		taken = append(taken, text)
		for _, r := range result.Rows[kind] {
			verdicts[r.Verdict]++
		}
	}
	lines := []string{
		fmt.Sprintf("read %d: took %s", result.Read, strings.Join(taken, ", ")),
		fmt.Sprintf("  malicious %d, suspicious %d, listed only %d", verdicts["malicious"], verdicts["suspicious"], verdicts["capable"]),
	}
	reasons, order := map[string]int{}, []string{}
	for _, d := range result.Dropped {
		if reasons[d.Reason]++; reasons[d.Reason] == 1 {
			order = append(order, d.Reason)
		}
	}
	slices.Sort(order)
	for _, reason := range order {
		lines = append(lines, fmt.Sprintf("left out %d: %s", reasons[reason], reason))
		for _, d := range result.Dropped {
			// Who is known to be good on a list of the bad is worth a look always.
			if d.Reason == reason && (details || reason == lists.KnownGood) {
				lines = append(lines, dropLine(d))
			}
		}
	}
	return lines
}

func dropLine(d lists.Drop) string {
	text := "  " + clean(d.Value, maxName)
	if d.Line > 0 {
		text = fmt.Sprintf("  line %d: %s", d.Line, clean(d.Value, maxName))
	}
	if d.Detail != "" {
		text += " (" + clean(d.Detail, maxErrorText) + ")"
	}
	return text
}

// hits tells which installed extensions the rows would hit.
func (f *feedImport) hits(ctx context.Context, c *console, result *lists.Result) error {
	data, err := indicators.Build(indicators.ID, 1, result.Rows[indicators.ID])
	if err != nil {
		return fmt.Errorf("build the list: %w", err)
	}
	set, err := indicators.Open(data)
	if err != nil {
		return fmt.Errorf("build the list: %w", err)
	}
	r := &report{}
	s := &scanner{inventory: inventory.NewReader(inventory.Config{Brief: true}), progress: newProgress(c, false)}
	if err := (&scanFlags{homes: f.homes}).collect(ctx, s, r, nil); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return interrupted("not all browsers were looked at")
	}
	r.sort()
	var lines []string
	for _, j := range r.extensions {
		if j.ext.IDFromPath || j.ext.Manifest == nil {
			continue
		}
		for _, row := range set.Lookup(indicators.ID, j.ext.ID) {
			if row.Versions == nil || indicators.Covers(row.Versions, j.ext.Manifest.Version) {
				lines = append(lines, fmt.Sprintf("  %s: %s %s, %s, %s of %s", row.Verdict, clean(j.ext.Name(), maxName), clean(j.ext.Manifest.Version, maxName),
					clean(j.ext.ID, maxName), clean(j.ext.Browser+" "+j.ext.Profile, maxName), clean(j.ext.User, maxName)))
			}
		}
	}
	head := fmt.Sprintf("of %s installed here, %d would be hit:", count(len(r.extensions), "extension"), len(lines))
	if len(lines) == 0 {
		head = fmt.Sprintf("of %s installed here, none would be hit", count(len(r.extensions), "extension"))
	}
	lines = append([]string{head}, lines...)
	for _, p := range r.problems {
		lines = append(lines, "not looked at: "+clean(p.Path+": "+p.Reason, maxErrorText))
	}
	return c.print(append(lines, "hashes and domains were not compared; 'extwatch scan --rules DIR' compares all")...)
}

// write puts the rows into the lists of a folder, in place of those that an earlier import of the same list put there.
func (f *feedImport) write(result *lists.Result, builtin *signatures.Ruleset, now time.Time) (lines []string, err error) {
	abs, err := directory(f.out)
	if err != nil {
		return nil, err
	}
	for _, kind := range indicators.Kinds() {
		line, err := replaceRows(filepath.Join(abs, kind.File()), filepath.Join(f.out, kind.File()), kind, result)
		if err != nil {
			return nil, err
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "nothing changed")
	}
	rule, err := f.rule(abs, result, builtin, now)
	if rule != "" {
		lines = append(lines, rule)
	}
	return lines, err
}

// replaceRows writes one list anew, and says what changed; nothing when nothing did.
func replaceRows(path, shown string, kind indicators.Kind, result *lists.Result) (string, error) {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", badPath(shown, err)
	}
	var rows, before []indicators.Row
	if err == nil {
		mistakes := indicators.ReadCSV(kind, old, func(r indicators.Row) error {
			if r.Campaign == result.Campaign && r.Source == result.Source {
				before = append(before, r)
			} else {
				rows = append(rows, r)
			}
			return nil
		})
		if len(mistakes) > 0 {
			m := mistakes[0]
			return "", usage("correct it first; 'extwatch rules check' tells all mistakes", "%s:%d: %s", shown, m.Line, m.Reason)
		}
	}
	if len(before)+len(result.Rows[kind]) == 0 {
		return "", nil
	}
	var out bytes.Buffer
	if err := indicators.WriteCSV(&out, kind, append(rows, result.Rows[kind]...)); err != nil {
		return "", err
	}
	if bytes.Equal(out.Bytes(), old) {
		return "", nil
	}
	if err := replaceFile(path, out.Bytes()); err != nil {
		return "", failed("is the disk full?", "cannot write %s: %v", shown, err)
	}
	had := map[string]bool{}
	for _, r := range before {
		had[r.Value] = true
	}
	added := 0
	for _, r := range result.Rows[kind] {
		if !had[r.Value] {
			added++
		}
	}
	kept := len(result.Rows[kind]) - added
	return fmt.Sprintf("wrote %s: %s, %d new, %d gone", shown, count(len(result.Rows[kind]), "row"), added, max(len(before)-kept, 0)), nil
}

// replaceFile writes a file beside the old one and puts it in its place: a crash leaves one of them.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when it has been renamed, as it should
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
