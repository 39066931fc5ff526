package flow

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// eval returns what an expression may be, and does what it does.
func (e *Engine) eval(f *activation, x js.IExpr) *value {
	if x == nil {
		return undef
	}
	if e.spent() || e.nesting > nestingLimit {
		return anything
	}
	e.nesting++
	v := e.expression(f, x)
	e.nesting--
	if v == nil {
		return undef
	}
	return v
}

func (e *Engine) expression(f *activation, x js.IExpr) *value {
	switch x := x.(type) {
	case *js.Var:
		return e.variable(f, x)
	case *js.LiteralExpr:
		return e.literal(f, x)
	case *js.GroupExpr:
		return e.eval(f, x.X)
	case *js.CallExpr:
		return e.madeAddress(f, x, e.callExpr(f, x))
	case *js.DotExpr:
		return e.dotExpr(f, x)
	case *js.IndexExpr:
		if super(x.X) {
			return e.superMember(f, e.propertyKey(f, x.Y))
		}
		o, key := e.eval(f, x.X), e.keyOf(f, x.Y)
		if name, _ := key.name(); name == "constructor" && builtinMethod(x.X) {
			return e.pathNamed("Function")
		}
		return e.member(f, x, o, key)
	case *js.BinaryExpr:
		return e.binary(f, x)
	case *js.UnaryExpr:
		return e.unary(f, x)
	case *js.CondExpr:
		return e.condExpr(f, x)
	case *js.CommaExpr:
		var v *value
		for _, y := range x.List {
			v = e.eval(f, y)
		}
		return v
	case *js.ObjectExpr:
		return e.objectExpr(f, x)
	case *js.ArrayExpr:
		return e.arrayExpr(f, x)
	case *js.TemplateExpr:
		return e.template(f, x)
	case *js.ArrowFunc, *js.FuncDecl, *js.MethodDecl:
		return closureValue(e.function(f, x))
	case *js.ClassDecl:
		return closureValue(e.class(f, x))
	case *js.NewExpr:
		return e.newExpr(f, x)
	case *js.YieldExpr:
		return e.yield(f, x)
	case *js.VarDecl:
		e.varDecl(f, x)
	}
	return anything
}

func super(x js.IExpr) bool {
	l, ok := x.(*js.LiteralExpr)
	return ok && l.TokenType == js.SuperToken
}

func (e *Engine) variable(f *activation, x *js.Var) *value {
	v := resolve(x)
	if c := f.env.find(v); c != nil {
		val := e.read(f, c)
		if c.home != nil && c.home != f.entry {
			return val // ever
		}
		return val
	}
	return e.globalName(f, x, string(v.Data))
}

func (e *Engine) literal(f *activation, x *js.LiteralExpr) *value {
	if off := f.u.offset(x.Data); off >= 0 {
		f.near = off
	}
	switch x.TokenType {
	case js.StringToken:
		if v := e.texts[string(x.Data)]; v != nil {
			return v
		}
		s := unquote(x.Data)
		if t := e.addressTaint(f, x, s); t != nil {
			return &value{atoms: []atom{{kind: aString, s: s}}, taints: []*taint{t}}
		}
		return e.keep(x.Data, textValue(s))
	case js.ThisToken:
		if f.this == nil {
			return anything
		}
		return f.this
	case js.TrueToken:
		return yes
	case js.FalseToken:
		return no
	case js.NullToken:
		return null
	case js.RegExpToken:
		o := e.alloc(f, x, "RegExp")
		return objectValue(o)
	}
	if js.IsNumeric(x.TokenType) {
		if v := e.texts[string(x.Data)]; v != nil {
			return v
		}
		if n, ok := parseNumber(x.Data); ok {
			return e.keep(x.Data, numberValue(n))
		}
	}
	return anything
}

// keep has a literal be the same value wherever it stands.
func (e *Engine) keep(data []byte, v *value) *value {
	const maxKept = 100 // bytes: what is longer stands nowhere else
	if len(data) <= maxKept {
		e.texts[string(data)] = v
	}
	return v
}

func parseNumber(data []byte) (float64, bool) {
	s := strings.TrimSuffix(string(bytes.ReplaceAll(data, []byte("_"), nil)), "n")
	if n, err := strconv.ParseFloat(s, 64); err == nil && !strings.HasPrefix(strings.ToLower(s), "0x") {
		return n, true
	}
	if n, err := strconv.ParseUint(s, 0, 64); err == nil {
		return float64(n), true
	}
	return 0, false
}

// alloc returns the object that this run makes at a node: the same one each time, so that repetitions converge.
func (e *Engine) alloc(f *activation, node js.INode, class string) *object {
	if node == nil {
		return e.newObject(class)
	}
	key := allocKey{node, class}
	if o, ok := f.entry.allocs.get(key).(*object); ok {
		return o
	}
	o := e.newObject(class)
	f.entry.allocs.put(key, o)
	return o
}

func (e *Engine) condExpr(f *activation, x *js.CondExpr) *value {
	is, sure := e.eval(f, x.Cond).truth()
	if sure {
		if is {
			e.prune(f, nil, x.Y)
			e.visited[x.X] = true
			return e.eval(f, x.X)
		}
		e.prune(f, nil, x.X)
		e.visited[x.Y] = true
		return e.eval(f, x.Y)
	}
	e.visited[x.X], e.visited[x.Y] = true, true
	f.cond++
	v := join(e.eval(f, x.X), e.eval(f, x.Y))
	f.cond--
	return v
}

func (e *Engine) unary(f *activation, x *js.UnaryExpr) *value {
	switch x.Op {
	case js.AwaitToken:
		return e.await(f, e.eval(f, x.X))
	case js.NotToken:
		if is, sure := e.eval(f, x.X).truth(); sure {
			return boolValue(!is)
		}
		return aBoolean
	case js.VoidToken:
		e.eval(f, x.X)
		return undef
	case js.TypeofToken:
		return e.typeOf(e.eval(f, x.X))
	case js.DeleteToken:
		e.eval(f, x.X)
		return aBoolean
	}
	v := e.eval(f, x.X)
	a, ok := v.known()
	n := a.number()
	switch x.Op {
	case js.PreIncrToken, js.PostIncrToken, js.PreDecrToken, js.PostDecrToken:
		e.assign(f, x.X, anything)
		return anything
	case js.NegToken:
		if ok {
			return numberValue(-n)
		}
	case js.PosToken:
		if ok {
			return numberValue(n)
		}
	case js.BitNotToken:
		if ok {
			return numberValue(float64(^toInt32(n)))
		}
	}
	return anything.tainted(v.allTaints())
}

func (e *Engine) typeOf(v *value) *value {
	if v.isAny() || len(v.paths) > 0 || len(v.taints) > 0 {
		return anything
	}
	var out *value
	for _, a := range v.atoms {
		out = join(out, textValue([]string{"string", "number", "boolean", "object", "undefined"}[a.kind]))
	}
	if len(v.fns) > 0 {
		out = join(out, textValue("function"))
	}
	if len(v.objs) > 0 {
		out = join(out, textValue("object"))
	}
	return out
}

func (a atom) number() float64 {
	switch a.kind {
	case aNumber, aBool:
		return a.n
	case aNull:
		return 0
	case aString:
		s := strings.TrimSpace(a.s)
		if s == "" {
			return 0
		}
		if n, ok := parseNumber([]byte(s)); ok {
			return n
		}
	}
	return math.NaN()
}

func toInt32(n float64) int32 {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return int32(uint32(int64(math.Mod(n, 4294967296))))
}

func (v *value) allTaints() []*taint {
	if v == nil {
		return nil
	}
	return v.taints
}

func (e *Engine) binary(f *activation, x *js.BinaryExpr) *value {
	switch x.Op {
	case js.EqToken:
		return e.assignExpr(f, x)
	case js.AndToken, js.OrToken, js.NullishToken:
		return e.logical(f, x)
	case js.AndEqToken, js.OrEqToken, js.NullishEqToken:
		old := e.eval(f, x.X)
		f.cond++
		v := e.evalNamed(f, x.Y, x.X)
		e.assign(f, x.X, v)
		f.cond--
		return join(old, v)
	case js.AddToken:
		return e.madeAddress(f, x, e.add(f, x, e.eval(f, x.X), e.eval(f, x.Y)))
	case js.AddEqToken:
		old := e.eval(f, x.X)
		v := e.add(f, x, old, e.eval(f, x.Y))
		if f.cond > 0 { // in a loop the text grows without end
			v = join(v, anything)
		}
		e.assign(f, x.X, v)
		return v
	case js.SubEqToken, js.MulEqToken, js.DivEqToken, js.ModEqToken, js.ExpEqToken, js.LtLtEqToken, js.GtGtEqToken,
		js.GtGtGtEqToken, js.BitAndEqToken, js.BitOrEqToken, js.BitXorEqToken:
		v := anything.tainted(append(e.eval(f, x.X).allTaints(), e.eval(f, x.Y).allTaints()...))
		e.assign(f, x.X, v)
		return v
	}
	e.compares(f, x)
	e.comparesCount(f, x)
	l, r := e.eval(f, x.X), e.eval(f, x.Y)
	if v := compare(x.Op, l, r); v != nil {
		return v
	}
	return arithmetic(x.Op, l, r)
}

func (e *Engine) logical(f *activation, x *js.BinaryExpr) *value {
	l := e.eval(f, x.X)
	is, sure := l.truth()
	if x.Op == js.NullishToken {
		is, sure = l.nullish()
		is = !is
	}
	if sure {
		if is == (x.Op == js.AndToken) {
			e.visited[x.Y] = true
			return e.eval(f, x.Y)
		}
		e.prune(f, nil, x.Y)
		return l
	}
	e.visited[x.Y] = true
	f.cond++
	r := e.eval(f, x.Y)
	f.cond--
	if x.Op == js.AndToken { // the left value only counts where it is false
		return join(&value{any: true}, r)
	}
	return join(l, r)
}

func (v *value) nullish() (is, sure bool) {
	if v == nil || v.any || len(v.taints) > 0 || len(v.paths) > 0 {
		return false, false
	}
	t, f := false, len(v.fns)+len(v.objs) > 0
	for _, a := range v.atoms {
		if a.kind == aNull || a.kind == aUndefined {
			t = true
		} else {
			f = true
		}
	}
	return t, t != f
}

// compare returns nil when op does not compare.
func compare(op js.TokenType, l, r *value) *value {
	switch op {
	case js.EqEqToken, js.EqEqEqToken, js.NotEqToken, js.NotEqEqToken:
		a, ok1 := l.known()
		b, ok2 := r.known()
		if ok1 && ok2 {
			same := a == b
			if op == js.EqEqToken || op == js.NotEqToken {
				same = a.nullish() && b.nullish() || a.nullish() == b.nullish() && a.text() == b.text()
			}
			return boolValue(same == (op == js.EqEqToken || op == js.EqEqEqToken))
		}
		return aBoolean
	case js.LtToken, js.LtEqToken, js.GtToken, js.GtEqToken, js.InToken, js.InstanceofToken:
		return aBoolean
	}
	return nil
}

func arithmetic(op js.TokenType, l, r *value) *value {
	a, ok1 := l.known()
	b, ok2 := r.known()
	if !ok1 || !ok2 {
		return anything.tainted(joinTaints(l.allTaints(), r.allTaints()))
	}
	x, y := a.number(), b.number()
	switch op {
	case js.SubToken:
		return numberValue(x - y)
	case js.MulToken:
		return numberValue(x * y)
	case js.DivToken:
		return numberValue(x / y)
	case js.ModToken:
		return numberValue(math.Mod(x, y))
	case js.ExpToken:
		return numberValue(math.Pow(x, y))
	case js.BitAndToken:
		return numberValue(float64(toInt32(x) & toInt32(y)))
	case js.BitOrToken:
		return numberValue(float64(toInt32(x) | toInt32(y)))
	case js.BitXorToken:
		return numberValue(float64(toInt32(x) ^ toInt32(y)))
	case js.LtLtToken:
		return numberValue(float64(toInt32(x) << (uint32(toInt32(y)) & 31)))
	case js.GtGtToken:
		return numberValue(float64(toInt32(x) >> (uint32(toInt32(y)) & 31)))
	case js.GtGtGtToken:
		return numberValue(float64(uint32(toInt32(x)) >> (uint32(toInt32(y)) & 31)))
	}
	return anything
}
