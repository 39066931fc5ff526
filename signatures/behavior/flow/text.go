package flow

import (
	"math"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
)

// predicate says whether a method only tells something about what it is called on.
func predicate(name string) bool {
	switch name {
	case "includes", "startsWith", "endsWith", "indexOf", "lastIndexOf", "test", "has", "hasOwnProperty", "search",
		"localeCompare", "contains", "matches", "propertyIsEnumerable", "isPrototypeOf", "compareDocumentPosition", "isEqualNode",
		"charCodeAt", "codePointAt", "getTime", "checkValidity", "hasAttribute", "hasChildNodes":
		return true
	}
	return false
}

// callLoose calls a method of something that is a text, tainted or not known.
func (e *Engine) callLoose(f *activation, recv *value, name string, c call) *value {
	if predicate(name) && !(name == "charCodeAt" && len(recv.taints) > 0) {
		v := e.textPredicate(recv, name, c)
		if name == "indexOf" && len(recv.texts()) == 0 && v.isAny() { // in a list that is loaded
			v = v.tainted(wordOf(c.arg(0)))
		}
		return v
	}
	switch name {
	case "replace", "replaceAll":
		if len(recv.atoms) == 0 && len(c.arg(1).orEmpty().fns) > 0 {
			return anything.tainted(joinTaints(recv.taints, e.replacement(f, c, recv.taints)))
		}
	case "then", "catch", "finally":
		return e.thenUnknown(f, recv, name, c)
	case "call", "apply", "bind":
		return e.unknownCall(f, recv, c)
	case "addEventListener", "addListener", "on", "once", "attachEvent":
		if v, ok := e.listenUnknown(f, recv, name, c); ok {
			return v
		}
	}
	if v := e.textCall(f, recv, name, c); v != nil {
		return v
	}
	if v, ok := e.iterate(f, name, c, func() *value { return e.element(f, recv) }); ok {
		return v
	}
	if v, ok := e.unknownMethod(f, recv, name, c); ok {
		return v
	}
	return e.unknownCall(f, recv, c)
}

func (e *Engine) textPredicate(recv *value, name string, c call) *value {
	if a, ok := recv.known(); ok && a.kind == aString {
		if b, ok := c.arg(0).known(); ok && b.kind == aString {
			switch name {
			case "includes":
				return boolValue(strings.Contains(a.s, b.s))
			case "startsWith":
				return boolValue(strings.HasPrefix(a.s, b.s))
			case "endsWith":
				return boolValue(strings.HasSuffix(a.s, b.s))
			case "indexOf":
				return numberValue(float64(strings.Index(a.s, b.s)))
			}
		} else if name == "charCodeAt" || name == "codePointAt" {
			if b.kind == aNumber && b.n >= 0 && int(b.n) < len(a.s) && len(c.args) > 0 {
				return numberValue(float64(a.s[int(b.n)]))
			}
		}
	}
	return anything
}

// textCall is a method of a constant text; nil when the result is not constant.
func (e *Engine) textCall(f *activation, recv *value, name string, c call) *value {
	if len(recv.atoms) == 0 {
		return nil
	}
	var out *value
	for _, a := range recv.atoms {
		if a.kind == aUndefined || a.kind == aNull {
			continue
		}
		v := e.textMethod(f, a.text(), name, c)
		if v == nil {
			return nil
		}
		out = join(out, v)
	}
	ts := joinTaints(recv.taints, e.taintsOf(f, c.args))
	if out == nil {
		return nil
	}
	return out.tainted(ts)
}

func (e *Engine) textMethod(f *activation, s, name string, c call) *value {
	switch name {
	case "toString", "trim", "toLowerCase", "toUpperCase", "valueOf", "normalize", "trimEnd", "trimStart", "toLocaleLowerCase":
		switch name {
		case "toLowerCase", "toLocaleLowerCase":
			s = strings.ToLower(s)
		case "toUpperCase":
			s = strings.ToUpper(s)
		case "trim":
			s = strings.TrimSpace(s)
		}
		return textValue(s)
	case "concat":
		v := textValue(s)
		for _, a := range c.args {
			v = e.concat(f, v, a)
		}
		return v
	case "split":
		return e.split(f, s, c)
	case "replace", "replaceAll":
		return e.replace(f, s, name, c)
	case "at", "charAt":
		if at := c.arg(0).orEmpty(); len(at.taints) > 0 && textValue(s).alphabet() {
			return anything.tainted(at.taints)
		}
		return sliceText(s, name, c)
	case "slice", "substring", "substr", "repeat", "padStart", "padEnd":
		return sliceText(s, name, c)
	}
	return nil
}

func (e *Engine) split(f *activation, s string, c call) *value {
	sep, ok := c.arg(0).known()
	if !ok || sep.kind != aString || strings.Contains(s, parties.Gap) {
		return nil
	}
	parts := strings.Split(s, sep.s)
	if len(parts) > 512 {
		return nil
	}
	items := make([]*value, len(parts))
	for i, p := range parts {
		items[i] = textValue(p)
	}
	o := e.newObject("Array")
	return e.fill(f, o, items)
}

func (e *Engine) fill(f *activation, o *object, items []*value) *value {
	for i, v := range items {
		e.set(f, o, showNumber(float64(i)), v)
	}
	return objectValue(o)
}

func (e *Engine) replace(f *activation, s, name string, c call) *value {
	from, ok1 := c.arg(0).known()
	to, ok2 := c.arg(1).known()
	if !ok1 || !ok2 || from.kind != aString {
		if c.arg(1) != nil && len(c.arg(1).fns) > 0 {
			return anything.tainted(e.replacement(f, c, nil))
		}
		if prefix, _, ok := strings.Cut(s, "://"); ok && len(c.arg(1).orEmpty().fns) == 0 {
			// A replacement in a URL seldom touches the host.
			if end := strings.IndexByte(s[len(prefix)+3:], '/'); end > 0 && !strings.Contains(s[:len(prefix)+3+end], "{") {
				return textValue(s[:len(prefix)+3+end+1] + parties.Gap)
			}
		}
		return anything
	}
	if name == "replace" {
		return textValue(strings.Replace(s, from.s, to.text(), 1))
	}
	return textValue(strings.ReplaceAll(s, from.s, to.text()))
}

// replacement calls the function that gives what a text is replaced by, with parts of that text, and returns the data
// that it puts in.
func (e *Engine) replacement(f *activation, c call, ts []*taint) []*taint {
	part := anything.tainted(ts)
	v := e.callValue(f, &value{fns: c.arg(1).fns}, call{node: c.node, args: []*value{part, part, part, part}})
	return e.deepTaints(f, v)
}

func sliceText(s, name string, c call) *value {
	if strings.Contains(s, parties.Gap) {
		return anything
	}
	n := len(s)
	num := func(i int, def float64) (float64, bool) {
		if i >= len(c.args) {
			return def, true
		}
		a, ok := c.args[i].known()
		if a.kind == aUndefined {
			return def, ok
		}
		return a.number(), ok
	}
	x, ok1 := num(0, 0)
	y, ok2 := num(1, math.Inf(1))
	if !ok1 || !ok2 || math.IsNaN(x) || math.IsNaN(y) {
		return anything
	}
	clamp := func(v float64) int { return int(min(max(v, 0), float64(n))) }
	switch name {
	case "slice":
		if x < 0 {
			x += float64(n)
		}
		if y < 0 {
			y += float64(n)
		}
	case "substring":
		x, y = max(x, 0), max(y, 0)
		if x > y {
			x, y = y, x
		}
	case "substr":
		if x < 0 {
			x = max(x+float64(n), 0)
		}
		y = x + y
	case "charAt", "at":
		if x < 0 {
			x += float64(n)
		}
		y = x + 1
	case "repeat":
		if x < 0 || float64(n)*x > maxText {
			return anything
		}
		return textValue(strings.Repeat(s, int(x)))
	default:
		return anything
	}
	a, b := clamp(x), clamp(y)
	if a > b {
		return textValue("")
	}
	return textValue(s[a:b])
}

// joined is the text of an array's elements with a separator between them.
func (e *Engine) joined(f *activation, o *object, sep string) []string {
	if o.rest != nil || o.joining {
		return []string{parties.Gap}
	}
	o.joining = true // an array may hold itself
	defer func() { o.joining = false }()
	v := textValue("")
	for i := range o.count() {
		if i > 0 {
			v = e.concat(f, v, textValue(sep))
		}
		v = e.concat(f, v, e.get(f, o, showNumber(float64(i))))
	}
	if len(v.atoms) == 0 {
		return []string{parties.Gap}
	}
	return v.texts()
}

// iterate is a method that calls a function with the elements of what it is called on.
func (e *Engine) iterate(f *activation, name string, c call, element func() *value) (*value, bool) {
	if fn := c.arg(0).orEmpty(); len(fn.fns)+len(fn.paths) == 0 { // one of the language counts, too: filter(Boolean)
		return nil, false
	}
	el := element()
	if el == nil {
		el = anything
	}
	run := func(args ...*value) *value {
		k := c
		k.args, k.this = args, nil
		return e.callValue(f, c.arg(0), k)
	}
	switch name {
	case "map", "flatMap":
		o := e.alloc(f, c.node, "Array")
		r := run(el, anything, anything)
		if name == "flatMap" {
			r = join(r, e.element(f, r))
		}
		e.setRest(f, o, r)
		return objectValue(o), true
	case "forEach", "each":
		run(el, anything, anything)
		return undef, true
	case "filter", "sort", "toSorted":
		run(el, el)
		o := e.alloc(f, c.node, "Array")
		e.setRest(f, o, el)
		return objectValue(o), true
	case "find", "findLast":
		run(el, anything)
		return join(el, undef), true
	case "some", "every", "findIndex":
		run(el, anything)
		return aBoolean, true
	case "reduce", "reduceRight":
		acc := c.arg(1)
		if acc == nil {
			acc = el
		}
		for range 2 {
			acc = join(acc, run(acc, el, anything, anything))
		}
		return acc, true
	}
	return nil, false
}
