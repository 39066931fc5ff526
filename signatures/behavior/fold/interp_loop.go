package fold

import (
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

// loop compiles all kinds of loops.
func (c *jsCompiler) loop(s js.IStmt, labels []string) jsStep {
	switch s := s.(type) {
	case *js.WhileStmt:
		cond, body := c.expr(s.Cond), c.body(s.Body)
		return func(f *jsFrame) jsSignal {
			for f.in.truth(cond(f)) {
				if sig, out := round(f, body, labels); out {
					return sig
				}
			}
			return goesOn
		}
	case *js.DoWhileStmt:
		cond, body := c.expr(s.Cond), c.body(s.Body)
		return func(f *jsFrame) jsSignal {
			for {
				if sig, out := round(f, body, labels); out {
					return sig
				}
				if !f.in.truth(cond(f)) {
					return goesOn
				}
			}
		}
	case *js.ForStmt:
		return c.forStmt(s, labels)
	case *js.ForInStmt:
		return c.forEach(s.Init, s.Value, s.Body, labels, func(in *interp, v jsv) []jsv {
			if nullish(v) {
				return nil
			}
			keys := in.ownKeys(v)
			out := make([]jsv, len(keys))
			for i, k := range keys {
				out[i] = k
			}
			return out
		})
	case *js.ForOfStmt:
		if !s.Await {
			return c.forEach(s.Init, s.Value, s.Body, labels, (*interp).items)
		}
	}
	return func(f *jsFrame) jsSignal { f.in.fail("unsupported loop"); return goesOn }
}

// round runs a loop's body once; out says that the loop ends, with sig for what stands around it.
func round(f *jsFrame, body jsStep, labels []string) (sig jsSignal, out bool) {
	f.in.tick()
	switch sig := body(f); sig {
	case breaks:
		if f.label == "" || slices.Contains(labels, f.label) {
			return goesOn, true
		}
		return sig, true
	case continues:
		if f.label == "" || slices.Contains(labels, f.label) {
			return goesOn, false
		}
		return sig, true
	case returns:
		return sig, true
	}
	return goesOn, false
}

// headVars are the variables that the head of a for statement declares for its body.
func (c *jsCompiler) headVars(body *js.BlockStmt) (head, inner []int) {
	for i, v := range body.Scope.Declared {
		if n := c.fn.declare(v); i < body.Scope.NumForDecls {
			head = append(head, n)
		} else {
			inner = append(inner, n)
		}
	}
	return head, inner
}

func (c *jsCompiler) forStmt(s *js.ForStmt, labels []string) jsStep {
	head, inner := c.headVars(s.Body)
	init, cond, post := func(*jsFrame) {}, constantCode(true), constantCode(nil)
	if d, ok := s.Init.(*js.VarDecl); ok {
		step := c.declaration(d)
		init = func(f *jsFrame) { step(f) }
	} else if s.Init != nil {
		code := c.expr(s.Init)
		init = func(f *jsFrame) { code(f) }
	}
	closures := c.fn.closures
	if s.Cond != nil {
		cond = c.expr(s.Cond)
	}
	if s.Post != nil {
		post = c.expr(s.Post)
	}
	body := c.freshBlock(s.Body.List, inner)
	copies := c.fn.closures > closures // each round has its own variables, which only closures can tell
	return func(f *jsFrame) jsSignal {
		for _, i := range head {
			f.slots[i] = &jsCell{undefined{}}
		}
		init(f)
		for f.in.truth(cond(f)) {
			if sig, out := round(f, body, labels); out {
				return sig
			}
			if copies {
				for _, i := range head {
					f.slots[i] = &jsCell{f.cell(i).v}
				}
			}
			post(f)
		}
		return goesOn
	}
}

func (c *jsCompiler) freshBlock(list []js.IStmt, fresh []int) jsStep {
	body := c.block(list, nil)
	if len(fresh) == 0 {
		return body
	}
	return func(f *jsFrame) jsSignal {
		for _, i := range fresh {
			f.slots[i] = &jsCell{undefined{}}
		}
		return body(f)
	}
}

func (c *jsCompiler) forEach(init, over js.IExpr, body *js.BlockStmt, labels []string, list func(*interp, jsv) []jsv) jsStep {
	head, inner := c.headVars(body)
	var bind jsBind
	if d, ok := init.(*js.VarDecl); ok && len(d.List) == 1 {
		bind = c.pattern(d.List[0].Binding)
	} else {
		bind = c.target(init)
	}
	value := c.expr(over)
	run := c.freshBlock(body.List, inner)
	return func(f *jsFrame) jsSignal {
		for i, all := 0, list(f.in, value(f)); i < len(all); i++ {
			for _, i := range head {
				f.slots[i] = &jsCell{undefined{}}
			}
			bind(f, all[i])
			if sig, out := round(f, run, labels); out {
				return sig
			}
		}
		return goesOn
	}
}
