package analysis

import (
	"fmt"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/flow"
	"github.com/extwatch/extwatch/signatures/behavior/fold"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
)

// follow runs the engine over the syntax trees, and adds what it finds to the report.
func (a *analysis) follow(c *collector) {
	whose := parties.New(a.in.Manifest)
	for i := range a.report.Contacts {
		a.report.Contacts[i].Party = whose.Of(a.report.Contacts[i].Host, "")
	}
	if a.noFlows || a.plain {
		a.problem("", "the flows of this extension could not be followed")
		return
	}
	e := flow.New(flow.Input{Manifest: a.in.Manifest, Scripts: c.scripts(), Fields: c.fields, Late: a.late})
	a.guard("following the code", e.Run)
	a.guard("describing what the code does", func() { a.merge(e.Report()) })
	folders := e.Folders()
	e = nil // what it knew is the most of the memory
	for _, u := range c.units {
		if u.AST == nil {
			continue
		}
		if a.late() {
			a.problem("", "no time was left to look for hidden code")
			return
		}
		a.tell(following, u.File)
		f := folders[&u.Script]
		delete(folders, &u.Script)
		if f == nil {
			f = flow.NewFolder(&u.Script)
		}
		a.guard("looking for hidden code in "+u.File, func() {
			for _, s := range f.Signs() {
				a.sign(u, s)
			}
			texts, closed := f.Decode()
			a.report.Strings = append(a.report.Strings, texts...)
			if closed {
				a.sign(u, f.Closed())
				a.problem(u.File, "it keeps its texts in an array, and most of them could not be decoded")
			}
		})
		if f.Exhausted() {
			a.problem(u.File, "it hides more texts than could be decoded")
		}
		u.AST, u.Src, u.text = nil, nil, nil // so that the trees go one by one
	}
}

func (a *analysis) sign(u *unit, s fold.Sign) {
	a.report.Obfuscation = append(a.report.Obfuscation, behavior.Sign{Kind: s.Kind, Place: u.Place(s.Offset), Text: s.Text})
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

func (a *analysis) merge(r behavior.Report) {
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
