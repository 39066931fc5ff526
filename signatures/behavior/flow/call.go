package flow

import (
	"hash/maphash"
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

var seed = maphash.MakeSeed()

func (e *Engine) callExpr(f *activation, x *js.CallExpr) *value {
	switch callee := unwrap(x.X).(type) {
	case *js.DotExpr:
		if super(callee.X) {
			return e.callValue(f, e.superMember(f, e.dotName(callee)), e.callOf(f, x, f.this, x.Args))
		}
		recv := e.eval(f, callee.X)
		name := e.dotName(callee)
		c := e.callOf(f, x, recv, x.Args)
		if name == "constructor" && builtinMethod(callee.X) {
			return e.evalCall(f, "Function", c)
		}
		e.touch(f, callee)
		e.tells(f, x, callee, name, c)
		if e.opens(callee, name, c) {
			return e.opened(f, c)
		}
		if name == "includes" || name == "has" || name == "indexOf" {
			e.looksUpCount(f, x, recv)
		}
		if v := e.bundled(f, c); v != nil {
			return v
		}
		e.virtual(f, c)
		if v := e.borrowed(f, callee, recv, name, c); v != nil {
			return v
		}
		e.startsReports(f, c)
		v := e.callMember(f, recv, e.nameValue(name), c)
		e.noteClient(c, v)
		return e.noteBase(f, x, name, c, v)
	case *js.IndexExpr:
		if super(callee.X) {
			return e.callValue(f, e.superMember(f, e.propertyKey(f, callee.Y)), e.callOf(f, x, f.this, x.Args))
		}
		recv := e.eval(f, callee.X)
		key := e.keyOf(f, callee.Y)
		c := e.callOf(f, x, recv, x.Args)
		if name, _ := key.name(); name == "constructor" && builtinMethod(callee.X) {
			return e.evalCall(f, "Function", c)
		}
		return e.callMember(f, recv, key, c)
	case *js.LiteralExpr:
		switch callee.TokenType {
		case js.ImportToken:
			return e.dynamicImport(f, e.callOf(f, x, nil, x.Args))
		case js.SuperToken:
			return e.superCall(f, e.callOf(f, x, f.this, x.Args))
		}
	}
	fn := e.eval(f, x.X)
	c := e.callOf(f, x, undef, x.Args)
	if v := e.bundled(f, c); v != nil {
		return v
	}
	e.virtual(f, c)
	e.startsReports(f, c)
	if v, ok := x.X.(*js.Var); ok && string(v.Data) == "validateMnemonic" && len(x.Args.List) > 0 {
		e.mark(f, x, x.Args.List[0].Value, srcSeed, "", "has what is tested for a seed phrase")
	}
	v := e.callValue(f, fn, c)
	e.noteClient(c, v)
	return e.orFolded(f, x, fn, v)
}

// touch moves the frame's place to the name of a method.
func (e *Engine) touch(f *activation, d *js.DotExpr) {
	if l, ok := d.Y.(js.LiteralExpr); ok {
		if off := f.u.offset(l.Data); off >= 0 {
			f.near = off
		}
	}
}

func unwrap(x js.IExpr) js.IExpr {
	for range 50 {
		switch y := x.(type) {
		case *js.GroupExpr:
			x = y.X
			continue
		case *js.CommaExpr: // (0, fn)(…)
			if len(y.List) == 2 {
				if l, ok := y.List[0].(*js.LiteralExpr); ok && js.IsNumeric(l.TokenType) {
					x = y.List[1]
					continue
				}
			}
		}
		break
	}
	return x
}

// callOf evaluates the arguments of a call.
func (e *Engine) callOf(f *activation, node js.INode, this *value, args js.Args) call {
	c := call{node: node, this: this}
	if n := len(args.List); n > 0 {
		c.args = make([]*value, 0, n)
	}
	for _, a := range args.List {
		if !a.Rest {
			c.args = append(c.args, e.eval(f, a.Value))
			continue
		}
		v := e.eval(f, a.Value)
		c.args = append(c.args, e.items(f, v)...)
		if len(args.List) == 1 {
			c.given = v
		}
	}
	const maxArgs = 64
	if len(c.args) > maxArgs {
		c.args = c.args[:maxArgs]
	}
	return c
}

// callValue calls whatever fn may be.
func (e *Engine) callValue(f *activation, fn *value, c call) *value {
	if fn == nil {
		return e.unknownCall(f, nil, c)
	}
	var out *value
	for _, p := range fn.paths {
		out = join(out, e.callPath(f, p, c))
	}
	for _, cl := range fn.fns {
		out = join(out, e.callClosure(f, cl, c))
	}
	if len(fn.paths)+len(fn.fns) == 0 {
		return e.unknownCall(f, fn, c)
	}
	if out == nil {
		return undef
	}
	return out
}

// callClosure runs a function, or returns what it gave for the same arguments before.
func (e *Engine) callClosure(f *activation, cl *closure, c call) *value {
	if cl.isBound {
		c.args = append(cl.bound[:len(cl.bound):len(cl.bound)], c.args...)
		c.this = cl.this
	}
	if cl.native != nil {
		return cl.native(e, f, c)
	}
	e.asksByForm(f, cl, c)
	info := cl.info
	if info.arrow {
		c.this = cl.this
	}
	if info.steps {
		info.executed = true
		return e.driveSteps(f, c)
	}
	if info.spreads && c.arg(0) != nil {
		info.executed = true
		return c.arg(0)
	}
	if info.awaits {
		info.executed = true
		return e.driveAwaiter(f, c)
	}
	if e.cold(info) && !info.states && !e.passed(c.args) && !e.drives(info, c.args) && !e.enlists(info, c.args) {
		info.executed = true
		return e.pastCurve(f, info, c, e.unknownCall(f, nil, c))
	}
	if e.depth >= callDepth {
		return anything.tainted(e.taintsOf(f, c.args))
	}
	if info.requires {
		if v := e.lateModule(f, cl, c); v != nil {
			return v
		}
	}
	if info.buffers {
		info.executed = true
		return e.newPath(f, "Uint8Array", call{node: c.node, args: c.args, isNew: true})
	}
	en := e.entryFor(f, cl, &c)
	if en == nil {
		return info.result
	}
	e.dependOn(f, en)
	if en.running {
		en.recursed = true
	}
	if en.running || en.runs > 0 {
		return e.pastCurve(f, info, c, en.result) // when it changes, the caller is run again
	}
	en.cl, en.call = cl, c
	e.execute(en)
	return e.pastCurve(f, info, c, en.result)
}

func (e *Engine) dependOn(f *activation, en *entry) {
	p := f.entry
	if n := len(en.parents); n > 0 && en.parents[n-1] == p || n > maxReaders || p == en {
		return
	}
	for _, x := range en.parents {
		if x == p {
			return
		}
	}
	en.parents = append(en.parents, p)
}

// entryFor finds the run for these arguments. Past the bound of runs all calls share one, with joined arguments.
func (e *Engine) entryFor(f *activation, cl *closure, c *call) *entry {
	info := cl.info
	key := signature(cl, c)
	if en := info.memo[key]; en != nil {
		return en
	}
	tainted := e.tainted > 0 && (carries(c.this) || slices.ContainsFunc(c.args, carries))
	if e.uncalled && !tainted && info.result != nil && !calls(c.this) && !slices.ContainsFunc(c.args, calls) {
		return nil // from there nothing comes that its own callers did not bring
	}
	if info.summary == nil {
		info.summary = &summary{}
	}
	constant := allConstant(c.args)
	if !cl.met && len(c.args) == 0 && info.met < maxMet { // a joined run would be that of another closure
		cl.met = true
		info.met++
	} else if !tainted && !constant && !info.heat.hot {
		if info.summary.runs >= info.maxPlain() {
			return e.summarize(cl, c, &info.summary.plain)
		}
		info.summary.runs++
	} else {
		if info.runs >= info.maxEntries(constant, tainted, slices.ContainsFunc(c.args, calls)) {
			if tainted {
				return e.summarize(cl, c, &info.summary.tainted)
			}
			return e.summarize(cl, c, &info.summary.plain)
		}
		info.runs++
	}
	en := &entry{info: info}
	if info.memo == nil {
		info.memo = map[uint64]*entry{}
	}
	info.memo[key] = en
	return en
}

// carries says whether v is data of a source, or an object with such data in its fields.
func carries(v *value) bool {
	if v == nil || len(v.taints) > 0 {
		return v != nil
	}
	for _, o := range v.objs {
		if len(o.contents()) > 0 || o.rest != nil && o.rest.ever != nil && len(o.rest.ever.taints) > 0 {
			return true
		}
		for _, c := range o.cells[:min(len(o.cells), maxCarried)] {
			if c.ever != nil && len(c.ever.taints) > 0 {
				return true
			}
		}
	}
	return false
}

// calls says whether v may be a function or an object of the extension, through which more may come back than a result.
func calls(v *value) bool { return v != nil && len(v.fns)+len(v.objs) > 0 }

// maxCarried bounds the fields that are looked at for each call.
const maxCarried = 16

// maxPlain is how many runs a function may have that neither names anything of interest nor is given any.
func (info *code) maxPlain() int {
	return min(max(6000/max(int(info.size), 1), 2), 4)
}

// maxEntries is how many runs with arguments of their own a function of its size may have: 10,000 nodes of them, and
// 20,000 where all arguments are constants. Helpers of real extensions stay below (with 5,000, one that fetches for several
// sites sent the cookies of one to all); what went beyond were the inner functions of libraries. Calls that bring neither
// data of a source nor constants differ in little but which objects they are about: a few of them tell it all.
func (info *code) maxEntries(constant, tainted, functions bool) int {
	size := max(int(info.size), 1)
	switch {
	case constant && !info.heat.hot && !functions:
		return min(max(4000/size, 8), maxTextRuns)
	case constant:
		return min(max(20_000/size, 8), maxTextRuns)
	case !tainted:
		return min(max(10_000/size, 2), maxOtherRuns)
	}
	return min(max(10_000/size, 2), maxRuns)
}

// summarize joins the arguments of a call into those of a common run.
func (e *Engine) summarize(cl *closure, c *call, s *joined) *entry {
	if s.entry == nil {
		s.entry = &entry{info: cl.info}
	}
	grown := false
	for len(s.args) < len(c.args) {
		s.args = append(s.args, nil)
	}
	for i, a := range c.args {
		if v := join(s.args[i], a); v != s.args[i] {
			s.args[i], grown = v, true
		}
	}
	if v := join(s.this, c.this); v != s.this {
		s.this, grown = v, true
	}
	c.args, c.this = s.args[:len(s.args):len(s.args)], s.this
	if grown && s.entry.cl != nil {
		s.entry.call = *c
		e.spoil(s.entry)
	}
	return s.entry
}

func allConstant(args []*value) bool {
	for _, a := range args {
		if _, ok := a.known(); !ok && (a == nil || len(a.fns) == 0 || len(a.objs)+len(a.taints) > 0) {
			return false
		}
	}
	return len(args) > 0
}

func signature(cl *closure, c *call) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	if cl.env != nil {
		maphash.WriteComparable(&h, cl.env.id)
	}
	args, heat := c.args, cl.info.heat
	if heat.nodes == 0 || heat.this {
		c.this.hash(&h)
	}
	if p := cl.info.params; heat.nodes > 0 && !heat.args && p != nil && p.Rest == nil {
		args = args[:min(len(args), len(p.List))] // it cannot see the others
	}
	for _, a := range args {
		a.hash(&h)
	}
	return h.Sum64()
}

// execute runs the body once more for an entry.
func (e *Engine) execute(en *entry) {
	cl, c, info := en.cl, en.call, en.cl.info
	info.executed = true
	if en.env == nil {
		en.env = e.newEnv(cl.env)
	}
	en.running, en.stale = true, false
	en.runs++
	before := e.steps
	e.depth++
	f := &activation{u: cl.u, entry: en, env: en.env, fn: cl, this: c.this, args: c.args}
	f.near = e.startOf(info)
	e.declare(f, info.body.Declared)
	e.bindParams(f, info.params, c)
	e.hoist(f, info.body)
	if !e.statements(f, info.body.List) {
		f.ret = join(f.ret, undef)
	}
	e.depth--
	if en.runs > 1 {
		info.again += e.steps - before
	}
	e.finish(f, info, en)
	en.running = false
	if en.stale {
		en.stale = false
		e.spoil(en)
	}
}

// finish turns what was returned into what the caller gets.
func (e *Engine) finish(f *activation, info *code, en *entry) {
	ret := f.ret
	switch {
	case info.generator:
		o := e.alloc(f, info.node, "Generator")
		e.grow(o.ensure("yields"), join(f.yields, ret))
		e.grow(o.ensure("returned"), ret)
		if info.async {
			o.class = "AsyncGenerator"
		}
		ret = objectValue(o)
	case info.async:
		o := e.alloc(f, info.node, "Promise")
		e.settle(f, o, ret)
		ret = objectValue(o)
	}
	if v := join(en.result, ret); v != en.result {
		en.result = v
		if en.runs > 1 || en.recursed {
			for _, p := range en.parents {
				e.spoil(p)
			}
		}
	}
	info.result = join(info.result, en.result)
}

func (e *Engine) bindParams(f *activation, p *js.Params, c call) {
	if p == nil {
		return
	}
	for i, el := range p.List {
		e.bindElement(f, el, c.arg(i))
	}
	if p.Rest != nil {
		e.bind(f, p.Rest, e.arrayOf(f, p, argsFrom(c.args, len(p.List))), true)
	}
}

// startOf is an offset within or before the function.
func (e *Engine) startOf(info *code) int {
	if info.params != nil {
		for _, el := range info.params.List {
			if v, ok := el.Binding.(*js.Var); ok {
				if off := info.u.offset(v.Data); off >= 0 {
					return off
				}
			}
		}
	}
	if fd, ok := info.node.(*js.FuncDecl); ok && fd.Name != nil {
		if off := info.u.offset(fd.Name.Data); off >= 0 {
			return off
		}
	}
	return firstOffset(info.u, info.body)
}
