package signatures

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/analysis"
)

// judgeFolder judges the extension in a folder like one that the browser installed from its store.
func judgeFolder(t *testing.T, rs *Ruleset, folder string) (Result, behavior.Report) {
	t.Helper()
	fsys := os.DirFS(folder)
	data, err := fs.ReadFile(fsys, "manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifests.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	e := extension(func(e *manifests.Extension, _ *manifests.Manifest) { e.Manifest = m })
	contents, err := rs.Read(t.Context(), files{FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	report := analysis.Analyze(t.Context(), analysis.Input{Manifest: m, Files: fsys})
	return rs.Judge(Input{Extension: e, Contents: contents, Behavior: &report}), report
}

// folders lists the folders below dir that hold an extension.
func folders(t *testing.T, dir string) []string {
	t.Helper()
	found, err := fs.Glob(os.DirFS(dir), "*/*/manifest.json")
	if err != nil || len(found) == 0 {
		t.Fatalf("no extensions below %s: %v", dir, err)
	}
	for i, f := range found {
		found[i] = path.Dir(f)
	}
	return found
}

func tell(t *testing.T, folder string, result Result, report behavior.Report) {
	t.Helper()
	t.Errorf("%s is %s: %s", folder, result.Verdict, names(result))
	for _, f := range report.Flows {
		t.Logf("  flow %s, from %q, party %s, in %s", flowText(&f), f.From, f.Party, f.Context)
	}
	for _, o := range report.Obfuscation {
		t.Logf("  obfuscation %s in %s", o.Kind, o.File)
	}
	t.Logf("  complete %v, %d calls, problems %v", report.Complete, len(report.Calls), report.Problems)
}

// TestThievesAndTwins judges small extensions of our own. Each thief has an honest twin that differs only in what
// matters; a rule that hits both looks at the wrong thing.
func TestThievesAndTwins(t *testing.T) {
	t.Parallel()
	rs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const dir = "testdata/extensions"
	for _, folder := range folders(t, dir) {
		if testing.Short() && strings.Contains(folder, "obfuscated") {
			continue // minutes with the race detector; `make unit` runs all of them without it
		}
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			result, report := judgeFolder(t, rs, path.Join(dir, folder))
			thief := path.Base(folder) == "thief"
			if result.Verdict.Worse(Unreadable) != thief {
				tell(t, folder, result, report)
			}
			if thief {
				checkFlowEvidence(t, result)
			}
		})
	}
}

// checkFlowEvidence checks that what is shown as evidence of a flow has a place.
func checkFlowEvidence(t *testing.T, result Result) {
	t.Helper()
	for _, f := range result.Findings {
		for _, e := range f.Evidence {
			if e.Key == "flows" && (e.File == "" || e.Line < 1 || e.Text == "") {
				t.Errorf("%s: evidence without a place: %+v", f.Rule, e)
			}
		}
	}
}

// TestForms judges the same extensions as they are shipped: bundled, minified and obfuscated. The high preset of
// obfuscation may hide the technique; then it is the hiding that makes an extension suspicious, if it reaches an exchange.
func TestForms(t *testing.T) {
	t.Parallel()
	rs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const dir = "testdata/forms"
	for _, folder := range folders(t, dir) {
		if testing.Short() && strings.Contains(folder, "obfuscated") {
			continue // minutes with the race detector; `make unit` runs all of them without it
		}
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			result, report := judgeFolder(t, rs, path.Join(dir, folder))
			form := path.Base(folder)
			twin := strings.HasPrefix(form, "twin-")
			if form == "obfuscated-high" && (len(result.Reach) == 0 || !report.Complete) {
				return // nothing to reach, or the time did not suffice to look: the report says so, and people see it
			}
			if result.Verdict.Worse(Unreadable) == twin {
				tell(t, folder, result, report)
			}
		})
	}
}

// TestToolchains judges a thief and its twin in modules, with classes and parts that are loaded later, as toolchains
// build them, and in a popup of components. testdata/toolchains/source and components hold what they were made from.
func TestToolchains(t *testing.T) {
	t.Parallel()
	rs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const dir = "testdata/toolchains"
	for _, folder := range folders(t, dir) {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			result, report := judgeFolder(t, rs, path.Join(dir, folder))
			if result.Verdict.Worse(Unreadable) != (path.Base(folder) == "thief") {
				tell(t, folder, result, report)
			}
		})
	}
}
