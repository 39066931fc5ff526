package fold

import (
	"math"
	"strings"
)

// str is String(v).
func (in *interp) str(v jsv) string {
	switch v := v.(type) {
	case string:
		return v
	case *jsRope:
		if v.left != nil {
			in.take(v.bytes)
			in.work(v.bytes)
		}
		return flat(v).(string)
	case nil:
		return "null"
	case undefined:
		return "undefined"
	case bool:
		if v {
			return "true"
		}
		return "false"
	case float64:
		return numberText(v)
	case *jsObject:
		return in.str(in.primitive(v, true))
	}
	in.fail("text of something that is not known")
	return ""
}

// primitive turns an object into a primitive value.
func (in *interp) primitive(v jsv, text bool) jsv {
	o, ok := v.(*jsObject)
	if !ok {
		return v
	}
	names := [2]string{"valueOf", "toString"}
	if text {
		names = [2]string{"toString", "valueOf"}
	}
	for _, name := range names {
		f := in.get(o, name)
		if _, host := f.(unknown); host {
			return f
		}
		if fn, ok := f.(*jsObject); ok && fn.class == classFunction {
			if out := in.call(fn, o, nil); !isObject(out) {
				return out
			}
		}
	}
	in.throw("TypeError", "Cannot convert object to primitive value")
	return nil
}

func isObject(v jsv) bool {
	_, ok := v.(*jsObject)
	return ok
}

// number is Number(v).
func (in *interp) number(v jsv) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	case nil:
		return 0
	case undefined:
		return math.NaN()
	case string:
		return textNumber(v)
	case *jsRope:
		return textNumber(in.str(v))
	case *jsObject:
		return in.number(in.primitive(v, false))
	}
	in.fail("number of something that is not known")
	return 0
}

// integer is ToIntegerOrInfinity.
func (in *interp) integer(v jsv) float64 {
	n := in.number(v)
	if n != n {
		return 0
	}
	return math.Trunc(n)
}

func (in *interp) int32(v jsv) int32 { return int32(in.uint32(v)) }

func (in *interp) uint32(v jsv) uint32 {
	n := in.number(v)
	if i := int64(n); float64(i) == n && i > -1<<62 && i < 1<<62 {
		return uint32(i)
	}
	if n != n || math.IsInf(n, 0) {
		return 0
	}
	n = math.Mod(math.Trunc(n), 1<<32)
	if n < 0 {
		n += 1 << 32
	}
	return uint32(n)
}

func (in *interp) truth(v jsv) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v == v && v != 0
	case string:
		return v != ""
	case *jsRope:
		return v.bytes > 0
	case nil, undefined:
		return false
	case *jsObject:
		return true
	}
	in.fail("decision on something that is not known")
	return false
}

// same is ===.
func (in *interp) same(a, b jsv) bool {
	a, b = flat(a), flat(b)
	if _, host := a.(unknown); host {
		in.fail("comparison with something that is not known")
	}
	if _, host := b.(unknown); host {
		in.fail("comparison with something that is not known")
	}
	if s, ok := a.(string); ok {
		in.work(len(s))
	}
	return a == b
}

// like is ==.
func (in *interp) like(a, b jsv) bool {
	a, b = flat(a), flat(b)
	na, nb := nullish(a), nullish(b)
	if na || nb {
		if !na && !nb || isUnknown(a) || isUnknown(b) {
			in.fail("comparison with something that is not known")
		}
		return na && nb
	}
	if isObject(a) != isObject(b) {
		return in.like(in.primitive(a, false), in.primitive(b, false))
	}
	switch a.(type) {
	case float64, bool:
		switch b.(type) {
		case float64, bool, string:
			return in.number(a) == in.number(b)
		}
	case string:
		switch b.(type) {
		case float64, bool:
			return in.number(a) == in.number(b)
		}
	}
	return in.same(a, b)
}

func nullish(v jsv) bool {
	switch v.(type) {
	case nil, undefined:
		return true
	}
	return false
}

func isUnknown(v jsv) bool {
	_, ok := v.(unknown)
	return ok
}

func (in *interp) typeOf(v jsv) string {
	switch v := v.(type) {
	case string, *jsRope:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case undefined:
		return "undefined"
	case nil:
		return "object"
	case *jsObject:
		if v.class == classFunction {
			return "function"
		}
		return "object"
	}
	in.fail("type of something that is not known")
	return ""
}

// before is a < b; the second result is false when they can't be compared.
func (in *interp) before(a, b jsv) (less, comparable bool) {
	a, b = flat(in.primitive(a, false)), flat(in.primitive(b, false))
	if s, ok := a.(string); ok {
		if t, ok := b.(string); ok {
			return in.compare(s, t) < 0, true
		}
	}
	x, y := in.number(a), in.number(b)
	return x < y, x == x && y == y
}

// compare orders texts by their code units.
func (in *interp) compare(s, t string) int {
	in.work(min(len(s), len(t)))
	sa, su := in.wide(s)
	ta, tu := in.wide(t)
	if sa || ta {
		return strings.Compare(s, t) // UTF-8 orders as UTF-16 does below the surrogates
	}
	for i := 0; i < len(su) && i < len(tu); i++ {
		if su[i] != tu[i] {
			return int(su[i]) - int(tu[i])
		}
	}
	return len(su) - len(tu)
}

// items lists what iterating over v gives.
func (in *interp) items(v jsv) []jsv {
	switch v := flat(v).(type) {
	case string:
		_, units := in.wide(v)
		n := max(len(units), len(v))
		in.take(16 * n)
		in.work(n)
		out := make([]jsv, 0, n)
		for i := 0; i < len(v); {
			n := charBytes(v[i:])
			out = append(out, v[i:i+n])
			i += n
		}
		return out
	case *jsObject:
		switch v.class {
		case classArray, classBytes:
			in.work(len(v.list))
			for i, e := range v.list {
				if e == (hole{}) {
					out := append([]jsv(nil), v.list...)
					for ; i < len(out); i++ {
						if out[i] == (hole{}) {
							out[i] = undefined{}
						}
					}
					return out
				}
			}
			return v.list
		case classSet:
			return in.entries(v, false)
		case classMap:
			return in.entries(v, true)
		case classPlain:
			in.throw("TypeError", "object is not iterable")
		}
		in.fail("iteration over a host object")
	case unknown:
		in.fail("iteration over something that is not known")
	}
	in.throw("TypeError", "value is not iterable")
	return nil
}

// charBytes is the length of the first character of s.
func charBytes(s string) int {
	switch b := s[0]; {
	case b < 0xC0:
		return 1
	case b < 0xE0:
		return min(2, len(s))
	case b < 0xF0:
		return min(3, len(s))
	}
	return min(4, len(s))
}

// entries lists a map or set; keys and values of a map as pairs. list holds key, value, key, value…; removed keys are holes.
func (in *interp) entries(o *jsObject, pairs bool) []jsv {
	var out []jsv
	in.work(len(o.list))
	for i := 0; i+1 < len(o.list); i += 2 {
		switch {
		case o.list[i] == (hole{}):
		case pairs:
			out = append(out, in.newArray([]jsv{o.list[i], o.list[i+1]}))
		default:
			out = append(out, o.list[i])
		}
	}
	return out
}

// constructorOf names the builtin constructor of a value, "" for others.
func (in *interp) constructorOf(v jsv) string {
	switch v := v.(type) {
	case string, *jsRope:
		return "String"
	case float64:
		return "Number"
	case bool:
		return "Boolean"
	case *jsObject:
		switch v.class {
		case classArray:
			return "Array"
		case classFunction:
			return "Function"
		case classRegExp:
			return "RegExp"
		case classPlain:
			return "Object"
		}
	}
	return ""
}
