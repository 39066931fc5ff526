package flow

import (
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// webpack keeps the modules of a program in several files: each hands its own to a list that all share,
// (self.webpackChunkx = self.webpackChunkx || []).push([[ids], {id: function (module, exports, require) {…}}, start]).
// The runtime that puts them together, by loops over tables, is not followed; the engine does what it is for.

// chunk notes the modules of a file of webpack, and starts what it starts.
func (e *Engine) chunk(f *activation, c call) *value {
	if len(c.args) != 1 || len(c.arg(0).orEmpty().objs) != 1 {
		return nil
	}
	list := c.arg(0).objs[0]
	if list.class != "Array" || list.field("1") == nil || list.field("0") == nil {
		return nil
	}
	ids, modules := list.field("0").ever.orEmpty().objs, list.field("1").ever.orEmpty().objs
	if len(ids) != 1 || ids[0].class != "Array" || len(modules) != 1 {
		return nil
	}
	table := e.moduleTable(f.u.Context)
	for _, m := range modules {
		for i, id := range m.keys {
			if fns := m.cells[i].ever.orEmpty().fns; len(fns) > 0 {
				e.set(f, table, id, closureValue(fns[0]))
			}
		}
	}
	require := e.requirer(f.u.Context)
	if start := list.field("2"); start != nil {
		for _, fn := range start.ever.orEmpty().fns {
			e.callClosure(f, fn, call{node: c.node, args: []*value{closureValue(require)}})
		}
		for _, entry := range e.items(f, start.ever) { // webpack 4: [[id, files…]]
			for _, id := range e.items(f, entry) {
				e.required(f, c.node, f.u.Context, id, true)
				break
			}
		}
	}
	return anything
}

func (e *Engine) moduleTable(context behavior.Context) *object {
	key := string(context) + "\x01webpack"
	t := e.globals[key]
	if t == nil {
		t = e.newObject("")
		e.globals[key] = t
	}
	return t
}

// requirer is webpack's require for the modules of a context.
func (e *Engine) requirer(context behavior.Context) *closure {
	key := nodeKey{e.moduleTable(context), "require"}
	if o := e.links.nodes[key]; o != nil {
		return o.alone.fns[0]
	}
	c := e.nativeFn("require", func(e *Engine, f *activation, c call) *value {
		return e.required(f, c.node, context, c.arg(0), true)
	})
	e.links.nodes[key] = &object{alone: closureValue(c)}
	for name, fn := range map[string]func(e *Engine, f *activation, c call) *value{
		"d": defineGetters, "n": defaultGetter,
		"O": func(e *Engine, f *activation, c call) *value { return e.callValue(f, c.arg(2), call{node: c.node}) }, // once files are there
		"e": func(e *Engine, f *activation, c call) *value { return e.promise(f, c.node, anything) },
		"t": func(e *Engine, f *activation, c call) *value { return e.required(f, c.node, context, c.arg(0), true) },
		"r": func(*Engine, *activation, call) *value { return undef },
		"o": func(*Engine, *activation, call) *value { return aBoolean },
	} {
		e.grow(e.props(c).ensure(name), closureValue(e.nativeFn(name, fn)))
	}
	return c
}

// defineGetters is require.d(exports, {name: getter}), in webpack 4 require.d(exports, name, getter).
func defineGetters(e *Engine, f *activation, c call) *value {
	for _, to := range c.arg(0).orEmpty().objs {
		for _, from := range c.arg(1).orEmpty().objs {
			for i, k := range from.keys {
				if fns := from.cells[i].ever.orEmpty().fns; len(fns) > 0 {
					to.ensure(k).getter = fns[0]
				}
			}
		}
		if name, ok := c.arg(1).constant(); ok && len(c.arg(2).orEmpty().fns) > 0 {
			to.ensure(name).getter = c.arg(2).fns[0]
		}
		e.grew(to)
	}
	return undef
}

// defaultGetter is require.n(exports): a function that gives the default export, also of old modules.
func defaultGetter(e *Engine, f *activation, c call) *value {
	v := join(c.arg(0), e.member(f, c.node, c.arg(0), e.nameValue("default")))
	get := e.nativeFn("default", func(*Engine, *activation, call) *value { return v })
	e.grow(e.props(get).ensure("a"), v)
	return closureValue(get)
}

// requires reports whether a function is the require of webpack's runtime: function (id) { … kept[id] = {exports: {}} …
// modules[id](m, m.exports, require) … }.
func requires(params *js.Params, body *js.BlockStmt) bool {
	if len(params.List) != 1 || len(body.List) < 2 || len(body.List) > 12 {
		return false
	}
	s := &exportsSearch{}
	for _, stmt := range body.List {
		js.Walk(s, stmt)
	}
	return s.made && s.called
}

type exportsSearch struct{ made, called bool }

func (s *exportsSearch) Enter(n js.INode) js.IVisitor {
	switch x := n.(type) {
	case *js.FuncDecl, *js.ArrowFunc, *js.MethodDecl, *js.ClassDecl:
		return nil
	case *js.ObjectExpr:
		for i := range x.List {
			if p := x.List[i].Name; p != nil && string(p.Literal.Data) == "exports" {
				_, s.made = x.List[i].Value.(*js.ObjectExpr)
			}
		}
	case *js.CallExpr:
		s.called = s.called || len(x.Args.List) == 3 || len(x.Args.List) == 4
	}
	return s
}

func (s *exportsSearch) Exit(js.INode) {}

// lateFile is require.e(chunk): a promise that the runtime keeps in a table, and fulfils when the file has come.
func (e *Engine) lateFile(f *activation, recv *value, c call) *value {
	for _, fn := range recv.orEmpty().fns {
		if fn.info != nil && fn.info.requires {
			return e.promise(f, c.node, anything)
		}
	}
	return nil
}

// lateModule is what the runtime's own require gives for a module of another file.
func (e *Engine) lateModule(f *activation, cl *closure, c call) *value {
	table := e.moduleTable(f.u.Context)
	e.grow(table.ensure("main"), closureValue(cl))
	return e.required(f, c.node, f.u.Context, c.arg(0), false)
}

// required runs a module of any file and returns its exports. Where main is set, it may be one of the file that holds the
// runtime, too.
func (e *Engine) required(f *activation, node js.INode, context behavior.Context, id *value, main bool) *value {
	var out *value
	for _, name := range id.texts() {
		if strings.Contains(name, parties.Gap) {
			continue
		}
		table := e.moduleTable(context)
		fns := e.get(f, table, name).orEmpty().fns
		if len(fns) == 0 && main {
			for _, fn := range e.get(f, table, "main").orEmpty().fns {
				out = join(out, e.callClosure(f, fn, call{node: node, args: []*value{id}}))
			}
		}
		for _, fn := range fns {
			m, _ := e.module(table, name)
			e.callClosure(f, fn, call{node: node, this: e.get(f, m, "exports"),
				args: []*value{objectValue(m), e.get(f, m, "exports"), closureValue(e.requirer(context))}})
			out = join(out, e.get(f, m, "exports"))
		}
	}
	return out
}

// borrowed is a method that is called by call or apply where the engine does not know it as a function of its own:
// list.push.apply(list, more).
func (e *Engine) borrowed(f *activation, x *js.DotExpr, method *value, name string, c call) *value {
	if name != "apply" && name != "call" || len(method.orEmpty().fns)+len(method.orEmpty().paths) > 0 || c.arg(0) == nil {
		return nil
	}
	d, ok := unwrap(x.X).(*js.DotExpr)
	if !ok || len(c.arg(0).objs) == 0 {
		return nil
	}
	k := c
	if k.args = argsFrom(c.args, 1); name == "apply" {
		k.args = e.sequenceAll(f, c.arg(1))
	}
	return e.callMember(f, c.arg(0), e.nameValue(e.dotName(d)), k)
}
