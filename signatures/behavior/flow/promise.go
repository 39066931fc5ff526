package flow

import "github.com/tdewolff/parse/v2/js"

// await returns what a value is once it is settled.
func (e *Engine) await(f *activation, v *value) *value {
	if v == nil || len(v.objs) == 0 {
		return v
	}
	out := &value{atoms: v.atoms, paths: v.paths, fns: v.fns, taints: v.taints, any: v.any}
	for _, o := range v.objs {
		if o.class == "Promise" {
			out = join(out, e.get(f, o, "settled"))
			continue
		}
		if t := o.lookup("then", 0); t != nil && len(t.ever.orEmpty().fns) > 0 && o.class == "" { // thenable
			out = join(out, e.thenable(f, t.ever, o))
			continue
		}
		out = join(out, objectValue(o))
	}
	return out
}

func (e *Engine) thenable(f *activation, then *value, o *object) *value {
	var got *value
	catch := e.nativeFn("resolve", func(e *Engine, f *activation, c call) *value {
		got = join(got, c.arg(0))
		return undef
	})
	e.callValue(f, then, call{node: nil, this: objectValue(o), args: []*value{closureValue(catch)}})
	return got
}

func (e *Engine) promise(f *activation, node js.INode, v *value) *value {
	o := e.alloc(f, node, "Promise")
	e.settle(f, o, v)
	return objectValue(o)
}

// settle gives a promise a further value, and calls what waits for it.
func (e *Engine) settle(f *activation, o *object, v *value) {
	if v == nil {
		v = undef
	}
	v = e.await(f, v)
	c := o.ensure("settled")
	before := c.ever
	c.now = join(c.now, v)
	e.grow(c, v)
	if c.ever == before || o.info == nil {
		return
	}
	const maxReactions = 40
	for i, h := range o.info.handlers {
		if i < maxReactions {
			e.react(f, h, c.ever)
		}
	}
}

func (e *Engine) react(f *activation, h handler, v *value) {
	if e.depth >= callDepth || e.nesting > nestingLimit {
		return
	}
	var r *value
	switch h.event {
	case "then":
		r = e.callValue(f, h.fn, call{node: h.node, args: []*value{v}})
	case "finally":
		e.callValue(f, h.fn, call{node: h.node})
		r = v
	}
	if h.out != nil {
		e.settle(f, h.out, r)
	}
}

// promiseCall is then, catch or finally of a promise.
func (e *Engine) promiseCall(f *activation, o *object, name string, c call) (*value, bool) {
	switch name {
	case "then", "finally", "catch":
	default:
		return nil, false
	}
	out := e.alloc(f, c.node, "Promise")
	settled := e.get(f, o, "settled")
	known := false
	for _, h := range o.more().handlers {
		known = known || h.out == out
	}
	h := handler{event: name, fn: c.arg(0), out: out, node: c.node}
	switch {
	case name == "catch":
		e.settle(f, out, settled)
		if fn := c.arg(0); fn != nil && len(fn.fns) > 0 {
			e.settle(f, out, e.callValue(f, fn, call{node: c.node, args: []*value{anything}}))
		}
		h = handler{event: "pass", out: out}
	case len(c.arg(0).orEmpty().fns)+len(c.arg(0).orEmpty().paths) == 0:
		e.settle(f, out, settled)
	default:
		if settled != nil {
			e.react(f, h, settled)
		}
		if r := c.arg(1); r != nil && len(r.fns) > 0 {
			e.settle(f, out, e.callValue(f, r, call{node: c.node, args: []*value{anything}}))
		}
	}
	if !known && len(o.info.handlers) < 64 {
		o.info.handlers = append(o.info.handlers, h)
	}
	return objectValue(out), true
}

// thenUnknown is then of something that may or may not be a promise.
func (e *Engine) thenUnknown(f *activation, recv *value, name string, c call) *value {
	out := e.alloc(f, c.node, "Promise")
	v := recv
	switch {
	case name == "then" && len(c.arg(0).orEmpty().fns) > 0:
		v = e.callValue(f, c.arg(0), call{node: c.node, args: []*value{recv}})
		if r := c.arg(1); r != nil && len(r.fns) > 0 {
			v = join(v, e.callValue(f, r, call{node: c.node, args: []*value{anything}}))
		}
	case len(c.arg(0).orEmpty().fns) > 0:
		v = join(v, e.callValue(f, c.arg(0), call{node: c.node, args: []*value{anything}}))
	}
	e.settle(f, out, v)
	return objectValue(out)
}

// newPromise is "new Promise(fn)".
func (e *Engine) newPromise(f *activation, c call) *value {
	o := e.alloc(f, c.node, "Promise")
	key := promiseKey{o}
	resolve, ok := e.links.resolvers[key]
	if !ok {
		resolve = e.nativeFn("resolve", func(e *Engine, f *activation, k call) *value {
			e.settle(f, o, k.arg(0))
			return undef
		})
		e.links.resolvers[key] = resolve
	}
	e.callValue(f, c.arg(0), call{node: c.node, args: []*value{closureValue(resolve), closureValue(resolve)}})
	return objectValue(o)
}

type promiseKey struct{ o *object }

// promiseStatic is Promise.all and its like.
func (e *Engine) promiseStatic(f *activation, name string, c call) *value {
	o := e.alloc(f, c.node, "Promise")
	switch name {
	case "resolve":
		e.settle(f, o, c.arg(0))
	case "reject":
		e.settle(f, o, anything)
	case "race", "any":
		for _, v := range e.items(f, c.arg(0)) {
			e.settle(f, o, v)
		}
	case "all", "allSettled":
		list := e.listFor(o)
		if items, exact := e.exactItems(f, c.arg(0)); exact {
			for i, v := range items {
				e.set(f, list, showNumber(float64(i)), e.allResult(f, name, v))
			}
		} else if el := e.element(f, c.arg(0)); el != nil {
			e.setRest(f, list, e.allResult(f, name, el))
		}
		e.settle(f, o, objectValue(list))
	case "withResolvers":
		r := e.alloc(f, c.node, "")
		p := e.newObject("Promise")
		e.set(f, r, "promise", objectValue(p))
		e.set(f, r, "resolve", closureValue(e.nativeFn("resolve", func(e *Engine, f *activation, k call) *value {
			e.settle(f, p, k.arg(0))
			return undef
		})))
		return objectValue(r)
	}
	return objectValue(o)
}

func (e *Engine) listFor(o *object) *object {
	key := promiseKey{o}
	if l := e.links.lists[key]; l != nil {
		return l
	}
	l := e.newObject("Array")
	e.links.lists[key] = l
	return l
}

func (e *Engine) allResult(f *activation, name string, v *value) *value {
	v = e.await(f, v)
	if name != "allSettled" {
		return v
	}
	o := e.newObject("")
	e.set(f, o, "value", v)
	e.set(f, o, "status", anything)
	return objectValue(o)
}
