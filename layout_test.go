package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/extwatch/extwatch"

// mayImport is the architecture: package → the packages of this module that it may import. docs/architecture.md shows
// the same table in words. "*" stands for all. Test files may also import the test helpers named in forTests.
var mayImport = map[string][]string{
	".":                            {"agent/cli"},
	"manifests":                    {},
	"manifests/archive":            {"manifests"},
	"signatures":                   {"manifests", "signatures/behavior", "signatures/behavior/analysis", "signatures/indicators"},
	"signatures/indicators":        {"manifests"},
	"signatures/lists":             {"manifests", "signatures/indicators"},
	"signatures/behavior":          {"manifests"},
	"signatures/behavior/analysis": {"manifests", "signatures/behavior", "signatures/behavior/flow", "signatures/behavior/fold", "signatures/behavior/markup", "signatures/behavior/parties", "signatures/behavior/syntax"},
	"signatures/behavior/flow":     {"manifests", "signatures/behavior", "signatures/behavior/coins", "signatures/behavior/fold", "signatures/behavior/markup", "signatures/behavior/parties", "signatures/behavior/syntax"},
	"signatures/behavior/syntax":   {"signatures/behavior/coins", "signatures/behavior/fold"},
	"signatures/behavior/fold":     {},
	"signatures/behavior/parties":  {"manifests", "signatures/behavior"},
	"signatures/behavior/markup":   {},
	"signatures/behavior/coins":    {},
	"signatures/feed":              {},
	"agent/browsers":               {},
	"agent/watcher":                {},
	"agent/places":                 {},
	"agent/service":                {"agent/places"},
	"agent/settings":               {"agent/places"},
	"agent/sandbox":                {},
	"agent/reader":                 {"agent/browsers", "agent/inventory", "agent/sandbox", "manifests", "manifests/archive"},
	"agent/inventory":              {"agent/browsers", "manifests", "manifests/archive"},
	"agent/store":                  {"manifests", "signatures", "signatures/behavior"},
	"agent/response":               {"agent/browsers", "manifests"},
	"agent/dashboard":              {"agent/store", "manifests", "signatures", "signatures/behavior"},
	"agent":                        {"agent/browsers", "agent/inventory", "agent/watcher", "manifests", "signatures", "signatures/behavior", "signatures/behavior/analysis"},
	"agent/cli":                    {"*"},
	"agent/notifier":               {"signatures"},
	"agent/notifier/outputs":       {"signatures"},
	"signatures/feed/publisher":    {},
	"signatures/feed/server":       {},
	"agent/updates":                {"agent/settings", "signatures", "signatures/feed"},
	"agent/resident":               {"agent", "agent/browsers", "agent/inventory", "agent/response", "agent/settings", "agent/store", "agent/updates", "manifests", "signatures", "signatures/behavior"},

	// Not part of the program.
	"manifests/archive/archivetest": {"manifests"},
	"bench":                         {"*"},
	"e2e":                           {"*"},
	"installer/generate":            {"agent/cli", "agent/service", "agent/settings"},
}

// forTests lists packages that only test files and programs outside the product may import.
var forTests = []string{"manifests/archive/archivetest"}

// maxChain is the longest allowed chain of imports, main included. The code of an extension takes four of them: who asks
// (signatures, agent), analysis, flow, and what flow asks.
const maxChain = 10

// The files of every operating system are parsed, not only this one's: a call of `go list` sees one OS, and its result
// is invisible to the test cache.
func TestLayout(t *testing.T) {
	imports := map[string][]string{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() != "." && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if strings.HasSuffix(file, ".go") {
			checkFile(t, filepath.ToSlash(file), imports)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range mayImport {
		if _, ok := imports[pkg]; !ok {
			t.Errorf("the import table names package %s, which does not exist", pkg)
		}
	}
	if chain := longestChain(".", imports); len(chain) > maxChain {
		t.Errorf("chain of imports is longer than %d: %s", maxChain, strings.Join(chain, " -> "))
	}
}

func checkFile(t *testing.T, file string, imports map[string][]string) {
	pkg := path.Dir(file)
	for _, bad := range []string{"common", "util", "utils", "helpers", "types", "manager"} {
		if path.Base(pkg) == bad {
			t.Errorf("%s: a package named %s says nothing; name what it does", pkg, bad)
		}
	}
	allowed, known := mayImport[pkg]
	if !known {
		t.Errorf("%s: package is not in the import table of layout_test.go; add it there and in docs/architecture.md", pkg)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	isTest := strings.HasSuffix(file, "_test.go")
	if imports[pkg] == nil {
		imports[pkg] = []string{}
	}
	for _, spec := range f.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		rel, ours := strings.CutPrefix(name, module+"/")
		if !ours || rel == pkg {
			continue
		}
		if isTest && slices.Contains(forTests, rel) {
			continue
		}
		if !slices.Contains(allowed, rel) && !slices.Contains(allowed, "*") {
			t.Errorf("%s imports %s, which %s may not; see docs/architecture.md", file, rel, pkg)
		}
		if !isTest && slices.Contains(forTests, rel) && !slices.Contains([]string{"e2e", "bench"}, pkg) {
			t.Errorf("%s imports %s, which is for tests only", file, rel)
		}
		if !isTest && !slices.Contains(imports[pkg], rel) {
			imports[pkg] = append(imports[pkg], rel)
		}
	}
}

func longestChain(pkg string, imports map[string][]string) []string {
	var best []string
	for _, next := range imports[pkg] {
		if c := longestChain(next, imports); len(c) > len(best) {
			best = c
		}
	}
	return append([]string{pkg}, best...)
}

// The table in docs/architecture.md is the same as the one here.
func TestLayoutIsDocumented(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{".": mayImport["."]}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		for name := range strings.SplitSeq(cells[1], ",") {
			may := []string{}
			switch what := strings.TrimSpace(cells[3]); what {
			case "nothing":
			case "all":
				may = []string{"*"}
			default:
				for pkg := range strings.SplitSeq(what, ",") {
					may = append(may, strings.TrimSpace(pkg))
				}
			}
			documented[strings.Trim(strings.TrimSpace(name), "`")] = may
		}
	}
	for pkg, may := range mayImport {
		got, ok := documented[pkg]
		slices.Sort(may)
		slices.Sort(got)
		if !ok || !slices.Equal(got, may) {
			t.Errorf("docs/architecture.md says that %s may import %v; layout_test.go says %v", pkg, got, may)
		}
		delete(documented, pkg)
	}
	for pkg := range documented {
		t.Errorf("docs/architecture.md names %s, which layout_test.go does not know", pkg)
	}
}
