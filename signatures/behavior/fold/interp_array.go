package fold

import (
	"math"
	"sort"
	"strings"
)

// onArray makes a method of a function of the array; array-likes are copied first.
func onArray(f func(in *interp, a *jsObject, args []jsv) jsv) jsNative {
	return func(in *interp, this jsv, args []jsv) jsv {
		switch v := flat(this).(type) {
		case *jsObject:
			if v.class == classArray || v.class == classBytes {
				return f(in, v, args)
			}
			if v.class == classPlain || v.class == classBox {
				return f(in, in.arrayLike(v), args)
			}
		case string:
			return f(in, in.arrayLike(v), args)
		}
		in.fail("array method on something else")
		return nil
	}
}

func (in *interp) arrayLike(v jsv) *jsObject {
	n := in.integer(in.get(v, "length"))
	if n > maxElements {
		in.fail("array too long")
	}
	out := make([]jsv, int(math.Max(0, n)))
	in.take(16 * len(out))
	for i := range out {
		out[i] = in.index(v, float64(i))
	}
	return in.newArray(out)
}

// changes notes that an array made by an earlier evaluation changes.
func (in *interp) changes(a *jsObject) {
	if a.run != in.run {
		if in.asking || a.settled {
			in.fail("change of the program's state")
		}
		in.shared++
	}
	if a.frozen {
		in.throw("TypeError", "Cannot change a frozen array")
	}
}

func arrayMethod(name string) jsNative {
	switch name {
	case "push", "pop", "shift", "unshift", "splice", "reverse", "sort", "fill":
		return changingMethod(name)
	case "map", "filter", "forEach", "some", "every", "find", "findIndex", "findLast", "findLastIndex", "flatMap":
		return eachMethod(name)
	case "reduce", "reduceRight":
		return onArray(func(in *interp, a *jsObject, args []jsv) jsv { return in.reduce(a, args, name == "reduceRight") })
	case "join", "toString":
		return onArray(func(in *interp, a *jsObject, args []jsv) jsv {
			sep := ","
			if name == "join" && given(args, 0) {
				sep = in.str(args[0])
			}
			return in.join(a, sep)
		})
	case "slice", "subarray":
		return onArray(func(in *interp, a *jsObject, args []jsv) jsv {
			n := len(a.list)
			i, j := in.position(args, 0, n, 0), in.position(args, 1, n, n)
			return in.arrayAs(a, append([]jsv(nil), a.list[i:max(i, j)]...))
		})
	case "concat":
		return onArray(func(in *interp, a *jsObject, args []jsv) jsv {
			out := append([]jsv(nil), a.list...)
			for _, v := range args {
				if o, ok := v.(*jsObject); ok && o.class == classArray {
					out = append(out, o.list...)
				} else {
					out = append(out, v)
				}
			}
			in.work(len(out))
			return in.newArray(out)
		})
	case "indexOf", "lastIndexOf", "includes":
		return onArray(func(in *interp, a *jsObject, args []jsv) jsv { return in.locate(a, args, name) })
	case "at":
		return onArray(func(in *interp, a *jsObject, args []jsv) jsv {
			i := in.integer(arg(args, 0))
			if i < 0 {
				i += float64(len(a.list))
			}
			return in.index(a, i)
		})
	case "flat":
		return onArray(func(in *interp, a *jsObject, args []jsv) jsv {
			depth := 1.0
			if given(args, 0) {
				depth = in.integer(args[0])
			}
			return in.newArray(in.flatten(nil, a, int(math.Min(depth, 32))))
		})
	case "keys", "values", "entries":
		return onArray(func(in *interp, a *jsObject, _ []jsv) jsv {
			out := make([]jsv, len(a.list))
			for i, v := range in.items(a) {
				switch name {
				case "keys":
					out[i] = float64(i)
				case "values":
					out[i] = v
				default:
					out[i] = in.newArray([]jsv{float64(i), v})
				}
			}
			return in.newArray(out)
		})
	case "toReversed", "toSorted":
		inner := changingMethod(map[string]string{"toReversed": "reverse", "toSorted": "sort"}[name])
		return onArray(func(in *interp, a *jsObject, args []jsv) jsv {
			return inner(in, in.newArray(append([]jsv(nil), a.list...)), args)
		})
	case "set":
		return onArray(func(in *interp, a *jsObject, args []jsv) jsv {
			in.changes(a)
			for i, v := range in.items(arg(args, 0)) {
				in.putElement(a, i+int(in.integer(arg(args, 1))), v)
			}
			return undefined{}
		})
	}
	return nil
}

// arrayAs makes an array of the same kind as a.
func (in *interp) arrayAs(a *jsObject, list []jsv) *jsObject {
	out := in.newArray(list)
	if a.class == classBytes {
		out.class = classBytes
		for i, v := range list {
			list[i] = float64(uint8(in.int32(v)))
		}
	}
	return out
}

func changingMethod(name string) jsNative {
	return onArray(func(in *interp, a *jsObject, args []jsv) jsv {
		in.changes(a)
		in.work(len(args))
		switch name {
		case "push":
			in.take(16 * len(args))
			if len(a.list)+len(args) > maxElements {
				in.fail("array too long")
			}
			a.list = append(a.list, args...)
			return float64(len(a.list))
		case "pop", "shift":
			return in.removeEnd(a, name == "shift")
		case "unshift":
			return in.splice(a, 0, 0, args, float64(len(a.list)+len(args)))
		case "splice":
			n := len(a.list)
			i := in.position(args, 0, n, 0)
			count := 0
			if len(args) > 0 {
				count = n - i
			}
			if len(args) > 1 {
				count = in.clamp(args[1], n-i, 0)
			}
			removed := in.newArray(append([]jsv(nil), a.list[i:i+count]...))
			return in.splice(a, i, count, args[min(2, len(args)):], removed)
		case "reverse":
			in.work(len(a.list))
			for i, j := 0, len(a.list)-1; i < j; i, j = i+1, j-1 {
				a.list[i], a.list[j] = a.list[j], a.list[i]
			}
			return a
		case "fill":
			n := len(a.list)
			in.work(n)
			for i := in.position(args, 1, n, 0); i < in.position(args, 2, n, n); i++ {
				a.list[i] = arg(args, 0)
			}
			return a
		}
		return in.sort(a, arg(args, 0))
	})
}

func (in *interp) removeEnd(a *jsObject, front bool) jsv {
	n := len(a.list)
	if n == 0 {
		return undefined{}
	}
	var v jsv
	if front {
		v = a.list[0]
		a.list[0] = nil
		a.list = a.list[1:]
	} else {
		v = a.list[n-1]
		a.list = a.list[: n-1 : n-1]
	}
	if v == (hole{}) {
		return undefined{}
	}
	return v
}

func (in *interp) splice(a *jsObject, i, count int, add []jsv, out jsv) jsv {
	if len(a.list)+len(add) > maxElements {
		in.fail("array too long")
	}
	in.take(16 * (len(a.list) + len(add)))
	in.work(len(a.list))
	tail := a.list[i+count:]
	list := append(make([]jsv, 0, len(a.list)+len(add)), a.list[:i]...)
	a.list = append(append(list, add...), tail...)
	return out
}

func (in *interp) sort(a *jsObject, by jsv) jsv {
	list := append([]jsv(nil), a.list...)
	in.take(16 * len(list))
	rank := func(v jsv) int {
		switch v.(type) {
		case hole:
			return 2
		case undefined:
			return 1
		}
		return 0
	}
	sort.SliceStable(list, func(i, j int) bool {
		in.tick()
		x, y := list[i], list[j]
		if rx, ry := rank(x), rank(y); rx != 0 || ry != 0 {
			return rx < ry
		}
		if by != (undefined{}) {
			return in.number(in.call(by, undefined{}, []jsv{x, y})) < 0
		}
		if a.class == classBytes {
			return x.(float64) < y.(float64)
		}
		return in.compare(in.str(x), in.str(y)) < 0
	})
	a.list = list
	return a
}

func eachMethod(name string) jsNative {
	return onArray(func(in *interp, a *jsObject, args []jsv) jsv {
		fn, this := arg(args, 0), arg(args, 1)
		var out []jsv
		for k := 0; k < len(a.list); k++ {
			in.tick()
			i := k
			if strings.HasPrefix(name, "findLast") {
				i = len(a.list) - 1 - k
			}
			v := a.list[i]
			if v == (hole{}) {
				if !strings.HasPrefix(name, "find") {
					if name == "map" {
						out = append(out, v)
					}
					continue
				}
				v = undefined{}
			}
			r := in.call(fn, this, []jsv{v, float64(i), a})
			switch name {
			case "map":
				out = append(out, r)
			case "flatMap":
				if o, ok := r.(*jsObject); ok && o.class == classArray {
					out = append(out, o.list...)
				} else {
					out = append(out, r)
				}
			case "filter":
				if in.truth(r) {
					out = append(out, v)
				}
			case "forEach":
			case "every":
				if !in.truth(r) {
					return false
				}
			default:
				if in.truth(r) {
					return map[string]jsv{"some": true, "find": v, "findLast": v, "findIndex": float64(i), "findLastIndex": float64(i)}[name]
				}
			}
		}
		switch name {
		case "map", "filter":
			return in.arrayAs(a, out)
		case "flatMap":
			return in.newArray(out)
		}
		return map[string]jsv{"every": true, "some": false, "find": undefined{}, "findLast": undefined{}, "forEach": undefined{},
			"findIndex": -1.0, "findLastIndex": -1.0}[name]
	})
}

func (in *interp) reduce(a *jsObject, args []jsv, right bool) jsv {
	list := in.items(a)
	var acc jsv
	k := 0
	at := func(k int) int {
		if right {
			return len(list) - 1 - k
		}
		return k
	}
	if len(args) > 1 {
		acc = args[1]
	} else {
		if len(list) == 0 {
			in.throw("TypeError", "Reduce of empty array with no initial value")
		}
		acc, k = list[at(0)], 1
	}
	for ; k < len(list); k++ {
		in.tick()
		i := at(k)
		acc = in.call(arg(args, 0), undefined{}, []jsv{acc, list[i], float64(i), a})
	}
	return acc
}

func (in *interp) join(a *jsObject, sep string) jsv {
	if in.depth++; in.depth > maxCallDepth {
		in.fail("arrays too deep")
	}
	defer func() { in.depth-- }()
	var out strings.Builder
	for i, v := range a.list {
		in.tick()
		if i > 0 {
			out.WriteString(sep)
		}
		if v != (hole{}) && !nullish(v) {
			out.WriteString(in.str(v))
		}
		in.grown(&out)
	}
	in.take(out.Len())
	return joinSurrogates(out.String())
}

func (in *interp) locate(a *jsObject, args []jsv, name string) jsv {
	want, n := flat(arg(args, 0)), len(a.list)
	in.work(n)
	hit := -1
	if name == "lastIndexOf" {
		for i := n - 1; i >= 0 && hit < 0; i-- {
			if in.same(a.list[i], want) {
				hit = i
			}
		}
		return float64(hit)
	}
	for i := in.position(args, 1, n, 0); i < n && hit < 0; i++ {
		v := a.list[i]
		nan := name == "includes" && v != v && want != want
		if nan || v != (hole{}) && in.same(v, want) {
			hit = i
		}
	}
	if name == "includes" {
		return hit >= 0
	}
	return float64(hit)
}

func (in *interp) flatten(out []jsv, a *jsObject, depth int) []jsv {
	for _, v := range a.list {
		in.tick()
		if o, ok := v.(*jsObject); ok && o.class == classArray && depth > 0 {
			out = in.flatten(out, o, depth-1)
		} else if v != (hole{}) {
			out = append(out, v)
		}
		if len(out) > maxElements {
			in.fail("array too long")
		}
	}
	return out
}
