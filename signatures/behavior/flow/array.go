package flow

import (
	"encoding/base64"
	"math"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
)

// arrayCall is a method of an array.
func (e *Engine) arrayCall(f *activation, o *object, name string, c call) (*value, bool) {
	switch name {
	case "push", "unshift":
		for _, a := range c.args {
			if n := o.count(); f.cond == 0 && o.rest == nil && n < maxItems && name == "push" && !holds(o, a) {
				e.set(f, o, showNumber(float64(n)), a)
			} else if !holds(o, a) {
				e.setRest(f, o, a)
			}
		}
		return anything, true
	case "join":
		sep := ","
		if a, ok := c.arg(0).known(); ok {
			sep = a.text()
		}
		v := &value{any: true}
		if texts := e.joined(f, o, sep); len(texts) > 0 && !slices.Contains(texts, parties.Gap) {
			v = &value{}
			for _, t := range texts {
				v = join(v, textValue(t))
				e.out.folded(t)
			}
		}
		return v.tainted(e.deepTaints(f, objectValue(o))), true
	case "concat":
		return e.concatArrays(f, o, c), true
	case "slice", "splice", "flat", "values", "toReversed", "with", "entries", "keys", "copyWithin":
		return e.sliceArray(f, o, name, c), true
	case "fill": // it gives the array itself, which others go on writing to
		if v := c.arg(0); v != nil && !holds(o, v) {
			e.setRest(f, o, v)
		}
		return objectValue(o), true
	case "reverse":
		return e.reversed(f, o, c), true
	case "shift", "pop", "at":
		return join(e.whole(f, o), undef), true
	case "includes", "indexOf", "lastIndexOf":
		return e.arrayHas(f, o, name, c), true
	case "toString":
		return e.concat(f, textValue(""), objectValue(o)), true
	case "forEach", "map":
		if v, ok := e.iterateExact(f, o, name, c); ok {
			return v, true
		}
	}
	return e.iterate(f, name, c, func() *value { return e.whole(f, o) })
}

// holds says whether an array has exactly this value already, so that repeating a push adds nothing.
func holds(o *object, v *value) bool {
	for _, k := range o.keys {
		if x := o.field(k).ever; x != nil && v != nil && (x == v || !adds(x, v) && !adds(v, x)) {
			return true
		}
	}
	return o.rest != nil && o.rest.ever != nil && v != nil && !adds(o.rest.ever, v)
}

func (e *Engine) arrayHas(f *activation, o *object, name string, c call) *value {
	want, ok := c.arg(0).known()
	items, exact := e.exactItems(f, objectValue(o))
	if !ok || !exact || name != "includes" {
		return anything.tainted(wordOf(c.arg(0)))
	}
	found := false
	for _, i := range items {
		a, ok := i.known()
		if !ok {
			return aBoolean
		}
		found = found || a == want
	}
	return boolValue(found)
}

// wordOf keeps the words of a seed phrase apart from other texts that are looked up: the number of a word in the list is
// the word.
func wordOf(v *value) []*taint {
	var out []*taint
	for _, t := range v.allTaints() {
		if t.source == srcSeed {
			out = append(out, t)
		}
	}
	return out
}

func (e *Engine) concatArrays(f *activation, o *object, c call) *value {
	out := e.alloc(f, c.node, "Array")
	all, ok := e.exactItems(f, objectValue(o))
	for _, a := range c.args {
		items, exact := e.exactItems(f, a)
		if !exact {
			ok = false
			all = append(all, join(a, e.element(f, a)))
			continue
		}
		all = append(all, items...)
	}
	if ok {
		return e.fill(f, out, all)
	}
	e.setRest(f, out, e.whole(f, o))
	for _, v := range all {
		e.setRest(f, out, v)
	}
	return objectValue(out)
}

func (e *Engine) sliceArray(f *activation, o *object, name string, c call) *value {
	out := e.alloc(f, c.node, "Array")
	items, exact := e.exactItems(f, objectValue(o))
	from, ok := c.arg(0).orEmpty().known()
	if exact && (name == "slice" || name == "values") && len(c.args) <= 1 && (ok || len(c.args) == 0) {
		start := from.number()
		if len(c.args) == 0 || math.IsNaN(start) {
			start = 0
		}
		n := int(max(min(start, float64(len(items))), float64(-len(items))))
		if n < 0 {
			n += len(items)
		}
		return e.fill(f, out, items[n:])
	}
	v := e.whole(f, o)
	if name == "flat" {
		v = join(v, e.element(f, v))
	}
	if name == "splice" {
		for _, a := range argsFrom(c.args, 2) {
			e.setRest(f, o, a)
		}
	}
	if name == "entries" {
		pair := e.newObject("Array")
		e.fill(f, pair, []*value{anything, v})
		v = objectValue(pair)
	}
	if v != nil {
		e.setRest(f, out, v)
	}
	return objectValue(out)
}

func (e *Engine) reversed(f *activation, o *object, c call) *value {
	items, exact := e.exactItems(f, objectValue(o))
	if !exact {
		return objectValue(o)
	}
	slices.Reverse(items)
	return e.fill(f, e.alloc(f, c.node, "Array"), items)
}

// iterateExact calls the function for each element of a short known array by itself.
func (e *Engine) iterateExact(f *activation, o *object, name string, c call) (*value, bool) {
	items, exact := e.exactItems(f, objectValue(o))
	if !exact || len(items) > f.maxItems() || len(c.arg(0).orEmpty().fns)+len(c.arg(0).orEmpty().paths) == 0 {
		return nil, false
	}
	out := make([]*value, len(items))
	for i, v := range items {
		k := c
		k.args = []*value{v, numberValue(float64(i)), objectValue(o)}
		k.this = nil
		out[i] = e.callValue(f, c.arg(0), k)
	}
	if name == "forEach" {
		return undef, true
	}
	return e.fill(f, e.alloc(f, c.node, "Array"), out), true
}

func decodeBase64(s string) (string, bool) {
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return "", false
	}
	return string(b), true
}
