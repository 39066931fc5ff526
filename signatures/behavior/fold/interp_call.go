package fold

import "github.com/tdewolff/parse/v2/js"

// jsChain is a compiled link of a member or call chain: its value, the object that it was read from, and whether an optional
// link ended the chain early.
type jsChain func(f *jsFrame) (v, this jsv, ended bool)

// chainEnd compiles a whole chain.
func (c *jsCompiler) chainEnd(e js.IExpr) jsCode {
	link := c.chain(e)
	return func(f *jsFrame) jsv {
		v, _, ended := link(f)
		if ended {
			return undefined{}
		}
		return v
	}
}

// callee compiles what is called, so that its object becomes this.
func (c *jsCompiler) callee(e js.IExpr) jsChain {
	switch e := e.(type) {
	case *js.DotExpr, *js.IndexExpr, *js.CallExpr:
		return c.chain(e)
	case *js.GroupExpr:
		return c.callee(e.X)
	}
	code := c.expr(e)
	return func(f *jsFrame) (jsv, jsv, bool) { return code(f), undefined{}, false }
}

func (c *jsCompiler) chain(e js.IExpr) jsChain {
	c.enterNode()
	defer func() { c.depth-- }()
	switch e := e.(type) {
	case *js.DotExpr:
		return c.dot(e)
	case *js.IndexExpr:
		of, key := c.chain(e.X), c.expr(e.Y)
		return func(f *jsFrame) (jsv, jsv, bool) {
			o, _, ended := of(f)
			if ended || e.Optional && nullish(o) {
				return undefined{}, undefined{}, true
			}
			return f.in.index(o, key(f)), o, false
		}
	case *js.CallExpr:
		return c.callLink(e)
	}
	code := c.expr(e)
	return func(f *jsFrame) (jsv, jsv, bool) { return code(f), undefined{}, false }
}

func (c *jsCompiler) dot(e *js.DotExpr) jsChain {
	of := c.chain(e.X)
	name, ok := dotName(e)
	return func(f *jsFrame) (jsv, jsv, bool) {
		if !ok {
			f.in.fail("private name")
		}
		o, _, ended := of(f)
		if ended || e.Optional && nullish(o) {
			return undefined{}, undefined{}, true
		}
		return f.in.get(o, name), o, false
	}
}

// dotName is the name after the dot; false for private names.
func dotName(e *js.DotExpr) (string, bool) {
	switch y := e.Y.(type) {
	case js.LiteralExpr:
		return unescape(string(y.Data), nil), true
	case *js.LiteralExpr:
		return unescape(string(y.Data), nil), true
	}
	return "", false
}

func (c *jsCompiler) callLink(e *js.CallExpr) jsChain {
	args := c.args(e.Args)
	if of, key := c.method0(e.X); of != nil {
		return c.methodCall(e, of, key, args)
	}
	fn := c.callee(e.X)
	return func(f *jsFrame) (jsv, jsv, bool) {
		callee, this, ended := fn(f)
		if ended || e.Optional && nullish(callee) {
			return undefined{}, undefined{}, true
		}
		return f.in.call(callee, this, args(f)), undefined{}, false
	}
}

// method0 compiles the object and the name of a method that is called without optional links.
func (c *jsCompiler) method0(e js.IExpr) (of jsChain, key jsCode) {
	switch e := e.(type) {
	case *js.DotExpr:
		if name, ok := dotName(e); ok && !e.Optional {
			return c.chain(e.X), constantCode(name)
		}
	case *js.IndexExpr:
		if !e.Optional {
			return c.chain(e.X), c.expr(e.Y)
		}
	}
	return nil, nil
}

// methodCall calls builtin methods without making function objects of them.
func (c *jsCompiler) methodCall(e *js.CallExpr, of jsChain, key jsCode, args func(f *jsFrame) []jsv) jsChain {
	return func(f *jsFrame) (jsv, jsv, bool) {
		in := f.in
		o, _, ended := of(f)
		if ended {
			return undefined{}, undefined{}, true
		}
		k := key(f)
		if name, ok := k.(string); ok && !isUnknown(o) && !nullish(o) && in.inherits(o, name) {
			if m := in.method(o, name); m != nil {
				in.tick()
				return m(in, flat(o), args(f)), undefined{}, false
			}
		}
		callee := in.index(o, k)
		if e.Optional && nullish(callee) {
			return undefined{}, undefined{}, true
		}
		return in.call(callee, o, args(f)), undefined{}, false
	}
}

// inherits reports whether name is no property that the program itself gave to o.
func (in *interp) inherits(v jsv, name string) bool {
	o, ok := v.(*jsObject)
	if !ok {
		return true
	}
	if o.class == classGlobal || o.proto != nil {
		return false
	}
	_, has := o.props[name]
	return !has
}

// A jsScope collects the variables of one function while it is compiled.
type jsScope struct {
	parent   *jsScope
	slots    map[*js.Var]int
	count    int
	ups      map[*js.Var]int
	captures []jsCapture
	arrow    bool
	closures int
}

// canonical follows the merges of a variable.
func canonical(v *js.Var) *js.Var {
	for v.Link != nil {
		v = v.Link
	}
	return v
}

func (s *jsScope) declare(v *js.Var) int {
	v = canonical(v)
	if i, ok := s.slots[v]; ok {
		return i
	}
	if s.slots == nil {
		s.slots = map[*js.Var]int{}
	}
	i := s.count
	s.slots[v] = i
	s.count++
	return i
}

// find says where a variable is: in a slot, captured, or (false) outside of all that is compiled.
func (s *jsScope) find(v *js.Var) (index int, up, ok bool) {
	if i, ok := s.slots[v]; ok {
		return i, false, true
	}
	if i, ok := s.ups[v]; ok {
		return i, true, true
	}
	if s.parent == nil {
		return 0, false, false
	}
	i, outerUp, ok := s.parent.find(v)
	if !ok {
		return 0, false, false
	}
	if s.ups == nil {
		s.ups = map[*js.Var]int{}
	}
	n := len(s.captures)
	s.ups[v] = n
	s.captures = append(s.captures, jsCapture{fromUp: outerUp, index: i})
	return n, true, true
}

func (c *jsCompiler) variable(v *js.Var) jsCode {
	v = canonical(v)
	if i, up, ok := c.fn.find(v); ok {
		if up {
			return func(f *jsFrame) jsv { return f.ups[i].v }
		}
		return func(f *jsFrame) jsv { return f.cell(i).v }
	}
	name := unescape(string(v.Data), nil)
	if v.Decl == js.NoDecl && name == "arguments" && c.inFunction() {
		return func(f *jsFrame) jsv {
			for f.outer != nil {
				f = f.outer
			}
			return f.in.newArray(append([]jsv(nil), f.args...))
		}
	}
	st := c.in.statics(v)
	if st == nil {
		return func(f *jsFrame) jsv { return f.in.global(name) }
	}
	return func(*jsFrame) jsv { return st.read() }
}

// inFunction reports whether the code is in a function that has its own arguments.
func (c *jsCompiler) inFunction() bool {
	for s := c.fn; s != nil; s = s.parent {
		if s.parent != nil && !s.arrow {
			return true
		}
	}
	return false
}

// setter compiles an assignment to a variable.
func (c *jsCompiler) setter(v *js.Var) jsBind {
	v = canonical(v)
	if i, up, ok := c.fn.find(v); ok {
		if up {
			return func(f *jsFrame, x jsv) { f.ups[i].v = x }
		}
		return func(f *jsFrame, x jsv) { f.cell(i).v = x }
	}
	st := c.in.statics(v)
	if st == nil {
		return func(f *jsFrame, _ jsv) { f.in.fail("assignment to a global variable") }
	}
	return func(_ *jsFrame, x jsv) { st.write(x) }
}

// function compiles a function; an expression may see itself by its name.
func (c *jsCompiler) function(d *js.FuncDecl, expression bool) jsCode {
	if d.Async || d.Generator {
		return func(f *jsFrame) jsv { return unknown{} }
	}
	name := ""
	if d.Name != nil {
		name = string(d.Name.Name())
	}
	return c.closure(d, name, &d.Params, &d.Body, false, d.Name, expression)
}

func (c *jsCompiler) arrowFunction(d *js.ArrowFunc) jsCode {
	if d.Async {
		return func(f *jsFrame) jsv { return unknown{} }
	}
	return c.closure(nil, "", &d.Params, &d.Body, true, nil, false)
}

func (c *jsCompiler) method(d *js.MethodDecl) jsCode {
	if d.Async || d.Generator {
		return func(f *jsFrame) jsv { return unknown{} }
	}
	return c.closure(nil, "", &d.Params, &d.Body, false, nil, false)
}

func (c *jsCompiler) closure(d *js.FuncDecl, name string, params *js.Params, body *js.BlockStmt, arrow bool, self *js.Var, expression bool) jsCode {
	c.fn.closures++
	inner := &jsCompiler{in: c.in, depth: c.depth, fn: &jsScope{parent: c.fn, arrow: arrow}}
	fn := &jsFunc{decl: d, name: name, arrow: arrow, self: -1}
	for _, v := range body.Scope.Declared {
		fn.fresh = append(fn.fresh, inner.fn.declare(v))
	}
	if expression && self != nil && canonical(self).Decl == js.ExprDecl {
		fn.self = inner.fn.declare(self)
	}
	for _, p := range params.List {
		if p.Default == nil && p.Binding != nil && len(fn.params) == fn.length {
			fn.length++
		}
		fn.params = append(fn.params, inner.element(p))
	}
	if params.Rest != nil {
		fn.rest = inner.pattern(params.Rest)
	}
	fn.body = inner.block(body.List, nil)
	fn.slots, fn.captures = inner.fn.count, inner.fn.captures
	if fn.self >= 0 {
		fn.fresh = append(fn.fresh, fn.self)
	}
	return func(f *jsFrame) jsv {
		f.in.take(160)
		o := &jsObject{class: classFunction, code: fn, name: fn.name, run: f.in.run}
		o.ups = make([]*jsCell, len(fn.captures))
		for i, from := range fn.captures {
			if from.fromUp {
				o.ups[i] = f.ups[from.index]
			} else {
				o.ups[i] = f.cell(from.index)
			}
		}
		if arrow {
			o.frame, o.this = f, f.this
		}
		return o
	}
}
