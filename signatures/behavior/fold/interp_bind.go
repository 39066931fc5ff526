package fold

import "github.com/tdewolff/parse/v2/js"

// element compiles one part of a pattern, with its default.
func (c *jsCompiler) element(b js.BindingElement) jsBind {
	if b.Binding == nil {
		return func(*jsFrame, jsv) {}
	}
	bind := c.pattern(b.Binding)
	if b.Default == nil {
		return bind
	}
	value := c.expr(b.Default)
	return func(f *jsFrame, v jsv) {
		if v == (undefined{}) {
			v = value(f)
		}
		bind(f, v)
	}
}

// pattern compiles the binding of declared variables.
func (c *jsCompiler) pattern(b js.IBinding) jsBind {
	c.enterNode()
	defer func() { c.depth-- }()
	switch b := b.(type) {
	case *js.Var:
		return c.setter(b)
	case *js.BindingArray:
		parts := make([]jsBind, len(b.List))
		for i, item := range b.List {
			parts[i] = c.element(item)
		}
		var rest jsBind
		if b.Rest != nil {
			rest = c.pattern(b.Rest)
		}
		return takeApart(parts, rest)
	case *js.BindingObject:
		fields := make([]fieldBind, len(b.List))
		for i, item := range b.List {
			fields[i].bind = c.element(item.Value)
			if item.Key != nil {
				fields[i].key = c.key(item.Key)
			} else if v, ok := item.Value.Binding.(*js.Var); ok {
				name := string(v.Data)
				fields[i].key = func(*jsFrame) string { return name }
			}
		}
		var rest jsBind
		if b.Rest != nil {
			rest = c.setter(b.Rest)
		}
		return takeFields(fields, rest)
	}
	return func(f *jsFrame, _ jsv) { f.in.fail("unsupported pattern") }
}

type fieldBind struct {
	key  func(f *jsFrame) string
	bind jsBind
}

func takeApart(parts []jsBind, rest jsBind) jsBind {
	return func(f *jsFrame, v jsv) {
		items := f.in.items(v)
		for i, bind := range parts {
			var x jsv = undefined{}
			if i < len(items) {
				x = items[i]
			}
			bind(f, x)
		}
		if rest != nil {
			var more []jsv
			if len(items) > len(parts) {
				more = append(more, items[len(parts):]...)
			}
			rest(f, f.in.newArray(more))
		}
	}
}

func takeFields(fields []fieldBind, rest jsBind) jsBind {
	return func(f *jsFrame, v jsv) {
		if nullish(v) {
			f.in.throw("TypeError", "Cannot destructure")
		}
		taken := map[string]bool{}
		for _, field := range fields {
			if field.key == nil {
				f.in.fail("unsupported pattern")
			}
			k := field.key(f)
			taken[k] = true
			field.bind(f, f.in.get(v, k))
		}
		if rest != nil {
			o := f.in.newObject()
			for _, k := range f.in.ownKeys(v) {
				if !taken[k] {
					o.set(k, f.in.get(v, k))
				}
			}
			rest(f, o)
		}
	}
}

// target compiles the left side of an assignment.
func (c *jsCompiler) target(e js.IExpr) jsBind {
	c.enterNode()
	defer func() { c.depth-- }()
	switch e := e.(type) {
	case *js.Var:
		return c.setter(e)
	case *js.GroupExpr:
		return c.target(e.X)
	case *js.DotExpr, *js.IndexExpr:
		of, key := c.member(e)
		return func(f *jsFrame, v jsv) {
			o := of(f)
			f.in.put(o, key(f), v)
		}
	case *js.BinaryExpr:
		if e.Op == js.EqToken {
			bind, value := c.target(e.X), c.expr(e.Y)
			return func(f *jsFrame, v jsv) {
				if v == (undefined{}) {
					v = value(f)
				}
				bind(f, v)
			}
		}
	case *js.ArrayExpr:
		return c.arrayTarget(e)
	case *js.ObjectExpr:
		return c.objectTarget(e)
	}
	return func(f *jsFrame, _ jsv) { f.in.fail("unsupported assignment") }
}

func (c *jsCompiler) arrayTarget(e *js.ArrayExpr) jsBind {
	var parts []jsBind
	var rest jsBind
	for _, item := range e.List {
		switch {
		case item.Value == nil:
			parts = append(parts, func(*jsFrame, jsv) {})
		case item.Spread:
			rest = c.target(item.Value)
		default:
			parts = append(parts, c.target(item.Value))
		}
	}
	return takeApart(parts, rest)
}

func (c *jsCompiler) objectTarget(e *js.ObjectExpr) jsBind {
	var fields []fieldBind
	var rest jsBind
	for _, p := range e.List {
		if p.Spread {
			rest = c.target(p.Value)
			continue
		}
		if p.Name == nil {
			return func(f *jsFrame, _ jsv) { f.in.fail("unsupported assignment") }
		}
		bind := c.target(p.Value)
		if p.Init != nil {
			inner, value := bind, c.expr(p.Init)
			bind = func(f *jsFrame, v jsv) {
				if v == (undefined{}) {
					v = value(f)
				}
				inner(f, v)
			}
		}
		fields = append(fields, fieldBind{c.key(p.Name), bind})
	}
	return takeFields(fields, rest)
}

// member compiles the object and the key of a member expression.
func (c *jsCompiler) member(e js.IExpr) (of, key jsCode) {
	switch e := e.(type) {
	case *js.DotExpr:
		if name, ok := dotName(e); ok {
			return c.expr(e.X), constantCode(name)
		}
	case *js.IndexExpr:
		return c.expr(e.X), c.expr(e.Y)
	}
	bad := func(f *jsFrame) jsv { f.in.fail("unsupported member"); return nil }
	return bad, bad
}
