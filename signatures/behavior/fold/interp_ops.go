package fold

import (
	"math"

	"github.com/tdewolff/parse/v2/js"
)

func (c *jsCompiler) unary(e *js.UnaryExpr) jsCode {
	switch e.Op {
	case js.PreIncrToken, js.PostIncrToken:
		return c.update(e.X, 1, e.Op == js.PostIncrToken)
	case js.PreDecrToken, js.PostDecrToken:
		return c.update(e.X, -1, e.Op == js.PostDecrToken)
	case js.DeleteToken:
		return c.remove(e.X)
	case js.AwaitToken:
		return func(f *jsFrame) jsv { f.in.fail("await"); return nil }
	case js.TypeofToken:
		x := c.expr(e.X)
		return func(f *jsFrame) jsv { return f.in.typeOf(x(f)) }
	case js.VoidToken:
		x := c.expr(e.X)
		return func(f *jsFrame) jsv { x(f); return undefined{} }
	case js.NotToken:
		x := c.expr(e.X)
		return func(f *jsFrame) jsv { return !f.in.truth(x(f)) }
	}
	x := c.expr(e.X)
	op := e.Op
	return func(f *jsFrame) jsv {
		f.in.tick()
		v := x(f)
		if isUnknown(v) {
			return v
		}
		switch op {
		case js.NegToken:
			return -f.in.number(v)
		case js.PosToken:
			return f.in.number(v)
		case js.BitNotToken:
			return float64(^f.in.int32(v))
		}
		f.in.fail("unsupported operator")
		return nil
	}
}

func (c *jsCompiler) update(target js.IExpr, by float64, post bool) jsCode {
	read, write := c.readWrite(target)
	return func(f *jsFrame) jsv {
		f.in.tick()
		v, where := read(f)
		old := f.in.number(v)
		write(f, where, number(old+by))
		if post {
			return old
		}
		return old + by
	}
}

// place is where readWrite read from: object and key, evaluated once.
type memberPlace struct{ of, key jsv }

// readWrite compiles a target that is read, changed and written.
func (c *jsCompiler) readWrite(e js.IExpr) (read func(*jsFrame) (jsv, memberPlace), write func(*jsFrame, memberPlace, jsv)) {
	switch e := e.(type) {
	case *js.GroupExpr:
		return c.readWrite(e.X)
	case *js.Var:
		get, set := c.variable(e), c.setter(e)
		return func(f *jsFrame) (jsv, memberPlace) { return get(f), memberPlace{} },
			func(f *jsFrame, _ memberPlace, v jsv) { set(f, v) }
	case *js.DotExpr, *js.IndexExpr:
		of, key := c.member(e)
		return func(f *jsFrame) (jsv, memberPlace) {
				p := memberPlace{of: of(f)}
				p.key = key(f)
				return f.in.index(p.of, p.key), p
			},
			func(f *jsFrame, p memberPlace, v jsv) { f.in.put(p.of, p.key, v) }
	}
	return func(f *jsFrame) (jsv, memberPlace) { f.in.fail("unsupported assignment"); return nil, memberPlace{} },
		func(*jsFrame, memberPlace, jsv) {}
}

func (c *jsCompiler) remove(e js.IExpr) jsCode {
	if g, ok := e.(*js.GroupExpr); ok {
		return c.remove(g.X)
	}
	switch e.(type) {
	case *js.DotExpr, *js.IndexExpr:
	default:
		return func(f *jsFrame) jsv { f.in.fail("delete of a variable"); return nil }
	}
	of, key := c.member(e)
	return func(f *jsFrame) jsv {
		o, ok := of(f).(*jsObject)
		if !ok || o.frozen {
			f.in.fail("delete from a host object")
		}
		if o.run != f.in.run {
			f.in.shared++
		}
		k := f.in.str(key(f))
		if i := arrayIndex(k); o.class == classArray && i >= 0 && i < len(o.list) {
			o.list[i] = hole{}
		}
		f.in.work(len(o.keys))
		o.remove(k)
		return true
	}
}

// assigns tells the operator within a compound assignment.
var assigns = map[js.TokenType]js.TokenType{
	js.AddEqToken: js.AddToken, js.SubEqToken: js.SubToken, js.MulEqToken: js.MulToken, js.DivEqToken: js.DivToken,
	js.ModEqToken: js.ModToken, js.ExpEqToken: js.ExpToken, js.LtLtEqToken: js.LtLtToken, js.GtGtEqToken: js.GtGtToken,
	js.GtGtGtEqToken: js.GtGtGtToken, js.BitAndEqToken: js.BitAndToken, js.BitOrEqToken: js.BitOrToken,
	js.BitXorEqToken: js.BitXorToken, js.AndEqToken: js.AndToken, js.OrEqToken: js.OrToken, js.NullishEqToken: js.NullishToken,
}

func (c *jsCompiler) binary(e *js.BinaryExpr) jsCode {
	switch e.Op {
	case js.EqToken:
		return c.assign(e)
	case js.AddToken:
		return c.sum(e)
	case js.AndToken, js.OrToken, js.NullishToken:
		op, x, y := e.Op, c.expr(e.X), c.expr(e.Y)
		return func(f *jsFrame) jsv {
			v := x(f)
			if decided(f.in, op, v) {
				return v
			}
			return y(f)
		}
	}
	if op, ok := assigns[e.Op]; ok {
		return c.compound(e, op)
	}
	op, x, y := e.Op, c.expr(e.X), c.expr(e.Y)
	sure := (op == js.SubToken || op == js.MulToken || op == js.DivToken || op == js.ModToken) && certain(e.Y, 0)
	return func(f *jsFrame) jsv {
		f.in.tick()
		a := x(f)
		if sure && isNaN(a) {
			return a
		}
		return f.in.operate(op, a, y(f))
	}
}

// decided reports whether the left side of a logical operator is its value.
func decided(in *interp, op js.TokenType, v jsv) bool {
	switch op {
	case js.AndToken:
		return !in.truth(v)
	case js.OrToken:
		return in.truth(v)
	}
	if isUnknown(v) {
		in.fail("decision on something that is not known")
	}
	return !nullish(v)
}

// sum compiles chains of + as a list: they may be a thousand long.
func (c *jsCompiler) sum(e *js.BinaryExpr) jsCode {
	var parts []jsCode
	var sure []bool
	var left js.IExpr = e
	for {
		b, ok := left.(*js.BinaryExpr)
		if !ok || b.Op != js.AddToken {
			break
		}
		parts, sure = append(parts, c.expr(b.Y)), append(sure, certain(b.Y, 0))
		left = b.X
	}
	parts = append(parts, c.expr(left))
	return func(f *jsFrame) jsv {
		v := parts[len(parts)-1](f)
		for i := len(parts) - 2; i >= 0; i-- {
			f.in.tick()
			if sure[i] && isNaN(v) {
				continue
			}
			v = f.in.add(v, parts[i](f))
		}
		return v
	}
}

func (c *jsCompiler) assign(e *js.BinaryExpr) jsCode {
	switch x := e.X.(type) {
	case *js.DotExpr, *js.IndexExpr:
		of, key := c.member(x)
		value := c.expr(e.Y)
		return func(f *jsFrame) jsv {
			o := of(f)
			k := key(f)
			v := value(f)
			f.in.put(o, k, v)
			return v
		}
	}
	bind, value := c.target(e.X), c.expr(e.Y)
	return func(f *jsFrame) jsv {
		v := value(f)
		bind(f, v)
		return v
	}
}

func (c *jsCompiler) compound(e *js.BinaryExpr, op js.TokenType) jsCode {
	read, write := c.readWrite(e.X)
	value := c.expr(e.Y)
	logical := op == js.AndToken || op == js.OrToken || op == js.NullishToken
	return func(f *jsFrame) jsv {
		f.in.tick()
		v, where := read(f)
		if logical {
			if decided(f.in, op, v) {
				return v
			}
			v = value(f)
		} else {
			v = f.in.operate(op, v, value(f))
		}
		write(f, where, v)
		return v
	}
}

func (in *interp) add(a, b jsv) jsv {
	if x, ok := a.(float64); ok {
		if y, ok := b.(float64); ok {
			return number(x + y)
		}
	}
	if isUnknown(a) || isUnknown(b) {
		return unknown{}
	}
	a, b = in.primitive(a, false), in.primitive(b, false)
	if isUnknown(a) || isUnknown(b) {
		return unknown{}
	}
	if in.typeOf(a) == "string" || in.typeOf(b) == "string" {
		return in.concat(in.textual(a), in.textual(b))
	}
	return in.number(a) + in.number(b)
}

func (in *interp) textual(v jsv) jsv {
	if _, ok := v.(*jsRope); ok {
		return v
	}
	return in.str(v)
}

func (in *interp) operate(op js.TokenType, a, b jsv) jsv {
	if op == js.AddToken {
		return in.add(a, b)
	}
	if isUnknown(a) || isUnknown(b) {
		return unknown{} // decisions on it fail
	}
	switch op {
	case js.EqEqEqToken:
		return in.same(a, b)
	case js.NotEqEqToken:
		return !in.same(a, b)
	case js.EqEqToken:
		return in.like(a, b)
	case js.NotEqToken:
		return !in.like(a, b)
	case js.LtToken:
		less, _ := in.before(a, b)
		return less
	case js.GtToken:
		less, _ := in.before(b, a)
		return less
	case js.LtEqToken:
		less, ok := in.before(b, a)
		return ok && !less
	case js.GtEqToken:
		less, ok := in.before(a, b)
		return ok && !less
	case js.InToken:
		return in.has(b, a)
	case js.InstanceofToken:
		return in.instanceOf(a, b)
	}
	return in.arithmetic(op, in.number(a), in.number(b))
}

func (in *interp) arithmetic(op js.TokenType, x, y float64) jsv {
	switch op {
	case js.SubToken:
		return number(x - y)
	case js.MulToken:
		return x * y
	case js.DivToken:
		return x / y
	case js.ModToken:
		if i, j := int32(x), int32(y); i >= 0 && j > 0 && float64(i) == x && float64(j) == y && (i > 0 || !math.Signbit(x)) {
			return number(float64(i % j))
		}
		return math.Mod(x, y)
	case js.ExpToken:
		return power(x, y)
	case js.BitAndToken:
		return number(float64(in.int32(x) & in.int32(y)))
	case js.BitOrToken:
		return number(float64(in.int32(x) | in.int32(y)))
	case js.BitXorToken:
		return number(float64(in.int32(x) ^ in.int32(y)))
	case js.LtLtToken:
		return float64(in.int32(x) << (in.uint32(y) & 31))
	case js.GtGtToken:
		return number(float64(in.int32(x) >> (in.uint32(y) & 31)))
	case js.GtGtGtToken:
		return float64(in.uint32(x) >> (in.uint32(y) & 31))
	}
	in.fail("unsupported operator")
	return nil
}

func power(x, y float64) float64 {
	if y != y || (x == 1 || x == -1) && math.IsInf(y, 0) {
		return math.NaN()
	}
	return math.Pow(x, y)
}

func (in *interp) has(v, key jsv) bool {
	o, ok := v.(*jsObject)
	if !ok {
		in.throw("TypeError", "in needs an object")
	}
	k := in.str(key)
	for p, depth := o, 0; p != nil && depth < 64; p, depth = p.proto, depth+1 {
		if _, ok := p.props[k]; ok {
			return true
		}
		if p.class == classGlobal {
			in.fail("question about a host object")
		}
		if _, ok := in.special(p, k); ok {
			return true
		}
	}
	return in.method(o, k) != nil
}

func (in *interp) instanceOf(v, of jsv) jsv {
	fn, ok := of.(*jsObject)
	if !ok || fn.class != classFunction {
		in.throw("TypeError", "Right-hand side of 'instanceof' is not callable")
	}
	o, ok := v.(*jsObject)
	if !ok {
		return false
	}
	if fn.native != nil {
		return fn.name == "Object" || in.constructorOf(o) == fn.name
	}
	proto := in.get(fn, "prototype")
	for p := o.proto; p != nil; p = p.proto {
		if p == proto {
			return true
		}
	}
	return false
}
