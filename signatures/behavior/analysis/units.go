package analysis

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/flow"
	"github.com/extwatch/extwatch/signatures/behavior/markup"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

// A unit is one script in one context: a file, or a part of an HTML page.
type unit struct {
	flow.Script
	index    int      // for the scripts within an HTML page: which one, from 1; 0 for a file
	doubtful bool     // its name says that it is something else than a script
	idle     bool     // nothing refers to it, and no script has a part of its name
	handler  bool     // text of an on… attribute or a javascript: address
	partial  bool     // ast lacks a part that could not be parsed
	features features // what a look at the bytes told
	text     []byte   // the script as it stands in the file; nil when the file is not worth keeping
}

// key tells units apart. The same file in the same context is one unit, however many pages load it.
func (u *unit) key() unitKey {
	return unitKey{u.File, u.index, u.Context, u.World}
}

type unitKey struct {
	file    string
	index   int
	context behavior.Context
	world   string
}

// scripts are the units as the engine takes them.
func (c *collector) scripts() []*flow.Script {
	out := make([]*flow.Script, len(c.units))
	for i, u := range c.units {
		out[i] = &u.Script
	}
	return out
}

// A collector finds all scripts of an extension and where they run.
type collector struct {
	m        *manifests.Manifest
	files    fs.FS
	names    map[string]string // lower case path → path: browsers on two systems of three do not tell cases apart
	bases    map[string]bool   // last parts of names
	order    []string          // paths as the walk met them
	units    []*unit
	seen     map[unitKey]*unit
	used     map[string]bool           // files that some context runs
	pages    map[string]*page          // HTML pages read so far
	fields   map[string][]markup.Field // of them, once all are read
	loaded   map[string]*file          // scripts read so far
	hidden   map[string]bool           // files with other names that were looked at: whether they hold a script
	open     []string                  // paths and patterns of web_accessible_resources
	contacts []behavior.Contact        // hosts in addresses, in the text of all scripts
	calls    []behavior.Call           // static rules
	flows    []behavior.Flow           // likewise
	hosts    map[string]bool           // of contacts
	flooded  bool                      // more hosts than are kept
	total    int64                     // bytes read
	scratch  []byte                    // that files are read into
	problems []manifests.Problem
	stopped  bool
	most     int  // bytes of code from which on nothing more is read; 0: any
	size     int  // of the code so far
	giant    bool // it is more
	limits   limits
}

// A file is a script file that was read.
type file struct {
	text     []byte // nil when it is not worth keeping
	dropped  bool   // it would be, if something referred to it
	features features
	position *syntax.Position
	refs     []reference
}

// collect finds every script of an extension. What could not be read is a problem; the rest is there all the same.
func collect(m *manifests.Manifest, files fs.FS) ([]*unit, []manifests.Problem) {
	c := newCollector(m, files, defaultLimits())
	c.run()
	return c.units, c.problems
}

func newCollector(m *manifests.Manifest, files fs.FS, l limits) *collector {
	if m == nil {
		m = &manifests.Manifest{}
	}
	c := &collector{m: m, files: files, limits: l, names: map[string]string{}, seen: map[unitKey]*unit{},
		used: map[string]bool{}, hosts: map[string]bool{}, pages: map[string]*page{}, loaded: map[string]*file{}, hidden: map[string]bool{}}
	for _, w := range m.WebAccessible {
		c.open = append(c.open, w.Resources...)
	}
	return c
}

func (c *collector) run() {
	c.list()
	c.background()
	c.contentScripts()
	c.sources()
	for _, p := range c.m.Pages {
		c.addPage(p.Path, behavior.Popup)
	}
	c.follow(0)
	c.chunks()
	c.rest()
	c.staticRules()
	c.forget()
}

// A lister is a file system that knows the names of its files.
type lister interface{ list() []string }

// list notes the names of all files.
func (c *collector) list() {
	if l, ok := c.files.(lister); ok {
		for _, name := range l.list() {
			c.note(name)
		}
		return
	}
	if c.files == nil {
		c.problem("", "there are no files")
		return
	}
	err := fs.WalkDir(c.files, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			c.problem(name, "cannot be listed: "+err.Error())
			if entry != nil && entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		case len(c.order) >= c.limits.files:
			c.problem("", "too many files; the rest was not analysed")
			return fs.SkipAll
		}
		c.note(name)
		return nil
	})
	if err != nil {
		c.problem("", "the files cannot be listed: "+err.Error())
	}
}

func (c *collector) note(name string) {
	c.order = append(c.order, name)
	if low := strings.ToLower(name); c.names[low] == "" {
		c.names[low] = name
	}
}

func (c *collector) background() {
	b := c.m.Background
	for _, name := range b.Scripts {
		c.addScript(c.find("", name), unit{Script: flow.Script{Context: behavior.Background, Module: b.Module, Page: "background"}})
	}
	c.addScript(c.find("", b.ServiceWorker), unit{Script: flow.Script{Context: behavior.Background, Module: b.Module}})
	c.addPage(b.Page, behavior.Background)
}

func (c *collector) contentScripts() {
	for _, s := range c.m.ContentScripts {
		u := unit{Script: flow.Script{Context: behavior.Content, Matches: s.Matches}}
		if s.World == "MAIN" {
			u.Context, u.World = behavior.PageWorld, "MAIN"
		}
		for _, name := range s.JS {
			c.addScript(c.find("", name), u)
		}
	}
}

// follow looks for what the units from number n on load, and for what that loads, until nothing is new.
func (c *collector) follow(n int) {
	for ; n < len(c.units) && !c.stopped; n++ {
		u := c.units[n]
		if f := c.loaded[u.File]; f != nil && u.index == 0 {
			for _, r := range f.refs {
				if r.how != byName || !injected(f.refs, r.name) {
					c.refer(u, r)
				}
			}
			continue
		}
		if p := c.pages[u.File]; p != nil && u.index > 0 && u.index <= len(p.looks) {
			for _, r := range p.looks[u.index-1].refs {
				c.refer(u, r)
			}
		}
	}
}

// rest adds the scripts and pages that nothing refers to, marked so: names may be put together at run time.
func (c *collector) rest() {
	names := c.order
	if idle := c.idle(); len(idle) > 0 {
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return idle[name] })
		defer func() {
			for _, name := range c.order {
				if idle[name] && !c.stopped && !c.used[name] {
					c.addScript(name, unit{Script: flow.Script{Context: behavior.Unreferenced}, idle: true})
				}
			}
			c.quieten()
		}()
	}
	for _, name := range names {
		if c.stopped {
			return
		}
		if c.used[name] {
			continue
		}
		n := len(c.units)
		switch strings.ToLower(path.Ext(name)) {
		case ".js", ".mjs", ".cjs", ".jsm":
			context := behavior.Unreferenced
			if c.webAccessible(name) {
				context = behavior.PageWorld
			}
			c.addScript(name, unit{Script: flow.Script{Context: context}})
		case ".html", ".htm", ".xhtml":
			c.addPage(name, behavior.Unreferenced)
		default:
			continue
		}
		c.follow(n)
	}
}

// find returns the path of a file as it is in the package, or "". Names are as in a manifest, a page or a script:
// absolute, or relative to the folder dir.
func (c *collector) find(dir, name string) string {
	if name == "" || len(name) > maxName {
		return ""
	}
	if i := strings.IndexAny(name, "?#"); i >= 0 {
		name = name[:i]
	}
	if strings.Contains(name, "%") {
		name = unescapePath(name)
	}
	name = strings.ReplaceAll(name, `\`, "/")
	if !strings.HasPrefix(name, "/") {
		name = dir + "/" + name
	}
	return c.names[strings.ToLower(strings.TrimPrefix(path.Clean("/"+name), "/"))]
}

func (c *collector) webAccessible(name string) bool {
	return slices.ContainsFunc(c.open, func(pattern string) bool {
		return manifests.MatchGlob(strings.TrimPrefix(pattern, "/"), name)
	})
}

// addScript adds a script file in the context that like describes.
func (c *collector) addScript(name string, like unit) {
	if name == "" || c.stopped {
		return
	}
	like.File = name
	if old := c.seen[like.key()]; old != nil {
		old.Matches = union(old.Matches, like.Matches)
		old.Module = old.Module || like.Module
		return
	}
	f := c.load(name, like.Context)
	if f == nil {
		return
	}
	if like.features = f.features; like.Context != behavior.Unreferenced || f.features.worthUnreferenced(len(f.text)) {
		like.text, like.Position = f.text, f.position
	}
	if like.idle && len(f.text) > maxIdle {
		like.text, f.text = nil, nil
	}
	c.add(&like)
}

func (c *collector) add(u *unit) {
	if len(c.units) >= c.limits.units {
		c.problem("", "too many scripts; the rest was not analysed")
		c.stopped = true
		return
	}
	c.used[u.File] = true
	c.seen[u.key()] = u
	c.units = append(c.units, u)
	if !u.idle { // of those, most are left out later
		c.size += len(u.text)
	}
	if c.giant = c.most > 0 && c.size > c.most; c.giant {
		c.stopped = true
	}
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(slices.Clip(a), s)
		}
	}
	return a
}

func (c *collector) problem(file, reason string) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, manifests.Problem{File: file, Reason: reason})
	}
}
