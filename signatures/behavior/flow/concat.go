package flow

import (
	"bytes"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// add is "+": a sum when both are numbers, else texts one after the other.
func (e *Engine) add(f *activation, node js.INode, l, r *value) *value {
	a, ok1 := l.known()
	b, ok2 := r.known()
	if ok1 && ok2 && a.kind != aString && b.kind != aString {
		return numberValue(a.number() + b.number())
	}
	v := e.concat(f, l, r)
	if s, ok := v.known(); ok {
		e.out.folded(s.s)
	}
	return v
}

// concat is the text of l followed by the text of r.
func (e *Engine) concat(f *activation, l, r *value) *value {
	if l.unseen() && r.unseen() {
		return anything.tainted(joinTaints(l.allTaints(), r.allTaints()))
	}
	v := &value{}
	ls, rs := e.pieces(f, l), e.pieces(f, r)
	for _, a := range ls {
		for _, b := range rs {
			if len(v.atoms) >= maxAtoms {
				v.any = true
				break
			}
			s := joinTexts(a, b)
			if s == parties.Gap {
				v.any = true
				continue
			}
			if x := (atom{kind: aString, s: s}); !slices.Contains(v.atoms, x) {
				v.atoms = append(v.atoms, x)
			}
		}
	}
	ts := joinTaints(e.deepTaints(f, l), e.deepTaints(f, r))
	if len(ts) > 0 {
		v.taints = ts
	}
	return v
}

// joinTexts is b after a, up to the bound of a constant's length.
func joinTexts(a, b string) string {
	if len(a) > maxText { // it was cut before
		return a
	}
	if a == parties.Gap && b == parties.Gap {
		return parties.Gap
	}
	if strings.HasSuffix(a, parties.Gap) && strings.HasPrefix(b, parties.Gap) {
		b = b[len(parties.Gap):]
	}
	s := a + b
	if len(s) > maxText {
		s = strings.TrimSuffix(s[:maxText], parties.Gap) + parties.Gap
	}
	return s
}

// unseen says whether nothing but data of sources is known of v.
func (v *value) unseen() bool {
	return v != nil && v.any && len(v.atoms)+len(v.paths)+len(v.fns)+len(v.objs) == 0
}

// pieces are the texts that v may have as part of a longer one; gap for what is not known.
func (e *Engine) pieces(f *activation, v *value) []string {
	if v == nil {
		return []string{parties.Gap}
	}
	var out []string
	for _, a := range v.atoms {
		if a.kind == aUndefined && (len(v.atoms) > 1 || v.any) {
			continue
		}
		out = append(out, a.text())
	}
	for _, o := range v.objs {
		if o.class == "URL" && o.info != nil {
			out = append(out, o.info.url.texts()...)
		} else if o.class == "Array" && len(out) < maxAtoms {
			out = append(out, e.joined(f, o, ",")...)
		} else if len(out) < maxAtoms {
			out = append(out, parties.Gap)
		}
	}
	if len(out) == 0 || v.any && len(v.atoms) == 0 || len(v.taints) > 0 && len(v.atoms) == 0 || len(v.paths) > 0 {
		out = append(out, parties.Gap)
	}
	if len(out) > maxAtoms {
		out = append(out[:maxAtoms-1], parties.Gap)
	}
	return out
}

func (e *Engine) template(f *activation, x *js.TemplateExpr) *value {
	if x.Tag != nil {
		tag := e.eval(f, x.Tag)
		var ts []*taint
		for _, p := range x.List {
			ts = joinTaints(ts, e.deepTaints(f, e.eval(f, p.Expr)))
		}
		e.callValue(f, tag, call{node: x, args: []*value{anything, anything.tainted(ts)}})
		return anything.tainted(ts)
	}
	var v *value
	for n, p := range x.List {
		if off := f.u.offset(p.Value); off >= 0 {
			f.near = off
		}
		s := textValue(unescapeText(string(cutTemplate(p.Value, n == 0))))
		if v == nil {
			v = s
		} else {
			v = e.concat(f, v, s)
		}
		v = e.concat(f, v, e.eval(f, p.Expr))
	}
	last := textValue(unescapeText(string(cutTemplate(x.Tail, v == nil))))
	if v == nil {
		return last
	}
	return e.concat(f, v, last)
}

// cutTemplate removes the delimiters of a part of a template: "`…${", "}…${", "}…`".
func cutTemplate(b []byte, _ bool) []byte {
	if len(b) > 0 && (b[0] == '`' || b[0] == '}') {
		b = b[1:]
	}
	b = bytes.TrimSuffix(b, []byte("`"))
	return bytes.TrimSuffix(b, []byte("${"))
}
