package cli

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing/fstest"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/signatures"
)

func newRulesCheck(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "check [PATH...]",
		Short: "Tell every mistake in rule files, with its line",
		Long: `Checks rule files, or all rule files in a folder: is the file understood, does it have all that a
published rule needs, and do its own cases pass? Without PATH it checks the built-in rules.

Exit code: 0 no mistake, 1 error, 2 mistakes.`,
		Example: `  extwatch rules check my-rule.yml
  extwatch rules check ./rules`,
		RunE: func(cmd *cobra.Command, args []string) error { return checkRules(cmd.Context(), c, args) },
	}
}

func checkRules(ctx context.Context, c *console, args []string) error {
	checked, defects := 0, []signatures.Defect(nil)
	if len(args) == 0 {
		n, d, err := checkBuiltin(ctx)
		if err != nil {
			return err
		}
		checked, defects = n, d
	}
	for _, arg := range args {
		n, d, err := checkPath(ctx, arg)
		if err != nil {
			return err
		}
		checked, defects = checked+n, append(defects, d...)
	}
	if ctx.Err() != nil {
		return interrupted("not all rules were checked")
	}
	lines := make([]string, 0, len(defects))
	for _, d := range defects {
		lines = append(lines, clean(d.Error(), maxErrorText))
	}
	if len(defects) > 0 {
		if err := c.print(lines...); err != nil {
			return err
		}
		return usage("correct the lines above; docs/rule-format.md explains every field", "%s in %s", count(len(defects), "mistake"), count(checked, "rule"))
	}
	if checked == 0 {
		return usage("a rule file ends in .yml", "no rule file is in %s", strings.Join(args, ", "))
	}
	return c.print(count(checked, "rule") + " checked: no mistake")
}

// checkBuiltin checks the rules inside the program.
func checkBuiltin(ctx context.Context) (int, []signatures.Defect, error) {
	rs, err := signatures.Builtin()
	if err != nil {
		return 0, nil, fmt.Errorf("load the built-in rules: %w", err)
	}
	return len(rs.Rules()), signatures.Check(ctx, nil), nil
}

// checkPath checks one rule file, or all below a folder. The mistakes name files as the person did.
func checkPath(ctx context.Context, arg string) (int, []signatures.Defect, error) {
	abs, err := existing(arg)
	if err != nil {
		return 0, nil, err
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return checkFile(ctx, abs, arg)
	}
	files := os.DirFS(abs)
	n, err := ruleFiles(files)
	if err != nil {
		return 0, nil, badPath(arg, err)
	}
	defects := signatures.Check(ctx, files)
	for i := range defects {
		defects[i].Path = filepath.Join(arg, filepath.FromSlash(defects[i].Path))
	}
	return n, defects, nil
}

// checkFile checks one rule. A rule that lies in a whole ruleset is checked in it, since its cases may need the
// indicators there; one that lies alone is checked alone.
func checkFile(ctx context.Context, abs, arg string) (int, []signatures.Defect, error) {
	data, err := readRule(abs, arg)
	if err != nil {
		return 0, nil, err
	}
	var files fs.FS = fstest.MapFS{filepath.Base(abs): {Data: data}}
	name := filepath.Base(abs)
	root := filepath.Dir(filepath.Dir(abs))
	if info, err := os.Stat(filepath.Join(root, "indicators")); err == nil && info.IsDir() {
		files, name = os.DirFS(root), filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(abs)), name))
	}
	var defects []signatures.Defect
	for _, d := range signatures.Check(ctx, files) {
		if d.Path == name {
			d.Path = arg
			defects = append(defects, d)
		}
	}
	return 1, defects, nil
}

// ruleFiles counts the rules in a folder; the catalog and decisions are data of another kind.
func ruleFiles(files fs.FS) (n int, err error) {
	err = fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read the folder: %w", err)
		}
		if e.IsDir() && path == "catalog" {
			return fs.SkipDir
		}
		if !e.IsDir() && strings.HasSuffix(path, ".yml") && path != "decisions.yml" && path != "org/decisions.yml" {
			n++
		}
		return nil
	})
	return n, err
}

// maxRuleFile bounds a rule file in bytes; the engine's own bound is the same.
const maxRuleFile = 1 << 20

// readRule reads a rule file: a regular one, bounded.
func readRule(path, shown string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, badPath(shown, err)
	}
	if !info.Mode().IsRegular() || filepath.Ext(path) != ".yml" {
		return nil, usage("give a file that ends in .yml, or a folder of them", "%q is not a rule file", shown)
	}
	if info.Size() > maxRuleFile {
		return nil, usage("split it: one file holds one rule", "%q has %d bytes, at most %d are read", shown, info.Size(), maxRuleFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, badPath(shown, err)
	}
	return data, nil
}
