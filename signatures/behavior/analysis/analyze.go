// Package analysis reads the code of an extension, in processes of its own that may be killed, and says what it does: which
// scripts run where, what their tokens and trees tell, and where what they read flows to.
package analysis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
)

// Input is the extension to analyse.
type Input struct {
	Manifest *manifests.Manifest // nil means that there is none: all scripts count as unreferenced
	Files    fs.FS               // from its top folder; read by the goroutine that calls
	// Skip lists files that are not to be parsed, because a worker died of them. They are reported as unreadable.
	Skip []string
	// Key, if set, is what the function Key gives: a Pool then analyses the same content once.
	Key string
}

// Analyze says what the code of an extension does. It never fails: what could not be read or was too much is a problem
// in the report, whose Complete is false then. When ctx ends, the report holds what was found by then.
//
// A hostile script can end the process (no parser in Go is safe from that) or hold it for long: call it through a Pool,
// except in tests and for scripts of known origin.
func Analyze(ctx context.Context, in Input) behavior.Report {
	a := &analysis{in: in, ctx: ctx, limits: defaultLimits()}
	return a.run()
}

// An analysis is the work on one extension.
type analysis struct {
	in      Input
	ctx     context.Context
	limits  limits
	phase   func(p phase, file string) // told what is done now; may be nil
	most    int                        // bytes of code from which on nothing is done but to say so; 0: any
	giant   bool                       // there were more
	plain   bool                       // no syntax trees
	noFlows bool                       // no engine
	parser  syntax.Parser
	scratch []byte // that files are read into
	report  behavior.Report
	end     time.Time
}

func (a *analysis) run() behavior.Report {
	a.end = time.Now().Add(a.limits.time)
	if deadline, ok := a.ctx.Deadline(); ok && deadline.Before(a.end) {
		a.end = deadline
	}
	a.report.Complete = true
	a.tell(reading, "")
	c := newCollector(a.in.Manifest, a.in.Files, a.limits)
	c.scratch, c.most = a.scratch, a.most
	c.run()
	a.scratch, c.scratch = c.scratch, nil
	if a.giant = c.giant || a.most > 0 && codeSize(c.units) > a.most; a.giant {
		return a.report
	}
	a.report.Problems = c.problems
	a.report.Complete = len(c.problems) == 0
	a.report.Contacts, a.report.Calls, a.report.Flows = c.contacts, c.calls, c.flows
	a.parse(c.units)
	a.tell(following, "")
	a.follow(c)
	tidy(&a.report)
	a.bound()
	return a.report
}

func (a *analysis) tell(p phase, file string) {
	if a.phase != nil {
		a.phase(p, file)
	}
}

// codeSize is how much code there is to be parsed.
func codeSize(units []*unit) int {
	size := 0
	for _, u := range units {
		size += len(u.text)
	}
	return size
}

func (a *analysis) problem(file, reason string) {
	a.report.Complete = false
	if len(a.report.Problems) < maxProblems {
		a.report.Problems = append(a.report.Problems, manifests.Problem{File: file, Reason: reason})
	}
}

// late reports whether the time is up.
func (a *analysis) late() bool { return a.ctx.Err() != nil || time.Now().After(a.end) }

// parse makes syntax trees, of the most telling scripts first: the budget may not suffice for all.
func (a *analysis) parse(units []*unit) {
	var todo []*unit
	for _, u := range units {
		if u.text != nil {
			todo = append(todo, u)
		}
	}
	slices.SortStableFunc(todo, func(x, y *unit) int { return cmp.Compare(y.rank(), x.rank()) })
	size := 0 // of what the trees refer to
	for _, u := range todo {
		switch {
		case slices.Contains(a.in.Skip, u.File):
			a.unreadable(u, 0, "the parser did not survive it")
		case a.plain:
			a.unreadable(u, 0, "scripts of this extension ended the parser too often")
		case a.late():
			a.problem(u.File, "no time was left to analyse it")
		case size > 0 && size+len(u.text)/2 > a.limits.kept:
			a.problem(u.File, fmt.Sprintf("the extension has more than %d MiB of code that is worth analysing; of this file only names were read", a.limits.kept>>20))
			a.tokens(u)
		default:
			a.tree(u)
			size += max(len(u.Src), 1)
		}
	}
	for _, u := range todo {
		u.text = nil
		u.Position.At(0) // it holds the text until it is asked
	}
}

// tree parses one script. It is parsed anew for each context: the engine tells them apart by their trees.
func (a *analysis) tree(u *unit) {
	a.tell(parsing, u.File)
	t, err := a.parser.Parse(u.text, u.handler, u.InPage() || u.Context == behavior.Unreferenced)
	if err == nil && u.doubtful && len(t.Lost) > 0 {
		err = errors.New("a part of it is no script")
	}
	if err != nil {
		calls := len(a.report.Calls)
		a.tokens(u)
		if !u.doubtful || len(a.report.Calls) > calls {
			a.unreadable(u, 0, "it could not be parsed: "+err.Error())
		}
		return
	}
	u.AST, u.Src, u.Back, u.partial = t.AST, t.Src, t.Back, len(t.Lost) > 0
	for _, at := range t.Lost {
		a.unreadable(u, at, "a part of it could not be parsed")
	}
	if u.partial {
		a.tokens(u)
	}
}

// unreadable notes that something in a script could not be parsed. Browsers may run it all the same.
func (a *analysis) unreadable(u *unit, offset int, reason string) {
	a.problem(u.File, reason)
	a.report.Obfuscation = append(a.report.Obfuscation, behavior.Sign{Kind: "unparseable", Place: u.placeInText(offset), Text: reason})
}

// tokens reports what the tokens of a script tell.
func (a *analysis) tokens(u *unit) {
	if a.late() {
		return
	}
	a.tell(parsing, u.File)
	a.report.Calls = append(a.report.Calls, tokenCalls(u)...)
}

// rank orders scripts by what they may tell.
func (u *unit) rank() int {
	rank := 0
	for f, points := range map[features]int{hasAPI: 4, hasSecret: 4, hasNetwork: 3, hasCode: 2, hasWallet: 2, hasHidden: 2, hasMessage: 1} {
		if u.features&f != 0 {
			rank += points
		}
	}
	switch u.Context {
	case behavior.Background, behavior.Content, behavior.PageWorld:
		rank += 4
	case behavior.Unreferenced:
		rank -= 6
	}
	if len(u.text) > 1<<20 { // one bundle of 10 MB must not keep all small scripts out
		rank -= 5
	}
	return rank
}

// Bounds of a report. Real extensions stay far below; what a thief floods it with is cut, and that is told.
const (
	maxCalls   = 20_000
	maxFlows   = 2000
	maxSigns   = 2000
	maxStrings = 5000
	maxString  = 4096
)

// bound cuts what is too much for one report.
func (a *analysis) bound() {
	r := &a.report
	cut := len(r.Calls) > maxCalls || len(r.Flows) > maxFlows || len(r.Obfuscation) > maxSigns || len(r.Strings) > maxStrings
	r.Calls = r.Calls[:min(len(r.Calls), maxCalls)]
	r.Flows = r.Flows[:min(len(r.Flows), maxFlows)]
	r.Obfuscation = r.Obfuscation[:min(len(r.Obfuscation), maxSigns)]
	r.Strings = r.Strings[:min(len(r.Strings), maxStrings)]
	for i, s := range r.Strings {
		r.Strings[i] = s[:min(len(s), maxString)]
	}
	if cut {
		a.problem("", "the code does more than a report can hold; the rest is not listed")
	}
}

// compact gives back what decoding left unused in the lists, up to half of a report that may be kept for long.
func compact(r *behavior.Report) {
	r.Calls, r.Flows, r.Contacts = exact(r.Calls), exact(r.Flows), exact(r.Contacts)
	r.Strings, r.Obfuscation = exact(r.Strings), exact(r.Obfuscation)
	for i := range r.Calls {
		r.Calls[i].Args = exact(r.Calls[i].Args)
	}
	for i := range r.Flows {
		r.Flows[i].Steps = exact(r.Flows[i].Steps)
	}
}

// exact returns a list without the room behind it; nil stays nil.
func exact[T any](list []T) []T {
	if cap(list) == len(list) {
		return list
	}
	return slices.Clone(list)
}

// tidy sorts, and removes what is there twice.
func tidy(r *behavior.Report) {
	slices.SortStableFunc(r.Calls, func(a, b behavior.Call) int {
		return cmp.Or(comparePlaces(a.Place, b.Place), cmp.Compare(a.API, b.API), cmp.Compare(a.Context, b.Context),
			slices.Compare(b.Args, a.Args))
	})
	r.Calls = slices.CompactFunc(r.Calls, func(b, a behavior.Call) bool { // the later one comes first
		return a.Place == b.Place && a.API == b.API && a.Context == b.Context && (len(b.Args) == 0 || slices.Equal(a.Args, b.Args))
	})
	slices.SortStableFunc(r.Contacts, func(a, b behavior.Contact) int {
		called := 0
		if a.Called != b.Called {
			if called = 1; a.Called {
				called = -1
			}
		}
		return cmp.Or(cmp.Compare(a.Host, b.Host), called, cmp.Compare(known(b.Party), known(a.Party)), comparePlaces(a.Place, b.Place))
	})
	r.Contacts = slices.CompactFunc(r.Contacts, func(b, a behavior.Contact) bool {
		return a.Host == b.Host && (a.Place == b.Place || !b.Called) // text says no more than the call, which comes first
	})
	r.Contacts = slices.DeleteFunc(r.Contacts, func(c behavior.Contact) bool { return c.Host == "" })
	slices.SortStableFunc(r.Obfuscation, func(a, b behavior.Sign) int {
		return cmp.Or(comparePlaces(a.Place, b.Place), cmp.Compare(a.Kind, b.Kind))
	})
	r.Obfuscation = slices.CompactFunc(r.Obfuscation, func(a, b behavior.Sign) bool { return a.Place == b.Place && a.Kind == b.Kind })
	slices.SortStableFunc(r.Flows, func(a, b behavior.Flow) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Host, b.Host), cmp.Compare(a.From, b.From),
			comparePlaces(lastPlace(a), lastPlace(b)))
	})
	slices.Sort(r.Strings)
	r.Strings = slices.Compact(r.Strings)
	slices.SortStableFunc(r.Problems, func(a, b manifests.Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Reason, b.Reason))
	})
	r.Problems = slices.Compact(r.Problems)
}

// known orders parties: one that says something before none.
func known(p behavior.Party) int {
	if p == "" || p == behavior.Unknown {
		return 0
	}
	return 1
}

// lastPlace is where a flow ends.
func lastPlace(f behavior.Flow) behavior.Place {
	if n := len(f.Steps); n > 0 {
		return f.Steps[n-1].Place
	}
	return behavior.Place{}
}

func comparePlaces(p, q behavior.Place) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}
