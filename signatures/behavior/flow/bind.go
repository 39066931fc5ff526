package flow

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tdewolff/parse/v2/js"
)

// evalNamed evaluates a value that is stored under a name, which a function without one takes over.
func (e *Engine) evalNamed(f *activation, x js.IExpr, target js.INode) *value {
	v := e.eval(f, x)
	e.keepsLength(f, x, target)
	return v
}

func (e *Engine) assignVar(f *activation, x *js.Var, v *value, declares bool) {
	r := resolve(x)
	c := f.env.find(r)
	if c == nil && declares {
		c = &cell{home: f.entry, cond: f.cond}
		f.env.put(r, c)
	}
	if c != nil {
		e.write(f, c, v)
		return
	}
	e.setGlobal(f, x, string(r.Data), v)
}

// bind stores a value in a declared name or pattern.
func (e *Engine) bind(f *activation, b js.IBinding, v *value, declares bool) {
	switch b := b.(type) {
	case nil:
	case *js.Var:
		e.assignVar(f, b, v, declares)
	case *js.BindingArray:
		v = e.statePair(f, b, v)
		items := e.sequence(f, v, len(b.List)+1)
		for i, el := range b.List {
			e.bindElement(f, el, at(items, i))
		}
		if b.Rest != nil {
			e.bind(f, b.Rest, e.arrayOf(f, b, argsFrom(items, len(b.List))), declares)
		}
	case *js.BindingObject:
		for i := range b.List {
			item := &b.List[i]
			e.bindElement(f, item.Value, e.member(f, b, v, e.bindingKey(f, item)))
		}
		if b.Rest != nil {
			e.assignVar(f, b.Rest, v, true)
		}
	}
}

func (e *Engine) bindingKey(f *activation, item *js.BindingObjectItem) *value {
	if item.Key == nil {
		if v, ok := item.Value.Binding.(*js.Var); ok {
			return e.nameValue(e.nameOf(v.Data))
		}
		return anything
	}
	return e.propertyName(f, item.Key)
}

func (e *Engine) bindElement(f *activation, el js.BindingElement, v *value) {
	if el.Binding == nil {
		return
	}
	e.bind(f, el.Binding, e.orDefault(f, v, el.Default), true)
}

func (e *Engine) orDefault(f *activation, v *value, def js.IExpr) *value {
	if def == nil {
		return v
	}
	if v != nil && !mayBeUndefined(v) {
		return v
	}
	return join(v, e.eval(f, def))
}

func mayBeUndefined(v *value) bool {
	if v.any && len(v.taints) == 0 {
		return true
	}
	for _, a := range v.atoms {
		if a.kind == aUndefined {
			return true
		}
	}
	return false
}

func at(items []*value, i int) *value {
	if i < len(items) {
		return items[i]
	}
	return nil
}

func argsFrom(items []*value, i int) []*value {
	if i < len(items) {
		return items[i:]
	}
	return nil
}

func (e *Engine) assignExpr(f *activation, x *js.BinaryExpr) *value {
	v := e.evalNamed(f, x.Y, x.X)
	f.given = x.Y
	e.assign(f, x.X, v)
	f.given = nil
	return v
}

// assign stores v in a variable, a member or a pattern.
func (e *Engine) assign(f *activation, target js.IExpr, v *value) {
	switch t := target.(type) {
	case *js.Var:
		e.assignVar(f, t, v, false)
	case *js.GroupExpr:
		e.assign(f, t.X, v)
	case *js.DotExpr:
		o := e.eval(f, t.X)
		if l, ok := t.Y.(js.LiteralExpr); ok {
			if off := f.u.offset(l.Data); off >= 0 {
				f.near = off
			}
		}
		e.setMember(f, t, o, e.nameValue(e.dotName(t)), v)
	case *js.IndexExpr:
		o := e.eval(f, t.X)
		e.setMember(f, t, o, e.keyOf(f, t.Y), v)
	case *js.ArrayExpr:
		items := e.sequence(f, v, len(t.List)+1)
		for i, el := range t.List {
			if el.Spread {
				e.assign(f, el.Value, e.arrayOf(f, t, argsFrom(items, i)))
			} else if el.Value != nil {
				e.assign(f, el.Value, at(items, i))
			}
		}
	case *js.ObjectExpr:
		e.assignObject(f, t, v)
	case *js.BinaryExpr: // a default in a pattern
		if t.Op == js.EqToken {
			e.assign(f, t.X, e.orDefault(f, v, t.Y))
		}
	}
}

func (e *Engine) assignObject(f *activation, t *js.ObjectExpr, v *value) {
	for i := range t.List {
		p := &t.List[i]
		if p.Spread {
			e.assign(f, p.Value, v)
			continue
		}
		var key *value
		if p.Name != nil {
			key = e.propertyName(f, p.Name)
		} else if n, ok := p.Value.(*js.Var); ok {
			key = textValue(string(n.Data))
		}
		e.assign(f, p.Value, e.orDefault(f, e.member(f, t, v, key), p.Init))
	}
}

func (e *Engine) dotName(x *js.DotExpr) string {
	switch y := x.Y.(type) {
	case js.LiteralExpr:
		return e.nameOf(y.Data)
	case *js.Var:
		return e.nameOf(y.Data)
	}
	return ""
}

// nameOf is the name that an identifier stands for.
func (e *Engine) nameOf(data []byte) string {
	if v := e.names[string(data)]; v != nil {
		return v.atoms[0].s
	}
	name := unescapeText(string(data))
	if len(name) == len(data) {
		e.nameValue(name)
	}
	return name
}

// propertyName is the key of a property in an object, a class or a pattern.
func (e *Engine) propertyName(f *activation, n *js.PropertyName) *value {
	if n.Computed != nil {
		return e.keyOf(f, n.Computed)
	}
	if n.Literal.TokenType == js.StringToken {
		return textValue(unquote(n.Literal.Data))
	}
	if js.IsNumeric(n.Literal.TokenType) {
		if x, ok := parseNumber(n.Literal.Data); ok {
			return textValue(showNumber(x))
		}
	}
	if n.Literal.TokenType == 0 && len(n.Literal.Data) == 0 {
		return anything
	}
	return e.nameValue(e.nameOf(n.Literal.Data))
}

// keyOf evaluates a computed key, with the folder's help.
func (e *Engine) keyOf(f *activation, x js.IExpr) *value {
	v := e.eval(f, x)
	if len(v.atoms) == 0 && len(v.objs) == 0 {
		if c := e.folded(f, x); c != nil {
			return c
		}
	}
	return v
}

func (e *Engine) propertyKey(f *activation, x js.IExpr) string {
	if s := e.keyOf(f, x).texts(); len(s) > 0 {
		return s[0]
	}
	return ""
}

func unquote(data []byte) string {
	if len(data) >= 2 {
		data = data[1 : len(data)-1]
	}
	return unescapeText(string(data))
}

// unescape reads the escapes of a string, template or identifier.
func unescapeText(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'b', 'f', 'v', '\n':
		case '0':
			b.WriteByte(' ') // NUL would look like a part that is not known
		case 'x':
			i += writeHex(&b, s, i+1, 2)
		case 'u':
			if i+1 < len(s) && s[i+1] == '{' {
				end := strings.IndexByte(s[i:], '}')
				if end > 2 {
					writeRune(&b, s[i+2:i+end])
					i += end
				}
			} else {
				i += writeHex(&b, s, i+1, 4)
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func writeHex(b *strings.Builder, s string, from, n int) int {
	if from+n > len(s) {
		return 0
	}
	writeRune(b, s[from:from+n])
	return n
}

func writeRune(b *strings.Builder, hex string) {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || n == 0 || n > utf8.MaxRune {
		b.WriteByte(' ')
		return
	}
	b.WriteRune(rune(n))
}
