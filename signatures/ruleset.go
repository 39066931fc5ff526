package signatures

import (
	"errors"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Ruleset is all rules and indicators, compiled. It never changes after loading and is safe for concurrent use.
type Ruleset struct {
	files      fs.FS
	rules      []Rule
	catalog    *catalog
	indicators *listings
	decisions  map[string][]ruling // by ID in lower case
	schema     schema
	searches   []search
	byKey      map[string]int // of searches
	finder     *finder
	version    int
	limits     readLimits
	borrowed   bool // the indicators are the built-in ones
	wantHashes bool // some rule asks for file.sha256
	shared     *shared
}

// maxRules bounds a ruleset. Each rule runs on each extension; thousands would no longer be read by anybody.
const maxRules = 5000

// Load compiles the ruleset in fsys, laid out like signatures/rules: *.yml at any depth are rules, except for those
// in catalog. A ruleset of rules alone, as an organisation writes for itself, is judged with the built-in catalog,
// and its rules may ask for the built-in indicators.
// The error joins a [Defect] for each thing that is wrong.
func Load(fsys fs.FS) (*Ruleset, error) {
	rs, defects := load(fsys)
	if len(defects) > 0 {
		return nil, joined(defects)
	}
	return rs, nil
}

func joined(defects []Defect) error {
	errs := make([]error, len(defects))
	for i, d := range defects {
		errs[i] = d
	}
	return errors.Join(errs...)
}

func load(fsys fs.FS) (*Ruleset, []Defect) {
	rs := &Ruleset{files: fsys, schema: newSchema(), limits: readLimits{script: maxScript, read: maxRead, files: maxFiles}, shared: newShared()}
	catalogFS, _ := orBuiltin(fsys, "catalog")
	indicatorFS, borrowed := orBuiltin(fsys, "indicators")
	rs.borrowed = borrowed
	names, defects := ruleFiles(fsys)

	// Decoding is most of what loading costs, and every start of the program pays it: all files are decoded on all
	// cores, the indicators meanwhile; what needs the catalog follows.
	rules, parts := make([]*document, len(names)), make([]*document, len(catalogFiles()))
	var more []Defect
	work := []func(){func() { rs.indicators, more = loadIndicators(indicatorFS, fsys) }}
	for i, name := range catalogFiles() {
		work = append(work, func() { parts[i] = readDocument(catalogFS, name) })
	}
	for i, name := range names {
		work = append(work, func() { rules[i] = readDocument(fsys, name) })
	}
	together(work)
	defects = append(defects, more...)

	rs.catalog, more = newCatalog(parts)
	defects = append(defects, more...)
	rs.decisions, more = loadDecisions(fsys)
	defects = append(defects, more...)
	rs.version, more = loadVersion(fsys)
	defects = append(defects, more...)
	if rs.catalog != nil {
		defects = append(defects, rs.compile(rules)...)
	}
	if len(defects) > 0 {
		return nil, defects
	}
	return rs, nil
}

// orBuiltin returns the ruleset that holds the folder: fsys, or the built-in one, and then true.
func orBuiltin(fsys fs.FS, folder string) (fs.FS, bool) {
	if _, err := fs.Stat(fsys, folder); errors.Is(err, fs.ErrNotExist) {
		return builtinFS(), true
	}
	return fsys, false
}

// together runs the functions on all cores and waits for them.
func together(work []func()) {
	next := make(chan func())
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(work)) {
		wg.Go(func() {
			for f := range next {
				f()
			}
		})
	}
	for _, f := range work {
		next <- f
	}
	close(next)
	wg.Wait()
}

func loadVersion(fsys fs.FS) (int, []Defect) {
	const name = "version.txt"
	data, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, []Defect{{Path: name, Reason: reason(err)}}
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || n < 0 {
		return 0, []Defect{{Path: name, Line: 1, Reason: "expected one whole number"}}
	}
	return n, nil
}

func ruleFiles(fsys fs.FS) (names []string, defects []Defect) {
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			defects = append(defects, Defect{Path: name, Reason: reason(err)})
		case entry.IsDir() && name == "catalog":
			return fs.SkipDir
		case entry.IsDir(), isDecisions(name):
		case path.Ext(name) == ".yaml":
			defects = append(defects, Defect{Path: name, Reason: "rules end with .yml", Hint: "rename it"})
		case path.Ext(name) == ".yml":
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		defects = append(defects, Defect{Path: ".", Reason: reason(err)})
	}
	if len(names) > maxRules {
		defects = append(defects, Defect{Path: ".", Reason: "more than " + strconv.Itoa(maxRules) + " rules"})
		names = nil
	}
	return names, defects
}

// compile makes the rules of their files.
func (rs *Ruleset) compile(files []*document) (defects []Defect) {
	c := &compiler{catalog: rs.catalog, schema: rs.schema, known: map[string]int{}}
	for _, d := range files {
		if d.root != nil {
			rs.rules = append(rs.rules, *compileRule(c, d))
		}
		defects = append(defects, d.defects...)
	}
	rs.searches, rs.byKey = c.searches, c.known
	rs.finder = newFinder(c.searches)
	rs.wantHashes = c.hashes
	return append(defects, repeated(rs.rules)...)
}

// repeated finds IDs and names that stand twice.
func repeated(rules []Rule) (defects []Defect) {
	ids, names := map[string]string{}, map[string]string{}
	for _, r := range rules {
		if other, ok := ids[r.ID]; ok {
			defects = append(defects, Defect{r.Path, r.lines["id"], "id: the same as in " + other, "make one with uuidgen"})
		}
		if other, ok := names[r.Name]; ok {
			defects = append(defects, Defect{r.Path, r.lines["name"], "name: the same as in " + other, ""})
		}
		ids[r.ID], names[r.Name] = r.Path, r.Path
	}
	return defects
}

// Rules returns the rules, sorted by path. The caller may change the list but not what is in it.
func (rs *Ruleset) Rules() []Rule { return slices.Clone(rs.rules) }

// Counts returns how many rules and indicators there are. Built-in indicators count for the built-in ruleset only.
func (rs *Ruleset) Counts() (rules, indicators int) {
	return len(rs.rules), rs.indicators.count(rs.borrowed)
}

// Version returns the number in version.txt, which rises with every published ruleset; 0 without.
func (rs *Ruleset) Version() int { return rs.version }
