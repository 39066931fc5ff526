package flow

import (
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"github.com/tdewolff/parse/v2/js"
)

// function makes the closure of a function expression or declaration; in one run always the same.
func (e *Engine) function(f *activation, x js.INode) *closure {
	if c, ok := f.entry.allocs.get(allocKey{x, "fn"}).(*closure); ok {
		c.this = join(c.this, f.this)
		return c
	}
	info := e.codes[x]
	if info == nil {
		info = newCode(f.u, x)
		info.heat = e.heats[x]
		info.size = info.heat.nodes
		e.codes[x] = info
	}
	e.ids++
	c := &closure{id: e.ids, u: f.u, info: info, env: f.env, name: info.name}
	if info.arrow {
		c.this = f.this
		if f.fn != nil {
			c.home = f.fn.home
		}
	}
	if fd, ok := x.(*js.FuncDecl); ok && fd.Name != nil && fd.Name.Decl == js.ExprDecl {
		c.env = e.newEnv(f.env) // its own name
		self := &cell{}
		e.grow(self, closureValue(c))
		self.now = self.ever
		c.env.put(resolve(fd.Name), self)
	}
	f.entry.allocs.put(allocKey{x, "fn"}, c)
	e.made = append(e.made, c)
	return c
}

func newCode(u *Script, x js.INode) *code {
	info := &code{node: x, u: u}
	switch x := x.(type) {
	case *js.ArrowFunc:
		info.params, info.body, info.arrow, info.async = &x.Params, &x.Body, true, x.Async
	case *js.FuncDecl:
		info.params, info.body, info.async, info.generator = &x.Params, &x.Body, x.Async, x.Generator
		if x.Name != nil {
			info.name = string(x.Name.Data)
		}
		info.steps, info.awaits = drivesSteps(info.params, info.body), awaits(info.params, info.body)
		info.spreads = spreads(info.params, info.body)
		info.requires = requires(info.params, info.body)
		info.states, info.marked = stateful(info.params, info.body), makesStates(info.body)
	case *js.MethodDecl:
		info.params, info.body, info.async, info.generator = &x.Params, &x.Body, x.Async, x.Generator
		info.name = string(x.Name.Literal.Data)
	}
	info.buffers = buffers(info.params, info.body)
	return info
}

// yield hands a value to the caller. What comes back is what the caller sends; helpers that imitate async functions send
// the settled value.
func (e *Engine) yield(f *activation, x *js.YieldExpr) *value {
	var v *value
	if x.X != nil {
		v = e.eval(f, x.X)
	}
	if x.Generator {
		for _, i := range e.items(f, v) {
			f.yields = join(f.yields, i)
		}
		return anything
	}
	f.yields = join(f.yields, v)
	return join(anything, e.await(f, v))
}

func (e *Engine) taintsOf(f *activation, args []*value) []*taint {
	var ts []*taint
	for _, a := range args {
		ts = joinTaints(ts, e.deepTaints(f, a))
	}
	return ts
}

// unknownCall is a call of something that the engine does not know: what goes in may come out, and functions that go in
// may be called with it.
func (e *Engine) unknownCall(f *activation, recv *value, c call) *value {
	ts := joinTaints(recv.allTaints(), e.nearTaints(f, c.args))
	if e.tainted > 0 && syntax.Signs(c.name) {
		ts = e.withoutKey(f, ts, append(c.args[:len(c.args):len(c.args)], recv))
	}
	e.clientCall(f, c)
	e.callBack(f, c, anything.tainted(ts))
	if c.name == "generateMnemonic" {
		ts = joinTaints(ts, []*taint{e.newTaint(f, c.node, srcSeed, "", "makes a seed phrase")})
	}
	return e.clientMade(f, c, anything.tainted(ts))
}

// callBack calls each function among the arguments.
func (e *Engine) callBack(f *activation, c call, v *value) {
	var args []*value
	for _, a := range c.args {
		if a == nil || len(a.fns) == 0 {
			continue
		}
		if args == nil {
			args = []*value{v, anything, v}
		}
		for _, fn := range a.fns {
			e.callClosure(f, fn, call{node: c.node, args: args})
		}
	}
}

type foldTries struct{ failed, found int }

// folded asks the folder.
func (e *Engine) folded(f *activation, x js.IExpr) *value {
	if e.fold == nil {
		return nil
	}
	maxFailures := 4 // of one function
	if e.hidesTexts(f.u) {
		maxFailures = 1000 // its own wrappers call it with arguments that nobody knows
	}
	key := js.INode(x)
	if c, ok := x.(*js.CallExpr); ok {
		if v, ok := c.X.(*js.Var); ok {
			key = resolve(v)
		}
	}
	t := e.folds[key]
	if t == nil {
		t = &foldTries{}
		e.folds[key] = t
	}
	if t.failed >= maxFailures && t.found == 0 {
		return nil
	}
	r, ok := e.fold(f.u, x)
	if !ok {
		t.failed++
		return nil
	}
	t.found++
	v := e.fromConstant(f, x, r, 0)
	if s, ok := v.known(); ok {
		e.out.folded(s.s)
	}
	return v
}

// orFolded replaces an unknown result of a call with constant arguments by what the folder finds. Where all texts are
// hidden, arguments may be members of objects of numbers and sums of them, and the folder knows better than the engine;
// elsewhere that is not worth asking.
func (e *Engine) orFolded(f *activation, x *js.CallExpr, fn, v *value) *value {
	if e.fold == nil || fn == nil || len(x.Args.List) == 0 {
		return v
	}
	if e.hidesTexts(f.u) {
		return e.decoded(f, x, v)
	}
	if len(fn.fns) == 0 || v != nil && (!v.any && len(v.atoms) > 0 || len(v.taints) > 0 || len(v.fns) > 0) || !literalArgs(x.Args.List) {
		return v
	}
	if c := e.folded(f, x); c != nil {
		return c
	}
	return v
}

// decoded is the text that a call gives in a script that hides its texts.
func (e *Engine) decoded(f *activation, x *js.CallExpr, v *value) *value {
	if _, ok := x.X.(*js.Var); !ok {
		return v
	}
	c := e.folded(f, x)
	if s, ok := c.known(); ok && (s.kind == aString || v == nil || v.any) {
		return c
	}
	return v
}

func literalArgs(args []js.Arg) bool {
	for _, a := range args {
		e := a.Value
		if u, ok := e.(*js.UnaryExpr); ok {
			e = u.X
		}
		if _, ok := e.(*js.LiteralExpr); !ok {
			return false
		}
	}
	return true
}
