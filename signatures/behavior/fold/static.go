package fold

import (
	"cmp"
	"iter"
	"slices"

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
	folder *Folder
	v      *js.Var
	state  varState
	cell   jsCell

	init    js.IExpr // what it is first set to; a *js.FuncDecl for functions
	declare bool     // init is a function declaration
	bound   bool     // parameter, loop or catch variable: has no one value
	late    bool     // changed by parts that it is read in or before
	inits   int8
	seen    int8  // reads
	list    int32 // the statement list that it is declared in, 0 for undeclared globals

	writes  useList // other assignments
	changes useList // assignments to its properties, calls of methods that change it
	passes  useList // uses as an argument
	reads   useList

	more *staticMore // what few variables have
}

type staticMore struct {
	pattern js.IBinding // init is taken apart by this
	aliases []*js.Var
	parts   []*codePart
}

// A useList is the number, from 1, of the last use in folder.uses, which leads to those before; 0 is none.
type useList int32

// A varUse is one use: where in the tree of statements.
type varUse struct {
	at     *level
	before useList
	self   bool // within an assignment to the variable itself
}

// A level is a statement within a statement list within all that is around it.
type level struct {
	parent    *level
	fn        js.INode // the statement list is the body of this function
	list      int32
	immediate bool // which is called where it stands
	part      codePart
}

// A codePart is a piece of the program that can be run by itself: a statement, or an element of a comma expression.
type codePart struct {
	state partState
	expr  bool // node is an expression
	order int32
	node  js.INode
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
func (f *Folder) static(v *js.Var) *staticVar {
	v = canonical(v)
	if s := f.vars[v]; s != nil && (v.Decl != js.NoDecl || s.writes > 0) {
		return s
	}
	if v.Decl == js.NoDecl {
		return nil
	}
	return f.staticVar(v)
}

func (f *Folder) staticVar(v *js.Var) *staticVar {
	s := f.vars[v]
	if s == nil {
		if len(f.spare) == 0 {
			f.spare = make([]staticVar, 64)
		}
		s, f.spare = &f.spare[0], f.spare[1:]
		s.folder, s.v = f, v
		f.vars[v] = s
	}
	return s
}

// use adds a use to a list.
func (f *Folder) use(list *useList, u varUse) {
	const room = 1 << useRoom
	last := len(f.uses) - 1
	if last < 0 || len(f.uses[last]) == room {
		f.uses = append(f.uses, make([]varUse, 0, room))
		last++
	}
	u.before = *list
	f.uses[last] = append(f.uses[last], u)
	*list = useList(last<<useRoom + len(f.uses[last]))
}

// useRoom is how many uses lie in one piece, as a power of two.
const useRoom = 10

// usesOf lists uses, the last one first.
func (f *Folder) usesOf(list useList) iter.Seq[varUse] {
	return func(yield func(varUse) bool) {
		for list > 0 {
			n := int(list) - 1
			u := f.uses[n>>useRoom][n&(1<<useRoom-1)]
			if !yield(u) {
				return
			}
			list = u.before
		}
	}
}

// join puts one list of uses behind another.
func (f *Folder) join(list *useList, more useList) {
	for u := range f.usesOf(more) {
		f.use(list, u)
	}
}

func (s *staticVar) extra() *staticMore {
	if s.more == nil {
		s.more = &staticMore{}
	}
	return s.more
}

// pattern is what takes init apart, or nil.
func (s *staticVar) pattern() js.IBinding {
	if s.more == nil {
		return nil
	}
	return s.more.pattern
}

// self is the function that is the variable's value: its own changes to itself are its business.
func (s *staticVar) self() js.INode {
	if s.pattern() != nil && !s.declare {
		return nil
	}
	return functionNode(s.init)
}

// known reports whether there is anything that could give the variable a value.
func (s *staticVar) known() bool {
	return !s.bound && (s.init != nil || s.writes > 0) && s.inits <= 1
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
	if s.more != nil {
		slices.SortFunc(s.more.parts, func(a, b *codePart) int { return cmp.Compare(a.order, b.order) })
	}
}

// followAliases takes over the changes that are made to the same object under other names.
func (s *staticVar) followAliases() {
	if s.more == nil || len(s.more.aliases) == 0 {
		return
	}
	seen := map[*js.Var]bool{s.v: true}
	for todo := s.more.aliases; len(todo) > 0 && len(seen) < 32; {
		v := todo[0]
		todo = todo[1:]
		if seen[v] {
			continue
		}
		seen[v] = true
		if a := s.folder.vars[v]; a != nil {
			s.folder.join(&s.changes, a.changes)
			s.folder.join(&s.passes, a.passes)
			if a.more != nil {
				todo = append(todo, a.more.aliases...)
			}
		}
	}
}

func (s *staticVar) compile(c *jsCompiler) jsCode {
	if d, ok := s.init.(*js.FuncDecl); ok && s.declare {
		return c.function(d, false)
	}
	c.soft = true
	pattern := s.pattern()
	if pattern == nil {
		return c.expr(s.init)
	}
	for _, v := range bindingVars(pattern, nil) {
		c.fn.declare(v)
	}
	bind, value, own := c.pattern(pattern), c.expr(s.init), c.variable(s.v)
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
	if s.more == nil || len(s.more.parts) == 0 {
		return true
	}
	parts := s.more.parts
	last := parts[0]
	for _, p := range parts {
		if p.order > last.order {
			last = p
		}
	}
	for r := range s.folder.usesOf(s.reads) {
		p, ok := s.partOf(r)
		if !ok || p == nil {
			continue
		}
		if p.order < last.order && !slices.Contains(parts, p) {
			return false
		}
		if slices.Contains(parts, p) && !r.self {
			s.late = true
		}
	}
	return true
}

// plans adds the parts of uses; false when one is in no part that runs by itself.
func (s *staticVar) plans(uses useList) bool {
	all := true
	for u := range s.folder.usesOf(uses) {
		p, ok := s.partOf(u)
		switch {
		case !ok:
			all = false
		case p != nil && !slices.Contains(s.extra().parts, p):
			s.more.parts = append(s.more.parts, p)
		}
	}
	return all
}

// partOf finds the part of the variable's statement list that a use stands in: nil when it is the variable's own function,
// false when it runs at another time.
func (s *staticVar) partOf(u varUse) (*codePart, bool) {
	immediate, self := true, s.self()
	var found *codePart
	for l := u.at; l != nil; l = l.parent {
		if l.fn != nil && l.fn == self {
			return nil, true
		}
		if l.list == s.list && l.list > 0 && found == nil && immediate {
			found = &l.part
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
	for _, p := range s.extra().parts {
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
	lists := []useList{s.writes}
	if o, ok := s.cell.v.(*jsObject); ok && o.class != classFunction {
		lists = append(lists, s.changes)
	}
	for _, uses := range lists {
		for u := range s.folder.usesOf(uses) {
			if q, _ := s.partOf(u); q == p {
				return true
			}
		}
	}
	return false
}

func (f *Folder) runPart(p *codePart) {
	p.state = partRunning
	f.running++
	f.nesting++
	before := f.in.shared
	ok := false
	f.budget(f.steps-f.steps/4, func() {
		ok = f.in.attempt(func() {
			f.runCode(func(c *jsCompiler) jsCode {
				if p.expr {
					return c.expr(p.node.(js.IExpr))
				}
				step := c.body(p.node.(js.IStmt))
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
