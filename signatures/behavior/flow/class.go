package flow

import (
	"github.com/tdewolff/parse/v2/js"
)

// class makes the constructor of a class; its methods are on the prototype, its static ones on the constructor.
func (e *Engine) class(f *activation, d *js.ClassDecl) *closure {
	c, again := f.entry.allocs.get(allocKey{d, "fn"}).(*closure)
	if !again {
		info := e.codes[d]
		if info == nil {
			info = &code{node: d, u: f.u, body: &js.BlockStmt{}, class: d}
			for i := range d.List {
				m := d.List[i].Method
				if m != nil && !m.Static && string(m.Name.Literal.Data) == "constructor" {
					info.params, info.body, info.size = &m.Params, &m.Body, e.heats[m].nodes
				}
			}
			if d.Name != nil {
				info.name = string(d.Name.Data)
			}
			info.heat = e.heats[d]
			info.heat.this, info.heat.args = true, true // fields are set, too
			e.codes[d] = info
		}
		e.ids++
		c = &closure{id: e.ids, u: f.u, info: info, env: e.newEnv(f.env), name: info.name}
		if d.Name != nil {
			self := &cell{}
			e.grow(self, closureValue(c))
			self.now = self.ever
			c.env.put(resolve(d.Name), self)
		}
		f.entry.allocs.put(allocKey{d, "fn"}, c)
		e.made = append(e.made, c)
	}
	proto := e.prototype(f, c)
	c.home = proto
	if d.Extends != nil {
		e.inherit(f, c, proto, e.eval(f, d.Extends))
	}
	inner := *f
	inner.env = c.env
	inner.this = closureValue(c)
	for i := range d.List {
		e.classElement(&inner, c, proto, &d.List[i])
	}
	return c
}

func (e *Engine) inherit(f *activation, c *closure, proto *object, base *value) {
	if base == nil {
		return
	}
	props := e.props(c)
	for _, b := range base.fns {
		addProto(proto, e.prototype(f, b))
		addProto(props, e.props(b))
	}
	for _, p := range base.paths {
		proto.more().tag = p // extends HTMLElement, WebSocket, …
	}
	e.grow(props.ensure("super"), base)
	props.ensure("super").now = props.ensure("super").ever
}

func addProto(o, p *object) {
	if o == p || len(o.protos) >= 4 {
		return
	}
	for _, x := range o.protos {
		if x == p {
			return
		}
	}
	o.protos = append(o.protos, p)
}

func (e *Engine) classElement(f *activation, c *closure, proto *object, el *js.ClassElement) {
	if el.StaticBlock != nil {
		e.statement(f, el.StaticBlock)
		return
	}
	target := proto
	if m := el.Method; m != nil {
		if !m.Static && string(m.Name.Literal.Data) == "constructor" {
			return
		}
		if m.Static {
			target = e.props(c)
		}
		fn := e.function(f, m)
		fn.home = proto
		e.defineMethod(f, target, e.elementName(f, &m.Name), m, fn)
		return
	}
	if el.Static {
		e.setKey(f, e.props(c), e.elementName(f, &el.Name), e.eval(f, el.Init))
	}
}

func (e *Engine) elementName(f *activation, n *js.ClassElementName) *value {
	if n.Private != nil {
		return textValue(string(n.Private.Data))
	}
	return e.propertyName(f, &n.PropertyName)
}

// defineMethod stores a method, getter or setter.
func (e *Engine) defineMethod(f *activation, o *object, key *value, m *js.MethodDecl, fn *closure) {
	names := key.texts()
	if len(names) == 0 {
		e.setRest(f, o, closureValue(fn))
		return
	}
	for _, n := range names {
		c := o.ensure(n)
		switch {
		case m.Get:
			c.getter = fn
		case m.Set:
			c.setter = fn
		default:
			e.write(f, c, closureValue(fn))
		}
	}
}

// props is the object of a function's own properties.
func (e *Engine) props(c *closure) *object {
	if c.props == nil {
		c.props = e.newObject("function")
	}
	return c.props
}

// prototype is the object that instances of a function inherit from.
func (e *Engine) prototype(f *activation, c *closure) *object {
	cell := e.props(c).ensure("prototype")
	if cell.ever == nil {
		p := e.newObject("")
		k := p.ensure("constructor")
		e.grow(k, closureValue(c))
		k.now = k.ever
		e.grow(cell, objectValue(p))
		cell.now = cell.ever
	}
	if len(cell.ever.objs) > 0 {
		return cell.ever.objs[len(cell.ever.objs)-1]
	}
	return e.newObject("")
}

func (e *Engine) newExpr(f *activation, x *js.NewExpr) *value {
	fn := e.eval(f, x.X)
	var args js.Args
	if x.Args != nil {
		args = *x.Args
	}
	c := e.callOf(f, x, nil, args)
	c.isNew = true
	v := e.construct(f, fn, c)
	e.noteClient(c, v)
	return v
}

func (e *Engine) construct(f *activation, fn *value, c call) *value {
	if fn == nil {
		fn = anything
	}
	var out *value
	for _, p := range fn.paths {
		out = join(out, e.newPath(f, p, c))
	}
	for _, cl := range fn.fns {
		out = join(out, e.instance(f, cl, c))
	}
	if out == nil {
		if e.passed([]*value{fn}) { // new tx.instructions[0].constructor({keys: [{key: …}]})
			return anything.tainted(joinTaints(fn.taints, e.taintsOf(f, c.args)))
		}
		return e.unknownCall(f, fn, c)
	}
	return out
}

func (e *Engine) instance(f *activation, cl *closure, c call) *value {
	if cl.native != nil {
		return cl.native(e, f, c)
	}
	o := e.alloc(f, c.node, "")
	for _, p := range e.props(cl).ensure("prototype").ever.orEmpty().objs {
		addProto(o, p)
	}
	addProto(o, e.prototype(f, cl))
	c.this = objectValue(o)
	ret := e.construction(f, cl, c)
	if ret != nil && len(ret.objs)+len(ret.fns) > 0 {
		return join(objectValue(o), &value{objs: ret.objs, fns: ret.fns})
	}
	return objectValue(o)
}

func (v *value) orEmpty() *value {
	if v == nil {
		return &value{}
	}
	return v
}

// A building is an object of which a class without a constructor makes its part. What a class extends may be several
// classes for the engine, in a circle even, where many have the same short name.
type building struct {
	class *closure
	this  *value
}

// construction runs the fields' initial values and the constructor on c.this.
func (e *Engine) construction(f *activation, cl *closure, c call) *value {
	d := cl.info.class
	if d == nil {
		return e.callClosure(f, cl, c)
	}
	if e.depth >= callDepth || e.spent() {
		return nil
	}
	e.depth++
	defer func() { e.depth-- }()
	hasConstructor := false
	inner := &activation{u: cl.u, entry: f.entry, env: cl.env, fn: cl, this: c.this}
	for i := range d.List {
		el := &d.List[i]
		if el.Method != nil {
			hasConstructor = hasConstructor || !el.Method.Static && string(el.Method.Name.Literal.Data) == "constructor"
			continue
		}
		if el.StaticBlock == nil && !el.Static {
			v := undef
			if el.Init != nil {
				v = e.eval(inner, el.Init)
			}
			for _, o := range c.this.orEmpty().objs {
				e.setKey(f, o, e.elementName(inner, &el.Name), v)
			}
		}
	}
	if !hasConstructor && d.Extends != nil {
		cl.info.executed = true
		if key := (building{cl, c.this}); !e.building[key] {
			e.building[key] = true
			inner.fn = cl
			e.superCall(inner, c)
			delete(e.building, key)
		}
		return nil
	}
	return e.callClosure(f, cl, c)
}

// superCall runs the constructor of the base class on the same object.
func (e *Engine) superCall(f *activation, c call) *value {
	base := e.baseOf(f)
	for _, b := range base.orEmpty().fns {
		c.this = f.this
		if b.native == nil {
			e.construction(f, b, c)
		}
	}
	for _, p := range base.orEmpty().paths {
		v := e.newPath(f, p, c)
		for _, o := range v.orEmpty().objs {
			for _, t := range f.this.orEmpty().objs {
				addProto(t, o)
				if t.class == "" {
					t.class, t.info = o.class, o.info
				}
			}
		}
	}
	return undef
}

func (e *Engine) baseOf(f *activation) *value {
	if f.fn == nil {
		return nil
	}
	if f.fn.info.class != nil {
		return e.get(f, e.props(f.fn), "super")
	}
	if f.fn.home != nil {
		if c := f.fn.home.field("constructor"); c != nil {
			for _, k := range c.ever.orEmpty().fns {
				if v := e.get(f, e.props(k), "super"); v != nil {
					return v
				}
			}
		}
	}
	return nil
}

// superMember finds super.name.
func (e *Engine) superMember(f *activation, name string) *value {
	if f.fn == nil || f.fn.home == nil {
		return anything
	}
	for _, p := range f.fn.home.protos {
		if c := p.lookup(name, 0); c != nil {
			return e.read(f, c)
		}
	}
	return anything
}
