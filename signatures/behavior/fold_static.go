package behavior

import (
	"slices"
	"sort"

	"github.com/tdewolff/parse/v2/js"
)

type varState uint8

const (
	varNew     varState = iota
	varStarts           // its first value is being evaluated
	varChanges          // parts of the program that change it still have to run
	varReady
)

// A staticVar is a variable that is not part of the code being evaluated, but of the program around it. It is constant when
// one initialiser, and then perhaps statements that run in order, give its value.
type staticVar struct {
	folder *folder
	v      *js.Var
	state  varState
	cell   jsCell

	init    js.IExpr    // what it is first set to; a *js.FuncDecl for functions
	declare bool        // init is a function declaration
	pattern js.IBinding // init is taken apart by this
	bound   bool        // parameter, loop or catch variable: has no one value
	list    int         // the statement list that it is declared in, 0 for undeclared globals
	inits   int
	self    js.INode // the function that is its value: its own changes to itself are its business

	writes  []varUse // other assignments
	changes []varUse // assignments to its properties, calls of methods that change it
	passes  []varUse // uses as an argument
	reads   []varUse
	aliases []*js.Var

	parts []*codePart
	late  bool // changed by parts that it is read in or before
}

// A varUse is one use: where in the tree of statements.
type varUse struct {
	at   *level
	self bool // within an assignment to the variable itself
}

// A level is a statement within a statement list within all that is around it.
type level struct {
	parent    *level
	list      int
	part      *codePart
	fn        js.INode // the statement list is the body of this function
	immediate bool     // which is called where it stands
}

// A codePart is a piece of the program that can be run by itself: a statement, or an element of a comma expression.
type codePart struct {
	order int
	stmt  js.IStmt
	expr  js.IExpr
	state partState
}

type partState uint8

const (
	partNew partState = iota
	partRunning
	partDone
	partFailed
	partHarmless // failed before it changed anything
)

const maxNesting = 100 // variables whose values need each other's

// static finds what the program says about a variable; nil for globals that it never sets.
func (f *folder) static(v *js.Var) *staticVar {
	v = canonical(v)
	if s := f.vars[v]; s != nil && (v.Decl != js.NoDecl || len(s.writes) > 0) {
		return s
	}
	if v.Decl == js.NoDecl {
		return nil
	}
	return f.staticVar(v)
}

func (f *folder) staticVar(v *js.Var) *staticVar {
	s := f.vars[v]
	if s == nil {
		s = &staticVar{folder: f, v: v}
		f.vars[v] = s
	}
	return s
}

// known reports whether there is anything that could give the variable a value.
func (s *staticVar) known() bool {
	return !s.bound && (s.init != nil || len(s.writes) > 0) && s.inits <= 1
}

// read gives the variable's value, unknown when it has no one value.
func (s *staticVar) read() jsv {
	if s.state != varReady {
		s.resolve()
	}
	if s.late && s.folder.running == 0 {
		return unknown{}
	}
	return s.cell.v
}

// write is an assignment by code that is being evaluated.
func (s *staticVar) write(v jsv) {
	if s.state == varNew {
		s.resolve()
	}
	s.cell.v = v
}

func (s *staticVar) resolve() {
	f := s.folder
	switch s.state {
	case varStarts:
		f.in.fail("value that needs itself")
	case varNew:
		if f.nesting >= maxNesting {
			f.in.fail("values that need too many others")
		}
		f.nesting++
		s.start()
		f.nesting--
	}
	if s.state == varChanges && (!s.late || f.running > 0) {
		s.change()
	}
}

// start gives the variable its first value.
func (s *staticVar) start() {
	f := s.folder
	s.cell.v = unknown{}
	if !s.known() || !s.plan() {
		s.state = varReady
		return
	}
	s.state = varStarts
	run := 0
	if s.init == nil {
		s.cell.v = undefined{}
	} else {
		var v jsv = unknown{}
		f.budget(f.steps-f.steps/4, func() {
			run = f.in.run
			f.in.attempt(func() { v = f.runCode(s.compile) })
		})
		s.cell.v = v
	}
	s.state = varChanges
	o, isObject := s.cell.v.(*jsObject)
	if isObject && o.run != run { // another name for something older: what changes it has run already, or must not run
		isObject = false
	}
	if isObject {
		s.followAliases()
	}
	if isObject && o.class != classFunction && !s.plans(s.changes) {
		s.cell.v = unknown{}
		s.state = varReady
		return
	}
	if isObject {
		s.plans(s.changes)
		s.plans(s.passes)
	}
	sort.Slice(s.parts, func(i, j int) bool { return s.parts[i].order < s.parts[j].order })
}

// followAliases takes over the changes that are made to the same object under other names.
func (s *staticVar) followAliases() {
	seen := map[*js.Var]bool{s.v: true}
	for todo := s.aliases; len(todo) > 0 && len(seen) < 32; {
		v := todo[0]
		todo = todo[1:]
		if seen[v] {
			continue
		}
		seen[v] = true
		if a := s.folder.vars[v]; a != nil {
			s.changes = append(s.changes, a.changes...)
			s.passes = append(s.passes, a.passes...)
			todo = append(todo, a.aliases...)
		}
	}
}

func (s *staticVar) compile(c *jsCompiler) jsCode {
	if d, ok := s.init.(*js.FuncDecl); ok && s.declare {
		return c.function(d, false)
	}
	c.soft = true
	if s.pattern == nil {
		return c.expr(s.init)
	}
	for _, v := range bindingVars(s.pattern, nil) {
		c.fn.declare(v)
	}
	bind, value, own := c.pattern(s.pattern), c.expr(s.init), c.variable(s.v)
	return func(f *jsFrame) jsv {
		f.slots = make([]*jsCell, c.fn.count)
		bind(f, value(f))
		return own(f)
	}
}

// plan notes the parts that assign to the variable. It is false when other code than parts that run in order does.
func (s *staticVar) plan() bool {
	if !s.plans(s.writes) {
		return false
	}
	if len(s.parts) == 0 {
		return true
	}
	last := s.parts[0]
	for _, p := range s.parts {
		if p.order > last.order {
			last = p
		}
	}
	for _, r := range s.reads {
		p, ok := s.partOf(r)
		if !ok || p == nil {
			continue
		}
		if p.order < last.order && !slices.Contains(s.parts, p) {
			return false
		}
		if slices.Contains(s.parts, p) && !r.self {
			s.late = true
		}
	}
	return true
}

// plans adds the parts of uses; false when one is in no part that runs by itself.
func (s *staticVar) plans(uses []varUse) bool {
	all := true
	for _, u := range uses {
		p, ok := s.partOf(u)
		switch {
		case !ok:
			all = false
		case p != nil && !slices.Contains(s.parts, p):
			s.parts = append(s.parts, p)
		}
	}
	return all
}

// partOf finds the part of the variable's statement list that a use stands in: nil when it is the variable's own function,
// false when it runs at another time.
func (s *staticVar) partOf(u varUse) (*codePart, bool) {
	immediate := true
	var found *codePart
	for l := u.at; l != nil; l = l.parent {
		if l.fn != nil && l.fn == s.self {
			return nil, true
		}
		if l.list == s.list && found == nil && immediate {
			found = l.part
		}
		if l.fn != nil && found == nil {
			immediate = immediate && l.immediate
		}
	}
	return found, found != nil
}

// change runs the parts that change the variable. A part that is running already ends the run: what comes after it has to
// wait for it.
func (s *staticVar) change() {
	for _, p := range s.parts {
		switch p.state {
		case partRunning:
			return
		case partNew:
			s.folder.runPart(p)
		}
		if p.state == partFailed {
			s.cell.v = unknown{}
			break
		}
		if p.state == partHarmless {
			if s.mustRun(p) {
				s.cell.v = unknown{}
				break
			}
		}
	}
	s.state = varReady
	if o, ok := s.cell.v.(*jsObject); ok {
		o.settled = true
	}
}

// mustRun reports whether the variable's value is only known after p, which failed.
func (s *staticVar) mustRun(p *codePart) bool {
	uses := s.writes
	if o, ok := s.cell.v.(*jsObject); ok && o.class != classFunction {
		uses = append(append([]varUse(nil), uses...), s.changes...)
	}
	for _, u := range uses {
		if q, _ := s.partOf(u); q == p {
			return true
		}
	}
	return false
}

func (f *folder) runPart(p *codePart) {
	p.state = partRunning
	f.running++
	f.nesting++
	before := f.in.shared
	ok := false
	f.budget(f.steps-f.steps/4, func() {
		ok = f.in.attempt(func() {
			f.runCode(func(c *jsCompiler) jsCode {
				if p.expr != nil {
					return c.expr(p.expr)
				}
				step := c.body(p.stmt)
				return func(fr *jsFrame) jsv { step(fr); return nil }
			})
		})
	})
	f.nesting--
	f.running--
	switch {
	case ok:
		p.state = partDone
	case f.in.shared == before:
		p.state = partHarmless
	default:
		p.state = partFailed
	}
}

// bindingVars lists the variables of a pattern.
func bindingVars(b js.IBinding, out []*js.Var) []*js.Var {
	switch b := b.(type) {
	case *js.Var:
		out = append(out, canonical(b))
	case *js.BindingArray:
		for _, item := range b.List {
			out = bindingVars(item.Binding, out)
		}
		if b.Rest != nil {
			out = bindingVars(b.Rest, out)
		}
	case *js.BindingObject:
		for _, item := range b.List {
			out = bindingVars(item.Value.Binding, out)
		}
		if b.Rest != nil {
			out = append(out, canonical(b.Rest))
		}
	}
	return out
}
