package fold

import (
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

// A jsSignal says how a statement ended.
type jsSignal uint8

const (
	goesOn jsSignal = iota
	breaks
	continues
	returns
)

// jsStep is a compiled statement.
type jsStep func(f *jsFrame) jsSignal

// block compiles a list of statements; fresh are the slots of variables that start anew each time.
func (c *jsCompiler) block(list []js.IStmt, scope *js.Scope) jsStep {
	var fresh []int
	if scope != nil {
		for _, v := range scope.Declared {
			fresh = append(fresh, c.fn.declare(v))
		}
	}
	var steps []jsStep
	for _, s := range list { // functions are there from the start
		if d, ok := s.(*js.FuncDecl); ok && d.Name != nil {
			code, set := c.function(d, false), c.setter(d.Name)
			steps = append(steps, func(f *jsFrame) jsSignal { set(f, code(f)); return goesOn })
		}
	}
	for _, s := range list {
		if step := c.stmt(s, nil); step != nil {
			steps = append(steps, step)
		}
	}
	return func(f *jsFrame) jsSignal {
		for _, i := range fresh {
			f.slots[i] = &jsCell{undefined{}}
		}
		for _, step := range steps {
			if sig := step(f); sig != goesOn {
				return sig
			}
		}
		return goesOn
	}
}

// stmt compiles a statement; labels are those it stands under.
func (c *jsCompiler) stmt(s js.IStmt, labels []string) jsStep {
	c.enterNode()
	defer func() { c.depth-- }()
	switch s := s.(type) {
	case *js.ExprStmt:
		code := c.expr(s.Value)
		return func(f *jsFrame) jsSignal { code(f); return goesOn }
	case *js.VarDecl:
		return c.declaration(s)
	case *js.BlockStmt:
		return c.labelled(c.block(s.List, &s.Scope), labels)
	case *js.IfStmt:
		return c.labelled(c.ifStmt(s), labels)
	case *js.ReturnStmt:
		if s.Value == nil {
			return func(f *jsFrame) jsSignal { f.ret = undefined{}; return returns }
		}
		code := c.expr(s.Value)
		return func(f *jsFrame) jsSignal { f.ret = code(f); return returns }
	case *js.BranchStmt:
		sig, label := breaks, string(s.Label)
		if s.Type == js.ContinueToken {
			sig = continues
		}
		return func(f *jsFrame) jsSignal { f.label = label; return sig }
	case *js.LabelledStmt:
		return c.stmt(s.Value, append(labels, string(s.Label)))
	case *js.ThrowStmt:
		code := c.expr(s.Value)
		return func(f *jsFrame) jsSignal {
			v := code(f)
			f.in.work(1000)
			panic(thrown{v})
		}
	case *js.TryStmt:
		return c.labelled(c.try(s), labels)
	case *js.SwitchStmt:
		return c.switchStmt(s, labels)
	case *js.WhileStmt, *js.DoWhileStmt, *js.ForStmt, *js.ForInStmt, *js.ForOfStmt:
		return c.loop(s, labels)
	case *js.FuncDecl, *js.EmptyStmt, *js.Comment, *js.DirectivePrologueStmt, *js.DebuggerStmt:
		return nil
	}
	return func(f *jsFrame) jsSignal { f.in.fail("unsupported statement"); return goesOn }
}

func (c *jsCompiler) labelled(step jsStep, labels []string) jsStep {
	if len(labels) == 0 {
		return step
	}
	return func(f *jsFrame) jsSignal {
		sig := step(f)
		if sig == breaks && f.label != "" && slices.Contains(labels, f.label) {
			return goesOn
		}
		return sig
	}
}

func (c *jsCompiler) declaration(d *js.VarDecl) jsStep {
	var steps []func(f *jsFrame)
	for _, item := range d.List {
		if item.Default == nil {
			if v, ok := item.Binding.(*js.Var); ok && d.TokenType == js.LetToken {
				set := c.setter(v)
				steps = append(steps, func(f *jsFrame) { set(f, undefined{}) })
			}
			continue
		}
		bind, value := c.pattern(item.Binding), c.expr(item.Default)
		steps = append(steps, func(f *jsFrame) { bind(f, value(f)) })
	}
	return func(f *jsFrame) jsSignal {
		for _, step := range steps {
			step(f)
		}
		return goesOn
	}
}

func (c *jsCompiler) body(s js.IStmt) jsStep {
	if s != nil {
		if step := c.stmt(s, nil); step != nil {
			return step
		}
	}
	return func(*jsFrame) jsSignal { return goesOn }
}

func (c *jsCompiler) ifStmt(s *js.IfStmt) jsStep {
	cond, then, other := c.expr(s.Cond), c.body(s.Body), c.body(s.Else)
	return func(f *jsFrame) jsSignal {
		if f.in.truth(cond(f)) {
			return then(f)
		}
		return other(f)
	}
}

func (c *jsCompiler) try(s *js.TryStmt) jsStep {
	body := c.block(s.Body.List, &s.Body.Scope)
	var handler, finally jsStep
	bind := func(*jsFrame, jsv) {}
	if s.Catch != nil {
		for _, v := range s.Catch.Scope.Declared {
			c.fn.declare(v)
		}
		if s.Binding != nil {
			bind = c.pattern(s.Binding)
		}
		handler = c.block(s.Catch.List, nil)
	}
	if s.Finally != nil {
		finally = c.block(s.Finally.List, &s.Finally.Scope)
	}
	var fresh []int
	if s.Catch != nil {
		for _, v := range s.Catch.Scope.Declared {
			fresh = append(fresh, c.fn.declare(v))
		}
	}
	protected := func(f *jsFrame) (sig jsSignal) {
		exception := f.in.catch(func() { sig = body(f) })
		if exception == nil {
			return sig
		}
		if handler == nil {
			panic(*exception)
		}
		for _, i := range fresh {
			f.slots[i] = &jsCell{undefined{}}
		}
		bind(f, exception.value)
		return handler(f)
	}
	if finally == nil {
		return protected
	}
	return func(f *jsFrame) (sig jsSignal) {
		exception := f.in.catch(func() { sig = protected(f) })
		ret, label := f.ret, f.label
		if end := finally(f); end != goesOn {
			return end
		}
		if exception != nil {
			panic(*exception)
		}
		f.ret, f.label = ret, label
		return sig
	}
}

func (c *jsCompiler) switchStmt(s *js.SwitchStmt, labels []string) jsStep {
	init := c.expr(s.Init)
	var fresh []int
	for _, v := range s.Scope.Declared {
		fresh = append(fresh, c.fn.declare(v))
	}
	var conds []jsCode
	var lists []jsStep
	other := -1
	for i, clause := range s.List {
		var cond jsCode
		if clause.Cond != nil {
			cond = c.expr(clause.Cond)
		} else {
			other = i
		}
		conds = append(conds, cond)
		lists = append(lists, c.block(clause.List, nil))
	}
	return func(f *jsFrame) jsSignal {
		for _, i := range fresh {
			f.slots[i] = &jsCell{undefined{}}
		}
		v, start := init(f), other
		for i, cond := range conds {
			if cond != nil && f.in.same(v, cond(f)) {
				start = i
				break
			}
		}
		for i := start; i >= 0 && i < len(lists); i++ {
			switch sig := lists[i](f); {
			case sig == breaks && (f.label == "" || slices.Contains(labels, f.label)):
				return goesOn
			case sig != goesOn:
				return sig
			}
		}
		return goesOn
	}
}
