package fold

import (
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// jsCode is a compiled expression.
type jsCode func(f *jsFrame) jsv

// jsBind gives a value to the variables of a pattern, or assigns it to a target.
type jsBind func(f *jsFrame, v jsv)

// A jsCompiler turns the syntax tree into closures.
type jsCompiler struct {
	in    *interp
	fn    *jsScope
	depth int
	soft  bool // parts of literals that fail are unknown, and don't spoil the rest
}

// enterNode guards against trees that are nested too deep for the stack.
func (c *jsCompiler) enterNode() {
	c.in.tick()
	if c.depth++; c.depth > maxCodeDepth {
		c.in.fail("code nested too deep")
	}
}

func (c *jsCompiler) expr(e js.IExpr) jsCode {
	c.enterNode()
	defer func() { c.depth-- }()
	switch e := e.(type) {
	case *js.Var:
		return c.variable(e)
	case *js.LiteralExpr:
		return c.literal(e.TokenType, e.Data)
	case js.LiteralExpr:
		return c.literal(e.TokenType, e.Data)
	case *js.GroupExpr:
		return c.expr(e.X)
	case *js.CommaExpr:
		return c.comma(e)
	case *js.CondExpr:
		cond, x, y := c.expr(e.Cond), c.expr(e.X), c.expr(e.Y)
		return func(f *jsFrame) jsv {
			if f.in.truth(cond(f)) {
				return x(f)
			}
			return y(f)
		}
	case *js.UnaryExpr:
		return c.unary(e)
	case *js.BinaryExpr:
		return c.binary(e)
	case *js.DotExpr, *js.IndexExpr:
		return c.chainEnd(e)
	case *js.CallExpr:
		return c.chainEnd(e)
	case *js.NewExpr:
		return c.newExpr(e)
	case *js.ArrayExpr:
		return c.array(e)
	case *js.ObjectExpr:
		return c.object(e)
	case *js.TemplateExpr:
		return c.template(e)
	case *js.FuncDecl:
		return c.function(e, true)
	case *js.ArrowFunc:
		return c.arrowFunction(e)
	}
	return func(f *jsFrame) jsv { f.in.fail("unsupported syntax"); return nil }
}

func constantCode(v jsv) jsCode { return func(*jsFrame) jsv { return v } }

func (c *jsCompiler) literal(tt js.TokenType, data []byte) jsCode {
	switch tt {
	case js.StringToken:
		return constantCode(unescape(string(data[1:len(data)-1]), c.in))
	case js.TrueToken:
		return constantCode(true)
	case js.FalseToken:
		return constantCode(false)
	case js.NullToken:
		return constantCode(nil)
	case js.ThisToken:
		if c.fn.parent == nil {
			return constantCode(unknown{})
		}
		return func(f *jsFrame) jsv { return f.this }
	case js.RegExpToken:
		text := string(data)
		end := strings.LastIndexByte(text, '/')
		return func(f *jsFrame) jsv { return f.in.newRegExp(text[1:end], text[end+1:]) }
	}
	if js.IsNumeric(tt) {
		if n, ok := numberLiteral(string(data)); ok {
			return constantCode(n)
		}
	}
	return func(f *jsFrame) jsv { f.in.fail("unsupported literal"); return nil }
}

// numberLiteral reads a number as it stands in code; big integers are refused.
func numberLiteral(s string) (float64, bool) {
	s = strings.ReplaceAll(s, "_", "")
	if strings.HasSuffix(s, "n") && !strings.HasPrefix(s, "0x") && !strings.HasPrefix(s, "0X") || len(s) > 400 {
		return 0, false
	}
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' { // 017, and 018 which is decimal
		if n := digitsNumber(s, 8, true); n == n {
			return n, true
		}
		n, err := strconv.ParseFloat(s, 64)
		return n, err == nil
	}
	n := textNumber(s)
	return n, n == n
}

func (c *jsCompiler) comma(e *js.CommaExpr) jsCode {
	list := make([]jsCode, len(e.List))
	for i, x := range e.List {
		list[i] = c.expr(x)
	}
	return func(f *jsFrame) jsv {
		for _, x := range list[:len(list)-1] {
			x(f)
		}
		return list[len(list)-1](f)
	}
}

func (c *jsCompiler) newExpr(e *js.NewExpr) jsCode {
	fn := c.expr(e.X)
	args := func(*jsFrame) []jsv { return nil }
	if e.Args != nil {
		args = c.args(*e.Args)
	}
	return func(f *jsFrame) jsv {
		callee := fn(f)
		return f.in.construct(callee, args(f))
	}
}

func (c *jsCompiler) args(a js.Args) func(f *jsFrame) []jsv {
	codes := make([]jsCode, len(a.List))
	spread := false
	for i, arg := range a.List {
		codes[i] = c.expr(arg.Value)
		spread = spread || arg.Rest
	}
	return func(f *jsFrame) []jsv {
		out := make([]jsv, 0, len(codes))
		for i, code := range codes {
			v := code(f)
			if spread && a.List[i].Rest {
				out = append(out, f.in.items(v)...)
				f.in.take(16 * len(out))
			} else {
				out = append(out, v)
			}
		}
		return out
	}
}

func (c *jsCompiler) array(e *js.ArrayExpr) jsCode {
	codes := make([]jsCode, len(e.List))
	for i, item := range e.List {
		if item.Value != nil {
			codes[i] = c.softly(c.expr(item.Value))
		}
	}
	return func(f *jsFrame) jsv {
		out := make([]jsv, 0, len(codes))
		for i, code := range codes {
			switch {
			case code == nil:
				out = append(out, hole{})
			case e.List[i].Spread:
				out = append(out, f.in.items(code(f))...)
			default:
				out = append(out, code(f))
			}
		}
		return f.in.newArray(out)
	}
}

// softly makes a part of a literal that needs a host object spoil only itself: the rest may be the constants that all other
// code reads.
func (c *jsCompiler) softly(code jsCode) jsCode {
	if !c.soft || c.fn.parent != nil {
		return code
	}
	return func(f *jsFrame) (v jsv) {
		if !f.in.attempt(func() { v = code(f) }) {
			if f.in.steps < 0 || f.in.heap < 0 {
				f.in.fail("budget")
			}
			return unknown{}
		}
		return v
	}
}

// A jsField is one part of an object literal.
type jsField struct {
	key            func(f *jsFrame) string
	value          jsCode
	get, set, many bool
}

func (c *jsCompiler) object(e *js.ObjectExpr) jsCode {
	fields := make([]jsField, len(e.List))
	for i, p := range e.List {
		if m, ok := p.Value.(*js.MethodDecl); ok {
			fields[i] = jsField{key: c.key(&m.Name.PropertyName), value: c.method(m), get: m.Get, set: m.Set}
			continue
		}
		fields[i] = jsField{value: c.softly(c.expr(p.Value)), many: p.Spread}
		if !p.Spread {
			fields[i].key = c.key(p.Name)
		}
	}
	return func(f *jsFrame) jsv {
		o := f.in.newObject()
		for _, field := range fields {
			f.in.take(64)
			field.into(f, o)
		}
		return o
	}
}

func (field jsField) into(f *jsFrame, o *jsObject) {
	if field.many {
		from := field.value(f)
		for _, k := range f.in.ownKeys(from) {
			o.set(k, f.in.get(from, k))
		}
		return
	}
	key := field.key(f)
	switch {
	case field.get, field.set:
		a, _ := o.props[key].(accessor)
		if fn := field.value(f).(*jsObject); field.get {
			a.get = fn
		} else {
			a.set = fn
		}
		o.set(key, a)
	case key == "__proto__":
		f.in.fail("prototype in a literal")
	default:
		o.set(key, field.value(f))
	}
}

// key compiles a property name.
func (c *jsCompiler) key(n *js.PropertyName) func(f *jsFrame) string {
	if n.IsComputed() {
		code := c.expr(n.Computed)
		return func(f *jsFrame) string { return f.in.str(code(f)) }
	}
	name := propertyName(n, c.in)
	return func(*jsFrame) string { return name }
}

func propertyName(n *js.PropertyName, in *interp) string {
	data := string(n.Literal.Data)
	switch tt := n.Literal.TokenType; {
	case tt == js.StringToken:
		return unescape(data[1:len(data)-1], in)
	case js.IsNumeric(tt):
		if v, ok := numberLiteral(data); ok {
			return numberText(v)
		}
	}
	return unescape(data, in)
}

func (c *jsCompiler) template(e *js.TemplateExpr) jsCode {
	if e.Optional {
		return func(f *jsFrame) jsv { f.in.fail("optional tagged template"); return nil }
	}
	var raw, cooked []string
	var values []jsCode
	part := func(data []byte, end int) {
		text := strings.ReplaceAll(string(data[1:len(data)-end]), "\r\n", "\n")
		raw, cooked = append(raw, text), append(cooked, unescape(text, c.in))
	}
	for _, p := range e.List {
		part(p.Value, 2)
		values = append(values, c.expr(p.Expr))
	}
	part(e.Tail, 1)
	if e.Tag != nil {
		return c.tagged(e.Tag, raw, cooked, values)
	}
	return func(f *jsFrame) jsv {
		var out jsv = cooked[0]
		for i, v := range values {
			x := v(f)
			if isUnknown(x) {
				return x
			}
			out = f.in.concat(out, f.in.str(x))
			out = f.in.concat(out, cooked[i+1])
		}
		return out
	}
}

func (c *jsCompiler) tagged(tag js.IExpr, raw, cooked []string, values []jsCode) jsCode {
	callee := c.callee(tag)
	return func(f *jsFrame) jsv {
		in := f.in
		texts := func(list []string) *jsObject {
			out := make([]jsv, len(list))
			for i, s := range list {
				out[i] = s
			}
			return in.newArray(out)
		}
		strs := texts(cooked)
		strs.set("raw", texts(raw))
		fn, this, _ := callee(f)
		args := []jsv{strs}
		for _, v := range values {
			args = append(args, v(f))
		}
		return in.call(fn, this, args)
	}
}
