package flow

import "github.com/tdewolff/parse/v2/js"

// Helpers of compilers that the engine does not follow but knows by their form, as enginegenerator.go does: they hold the
// state of an async function in tables, in which data would lose its way.

// awaits reports whether a function is TypeScript's helper for async functions: (self, args, P, make) that returns
// new (P || (P = Promise))(…).
func awaits(params *js.Params, body *js.BlockStmt) bool {
	if len(params.List) != 4 || len(body.List) == 0 || len(body.List) > 3 {
		return false
	}
	r, ok := body.List[len(body.List)-1].(*js.ReturnStmt)
	if !ok {
		return false
	}
	n, ok := r.Value.(*js.NewExpr)
	if !ok {
		return false
	}
	or, ok := unwrap(n.X).(*js.BinaryExpr)
	if !ok || or.Op != js.OrToken {
		return false
	}
	p, ok := or.X.(*js.Var)
	third, named := params.List[2].Binding.(*js.Var)
	return ok && named && resolve(p) == resolve(third)
}

// driveAwaiter calls the generator that an async function was made into, and returns the promise of its result.
func (e *Engine) driveAwaiter(f *activation, c call) *value {
	made := e.callValue(f, c.arg(3), call{node: c.node, this: c.arg(0), args: e.sequenceAll(f, c.arg(1))})
	return e.promise(f, c.node, e.result(f, made))
}

// result is what a generator returns in the end, where that is known apart from what it yields.
func (e *Engine) result(f *activation, made *value) *value {
	var out *value
	for _, o := range made.orEmpty().objs {
		if o.class != "Generator" && o.class != "AsyncGenerator" {
			out = join(out, objectValue(o))
			continue
		}
		v := e.get(f, o, "returned")
		if v == nil {
			v = e.get(f, o, "yields")
		}
		out = join(out, e.await(f, v))
	}
	if out == nil {
		return made
	}
	return out
}

// stateful reports whether a function is what regenerator makes of a generator: for (;;) switch (s.prev = s.next) { … }
// or, in newer versions, while (1) switch (s.n) { … }, with s its parameter.
func stateful(params *js.Params, body *js.BlockStmt) bool {
	if len(params.List) != 1 || len(body.List) == 0 {
		return false
	}
	state, ok := params.List[0].Binding.(*js.Var)
	if !ok {
		return false
	}
	var inner js.IStmt
	switch loop := body.List[len(body.List)-1].(type) {
	case *js.ForStmt:
		if loop.Body != nil && len(loop.Body.List) == 1 {
			inner = loop.Body.List[0]
		}
	case *js.WhileStmt:
		inner = loop.Body
		if b, ok := inner.(*js.BlockStmt); ok && len(b.List) == 1 {
			inner = b.List[0]
		}
	}
	var asked js.IExpr
	switch s := inner.(type) {
	case *js.SwitchStmt:
		asked = s.Init
	case *js.IfStmt: // a switch of one case, made shorter
		if b, ok := s.Cond.(*js.BinaryExpr); ok {
			if asked = b.X; b.Op == js.EqEqEqToken {
				if _, constant := unwrap(b.X).(*js.LiteralExpr); constant {
					asked = b.Y
				}
			}
		}
	}
	of := func(x js.IExpr) bool {
		d, ok := unwrap(x).(*js.DotExpr)
		if !ok {
			return false
		}
		v, ok := d.X.(*js.Var)
		return ok && resolve(v) == resolve(state)
	}
	if asked == nil {
		return false
	}
	if a, ok := unwrap(asked).(*js.BinaryExpr); ok {
		return a.Op == js.EqToken && of(a.X) && of(a.Y)
	}
	return of(asked)
}

// makesStates reports whether a function returns what is made from such a function: the generator function that
// regenerator marks.
func makesStates(body *js.BlockStmt) bool {
	if len(body.List) == 0 {
		return false
	}
	r, ok := body.List[len(body.List)-1].(*js.ReturnStmt)
	if !ok {
		return false
	}
	x := r.Value
	if list, ok := x.(*js.CommaExpr); ok && len(list.List) > 0 {
		x = list.List[len(list.List)-1]
	}
	c, ok := x.(*js.CallExpr)
	if !ok || len(c.Args.List) == 0 {
		return false
	}
	inner, ok := c.Args.List[0].Value.(*js.FuncDecl)
	return ok && stateful(&inner.Params, &inner.Body)
}

// regenerated is a call of regenerator's mark, wrap or async.
func (e *Engine) regenerated(f *activation, name string, c call) *value {
	for _, fn := range c.arg(0).orEmpty().fns {
		if fn.info == nil {
			continue
		}
		switch {
		case fn.info.states:
			out := e.driveStates(f, c, fn)
			if name == "async" {
				return e.promise(f, c.node, e.result(f, out))
			}
			return out
		case fn.info.marked:
			return closureValue(fn)
		}
	}
	return nil
}

// driveStates calls the function with the switch, and gives a generator as the language itself makes one. What is
// returned is yielded, and comes back as sent; what is handed to abrupt, in newer versions a, is the result.
func (e *Engine) driveStates(f *activation, c call, fn *closure) *value {
	state := e.alloc(f, c.node, "states")
	out := e.alloc(f, c.node, "Generator")
	if state.field("sent") == nil {
		for _, name := range [...]string{"prev", "next", "n", "p", "sent", "v"} {
			e.set(f, state, name, anything)
		}
		finish := closureValue(e.nativeFn("return", func(e *Engine, f *activation, k call) *value {
			e.grow(out.ensure("returned"), k.arg(1))
			return k.arg(1)
		}))
		delegate := closureValue(e.nativeFn("delegate", func(e *Engine, f *activation, k call) *value {
			for _, v := range e.items(f, k.arg(0)) {
				e.grow(out.ensure("yields"), v)
			}
			return anything
		}))
		for name, v := range map[string]*value{"abrupt": finish, "a": finish, "delegateYield": delegate, "d": delegate} {
			e.set(f, state, name, v)
		}
	}
	v := e.callClosure(f, fn, call{node: c.node, this: c.arg(2), args: []*value{objectValue(state)}})
	if v == nil {
		return objectValue(out)
	}
	given := e.await(f, v)
	e.grow(state.ensure("sent"), given)
	e.grow(state.ensure("v"), given)
	e.grow(out.ensure("yields"), v)
	return objectValue(out)
}

// spreads reports whether a function is a compiler's helper that makes a list of what can be iterated, for a pattern:
// TypeScript's (o, n) { var m = typeof Symbol === "function" && o[Symbol.iterator]; if (!m) return o; … }, Babel's
// (a, n) { return list(a) || limited(a, n) || other(a, n) || fail() }. What it gives holds what it was given.
func spreads(params *js.Params, body *js.BlockStmt) bool {
	if len(params.List) != 2 || len(body.List) == 0 {
		return false
	}
	given, ok := params.List[0].Binding.(*js.Var)
	if !ok {
		return false
	}
	isGiven := func(x js.IExpr) bool {
		v, ok := x.(*js.Var)
		return ok && resolve(v) == resolve(given)
	}
	switch s := body.List[0].(type) {
	case *js.VarDecl:
		if len(body.List) < 3 || len(s.List) == 0 {
			return false
		}
		and, ok := s.List[0].Default.(*js.BinaryExpr)
		if !ok || and.Op != js.AndToken {
			return false
		}
		at, ok := unwrap(and.Y).(*js.IndexExpr)
		if !ok || !isGiven(at.X) {
			return false
		}
		i, ok := body.List[1].(*js.IfStmt)
		if !ok {
			return false
		}
		r, ok := i.Body.(*js.ReturnStmt)
		return ok && isGiven(r.Value)
	case *js.ReturnStmt:
		n := 0
		x := s.Value
		for {
			or, ok := x.(*js.BinaryExpr)
			if !ok || or.Op != js.OrToken {
				break
			}
			n++
			x = or.X
		}
		c, ok := unwrap(x).(*js.CallExpr)
		return ok && n == 3 && len(c.Args.List) == 1 && isGiven(c.Args.List[0].Value)
	}
	return false
}
