package flow

import "strings"

// More helpers of bundlers and compilers that the engine knows by the form of their calls, and does itself what they are
// for: their own loops over tables would join what belongs apart.

// bundled is a call of such a helper; nil when it is none.
func (e *Engine) bundled(f *activation, c call) *value {
	switch len(c.args) {
	case 2:
		return e.madeClass(f, c)
	case 3:
		if v := e.madeClass(f, c); v != nil {
			return v
		}
		return e.browserify(f, c)
	}
	return nil
}

// madeClass is Babel's helper for classes, (constructor, methods, statics): methods are {key, value} or {key, get, set}.
func (e *Engine) madeClass(f *activation, c call) *value {
	if len(c.arg(0).orEmpty().fns) != 1 || c.args[0].fns[0].native != nil {
		return nil
	}
	cl := c.args[0].fns[0]
	if !described(c.arg(1)) && !(isNothing(c.arg(1)) && described(c.arg(2))) {
		return nil
	}
	for i, to := range []*object{e.prototype(f, cl), e.props(cl)} {
		for _, list := range c.arg(i + 1).orEmpty().objs {
			for _, cell := range list.cells {
				for _, d := range cell.ever.orEmpty().objs {
					e.defineProperty(f, objectValue(to), e.get(f, d, "key"), objectValue(d), c)
				}
			}
		}
	}
	for _, cell := range e.prototype(f, cl).cells {
		for _, fn := range cell.ever.orEmpty().fns {
			if fn.home == nil {
				fn.home = e.prototype(f, cl)
			}
		}
	}
	return c.args[0]
}

func isNothing(v *value) bool {
	a, ok := v.known()
	return v == nil || ok && (a.kind == aNull || a.kind == aUndefined || a.kind == aNumber && a.n == 0)
}

// described says whether v is a list of properties with their keys.
func described(v *value) bool {
	if v == nil || len(v.objs) != 1 || v.objs[0].class != "Array" || len(v.objs[0].cells) == 0 {
		return false
	}
	for _, d := range v.objs[0].cells[0].ever.orEmpty().objs {
		if d.class == "" && d.field("key") != nil && (d.field("value") != nil || d.field("get") != nil || d.field("set") != nil) {
			return true
		}
	}
	return false
}

// browserify is the call of its prelude: ({id: [function (require, module, exports) {…}, {"./name": id}]}, {}, [entries]).
func (e *Engine) browserify(f *activation, c call) *value {
	tables, entries := c.arg(0).orEmpty().objs, c.arg(2).orEmpty().objs
	if len(tables) != 1 || len(c.arg(1).orEmpty().objs) != 1 || len(entries) != 1 || entries[0].class != "Array" || tables[0].class != "" {
		return nil
	}
	table := tables[0]
	for _, cell := range table.cells {
		rows := cell.ever.orEmpty().objs
		if len(rows) != 1 || rows[0].class != "Array" || len(rows[0].value("0").orEmpty().fns) == 0 || len(rows[0].value("1").orEmpty().objs) != 1 {
			return nil
		}
	}
	if len(table.cells) == 0 {
		return nil
	}
	for _, id := range e.items(f, c.arg(2)) {
		for _, name := range id.texts() {
			e.browserified(f, c, table, name)
		}
	}
	return anything
}

// module is the object that a bundle hands to the module of a name, and whether it was made just now.
func (e *Engine) module(table *object, name string) (m *object, fresh bool) {
	key := nodeKey{table, "module " + name}
	if m := e.links.nodes[key]; m != nil {
		return m, false
	}
	m = e.newObject("")
	e.links.nodes[key] = m
	e.grow(m.ensure("exports"), objectValue(e.newObject("")))
	m.ensure("exports").now = m.ensure("exports").ever
	return m, true
}

// browserified runs a module of browserify and returns its exports.
func (e *Engine) browserified(f *activation, c call, table *object, id string) *value {
	rows := table.value(id).orEmpty().objs
	if len(rows) != 1 {
		return anything
	}
	m, fresh := e.module(table, id)
	if fresh {
		names := rows[0].value("1").objs[0]
		require := e.nativeFn("require", func(e *Engine, f *activation, k call) *value {
			var out *value
			for _, spec := range k.arg(0).texts() {
				if strings.Contains(spec, "webextension-polyfill") {
					out = join(out, pathValue("@"))
				}
				to := names.value(spec)
				if to == nil {
					to = textValue(spec)
				}
				for _, next := range to.texts() {
					out = join(out, e.browserified(f, k, table, next))
				}
			}
			return out
		})
		e.set(f, m, "require", closureValue(require))
	}
	for _, fn := range rows[0].value("0").fns {
		exports := e.get(f, m, "exports")
		e.callClosure(f, fn, call{node: c.node, this: exports, args: []*value{e.get(f, m, "require"), objectValue(m), exports}})
	}
	return e.get(f, m, "exports")
}
