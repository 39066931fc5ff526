package behavior

import (
	"fmt"

	"github.com/extwatch/extwatch/signatures/behavior/fold"
)

// follow runs the engine over the syntax trees, and adds what it finds to the report.
func (a *analysis) follow(c *collector) {
	e := newEngine(a.in.Manifest, c.units, defaultBudget)
	e.pages = c.pages
	for i := range a.report.Contacts {
		a.report.Contacts[i].Party = e.parties.of(a.report.Contacts[i].Host, "")
	}
	if a.noFlows || a.plain {
		a.problem("", "the flows of this extension could not be followed")
		return
	}
	e.useFolders()
	e.late = a.late
	a.guard("following the code", e.run)
	a.guard("describing what the code does", func() { a.merge(e.report()) })
	folders := e.folders
	e = nil // what it knew is the most of the memory
	for _, u := range c.units {
		if u.ast == nil {
			continue
		}
		if a.late() {
			a.problem("", "no time was left to look for hidden code")
			return
		}
		a.tell(following, u.file)
		f := folders[u]
		delete(folders, u)
		if f == nil {
			f = newFolder(u)
		}
		a.guard("looking for hidden code in "+u.file, func() {
			for _, s := range f.Signs() {
				a.sign(u, s)
			}
			texts, closed := f.Decode()
			a.report.Strings = append(a.report.Strings, texts...)
			if closed {
				a.sign(u, f.Closed())
				a.problem(u.file, "it keeps its texts in an array, and most of them could not be decoded")
			}
		})
		if f.Exhausted() {
			a.problem(u.file, "it hides more texts than could be decoded")
		}
		u.ast, u.src, u.text = nil, nil, nil // so that the trees go one by one
	}
}

func (a *analysis) sign(u *unit, s fold.Sign) {
	a.report.Obfuscation = append(a.report.Obfuscation, Sign{Kind: s.Kind, Place: u.place(s.Offset), Text: s.Text})
}

// guard runs a part of the analysis; a mistake of ours costs that part, and is told.
func (a *analysis) guard(what string, run func()) {
	defer func() {
		if r := recover(); r != nil {
			a.problem("", fmt.Sprintf("%s failed: %v", what, r))
		}
	}()
	run()
}

func (a *analysis) merge(r Report) {
	a.report.Calls = append(a.report.Calls, r.Calls...)
	a.report.Flows = append(a.report.Flows, r.Flows...)
	a.report.Contacts = append(a.report.Contacts, r.Contacts...)
	a.report.Strings = append(a.report.Strings, r.Strings...)
	a.report.Obfuscation = append(a.report.Obfuscation, r.Obfuscation...)
	for _, p := range r.Problems {
		a.problem(p.File, p.Reason)
	}
	if !r.Complete {
		a.problem("", "the code has more ways than the analysis could follow")
	}
}
