package fold

import (
	"math"
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// method finds a builtin method of a value; nil when there is none.
func (in *interp) method(v jsv, name string) jsNative {
	var m jsNative
	switch v := v.(type) {
	case string, *jsRope:
		m = stringMethod(name)
	case float64:
		m = numberMethod(name)
	case bool:
	case *jsObject:
		switch v.class {
		case classArray, classBytes:
			m = arrayMethod(name)
		case classFunction:
			m = functionMethod(name)
		case classRegExp:
			m = regexpMethod(name)
		case classMap, classSet:
			m = mapMethod(name)
		case classBox:
			if inner := in.method(v.list[0], name); inner != nil {
				return func(in *interp, this jsv, args []jsv) jsv {
					if box, ok := this.(*jsObject); ok && box.class == classBox {
						this = box.list[0]
					}
					return inner(in, this, args)
				}
			}
		case classError:
			if name == "toString" {
				return func(in *interp, this jsv, _ []jsv) jsv {
					return in.str(in.get(this, "name")) + ": " + in.str(in.get(this, "message"))
				}
			}
		case classGlobal:
			return nil
		}
	default:
		return nil
	}
	if m == nil {
		m = objectMethod(name)
	}
	return m
}

// arg is an argument, undefined when it is not there.
func arg(args []jsv, i int) jsv {
	if i < len(args) {
		return args[i]
	}
	return undefined{}
}

func given(args []jsv, i int) bool {
	return i < len(args) && args[i] != (undefined{})
}

// position is an argument that counts from the end when negative, kept within 0 and n.
func (in *interp) position(args []jsv, i, n, absent int) int {
	if !given(args, i) {
		return absent
	}
	p := in.integer(args[i])
	if p < 0 {
		p = math.Max(0, p+float64(n))
	}
	return int(math.Min(p, float64(n)))
}

func objectMethod(name string) jsNative {
	switch name {
	case "hasOwnProperty", "propertyIsEnumerable":
		return func(in *interp, this jsv, args []jsv) jsv {
			key := in.str(arg(args, 0))
			switch o := flat(this).(type) {
			case *jsObject:
				if _, ok := o.props[key]; ok {
					return true
				}
				if o.class == classGlobal {
					return unknown{}
				}
				_, ok := in.special(o, key)
				return ok
			case string:
				i := arrayIndex(key)
				return key == "length" || i >= 0 && i < in.length(o)
			}
			return false
		}
	case "valueOf":
		return func(in *interp, this jsv, _ []jsv) jsv { return this }
	case "toString", "toLocaleString":
		return func(in *interp, this jsv, _ []jsv) jsv {
			o, ok := this.(*jsObject)
			if !ok {
				return in.str(this)
			}
			if o.class == classGlobal {
				return unknown{}
			}
			return "[object " + map[jsClass]string{classArray: "Array", classFunction: "Function", classError: "Error",
				classRegExp: "RegExp", classMap: "Map", classSet: "Set", classBytes: "Uint8Array"}[o.class] +
				map[bool]string{true: "Object"}[o.class == classPlain] + "]"
		}
	}
	return nil
}

func numberMethod(name string) jsNative {
	switch name {
	case "toString", "toLocaleString":
		return func(in *interp, this jsv, args []jsv) jsv {
			radix := 10.0
			if given(args, 0) {
				radix = in.integer(args[0])
			}
			if radix < 2 || radix > 36 {
				in.throw("RangeError", "toString() radix must be between 2 and 36")
			}
			return radixText(in.number(this), int(radix))
		}
	case "toFixed":
		return func(in *interp, this jsv, args []jsv) jsv {
			n, places := in.number(this), in.integer(arg(args, 0))
			if places < 0 || places > 100 {
				in.throw("RangeError", "toFixed() digits argument must be between 0 and 100")
			}
			if n != n || math.Abs(n) >= 1e21 {
				return numberText(n)
			}
			out := strconv.FormatFloat(n, 'f', int(places), 64)
			// Ties go away from zero here, to the even digit there; only exact binary halves are ties.
			if up := strconv.FormatFloat(math.Nextafter(n, math.Inf(int(math.Copysign(1, n)))), 'f', int(places), 64); up != out && isTie(n, int(places)) {
				out = up
			}
			if strings.Trim(out, "-0.") == "" && n == 0 {
				out = strings.TrimPrefix(out, "-")
			}
			return out
		}
	case "toPrecision":
		return func(in *interp, this jsv, args []jsv) jsv {
			n := in.number(this)
			if !given(args, 0) {
				return numberText(n)
			}
			p := in.integer(args[0])
			if p < 1 || p > 100 {
				in.throw("RangeError", "toPrecision() argument must be between 1 and 100")
			}
			if e := math.Floor(math.Log10(math.Abs(n))); n != 0 && (e < -6 || e >= p) {
				in.fail("exponent form")
			} else if n != 0 {
				return strconv.FormatFloat(n, 'f', int(p-1-e), 64)
			}
			return strconv.FormatFloat(n, 'f', int(p-1), 64)
		}
	}
	return nil
}

// isTie reports whether n stands exactly between two numbers of that many places.
func isTie(n float64, places int) bool {
	if places > 15 {
		return false
	}
	scaled := math.Abs(n) * math.Pow10(places)
	return scaled-math.Floor(scaled) == 0.5 && math.FMA(math.Abs(n), math.Pow10(places), -scaled) == 0
}

func functionMethod(name string) jsNative {
	switch name {
	case "call":
		return func(in *interp, this jsv, args []jsv) jsv {
			if len(args) == 0 {
				return in.call(this, undefined{}, nil)
			}
			return in.call(this, args[0], args[1:])
		}
	case "apply":
		return func(in *interp, this jsv, args []jsv) jsv {
			var list []jsv
			if o, ok := arg(args, 1).(*jsObject); ok {
				list = append(list, in.items(o)...)
			} else if !nullish(arg(args, 1)) {
				in.fail("arguments that are not known")
			}
			return in.call(this, arg(args, 0), list)
		}
	case "bind":
		return func(in *interp, this jsv, args []jsv) jsv {
			bound := append([]jsv(nil), args...)
			in.take(64 + 16*len(bound))
			return in.newNative("bound", func(in *interp, _ jsv, more []jsv) jsv {
				all := append([]jsv(nil), bound[min(1, len(bound)):]...)
				return in.call(this, arg(bound, 0), append(all, more...))
			})
		}
	case "toString":
		return func(in *interp, this jsv, _ []jsv) jsv {
			o, ok := this.(*jsObject)
			if !ok || o.class != classFunction || o.name == "bound" {
				return unknown{}
			}
			if o.code != nil {
				return in.functionText(o.code.decl)
			}
			return "function " + o.name + "() { [native code] }"
		}
	}
	return nil
}

func (in *interp) functionText(d *js.FuncDecl) jsv {
	if d == nil || in.texts == nil {
		return unknown{}
	}
	if text, ok := in.known[d]; ok {
		return text
	}
	var out jsv = unknown{}
	if text, ok := in.texts(d); ok {
		in.copied(text)
		out = text
	}
	if in.known == nil {
		in.known = map[*js.FuncDecl]jsv{}
	}
	in.known[d] = out
	return out
}

func mapMethod(name string) jsNative {
	switch name {
	case "get":
		return func(in *interp, this jsv, args []jsv) jsv {
			o := in.collection(this)
			if i, ok := o.index[mapKey(arg(args, 0))]; ok {
				return o.list[i+1]
			}
			return undefined{}
		}
	case "has":
		return func(in *interp, this jsv, args []jsv) jsv {
			_, ok := in.collection(this).index[mapKey(arg(args, 0))]
			return ok
		}
	case "set", "add":
		return func(in *interp, this jsv, args []jsv) jsv {
			o := in.collection(this)
			if o.run != in.run {
				in.shared++
			}
			in.setEntry(o, arg(args, 0), arg(args, 1))
			return o
		}
	case "delete":
		return func(in *interp, this jsv, args []jsv) jsv {
			o := in.collection(this)
			if o.run != in.run {
				in.shared++
			}
			i, ok := o.index[mapKey(arg(args, 0))]
			if ok {
				delete(o.index, mapKey(arg(args, 0)))
				o.list[i], o.list[i+1] = hole{}, hole{}
			}
			return ok
		}
	case "clear":
		return func(in *interp, this jsv, _ []jsv) jsv {
			o := in.collection(this)
			if o.run != in.run {
				in.shared++
			}
			o.list, o.index = nil, map[jsv]int{}
			return undefined{}
		}
	case "forEach":
		return func(in *interp, this jsv, args []jsv) jsv {
			o := in.collection(this)
			for i := 0; i+1 < len(o.list); i += 2 {
				in.tick()
				if key := o.list[i]; key != (hole{}) {
					v := o.list[i+1]
					if o.class == classSet {
						v = key
					}
					in.call(arg(args, 0), arg(args, 1), []jsv{v, key, o})
				}
			}
			return undefined{}
		}
	case "keys", "values", "entries":
		return func(in *interp, this jsv, _ []jsv) jsv {
			o := in.collection(this)
			out := in.entries(o, name == "entries")
			if name == "values" && o.class == classMap {
				for i := range out {
					out[i] = o.list[o.index[mapKey(out[i])]+1]
				}
			}
			return in.newArray(out)
		}
	}
	return nil
}

func (in *interp) collection(v jsv) *jsObject {
	o, ok := v.(*jsObject)
	if !ok || o.class != classMap && o.class != classSet {
		in.throw("TypeError", "not a Map or Set")
	}
	return o
}

func (in *interp) setEntry(o *jsObject, key, v jsv) {
	key = mapKey(key)
	if isUnknown(key) {
		in.fail("key that is not known")
	}
	if i, ok := o.index[key]; ok {
		o.list[i+1] = v
		return
	}
	in.take(96)
	if len(o.list) > 2*maxElements {
		in.fail("map too large")
	}
	o.index[key] = len(o.list)
	o.list = append(o.list, key, v)
}

// mapKey makes keys comparable as a Map compares them.
func mapKey(v jsv) jsv {
	v = flat(v)
	if n, ok := v.(float64); ok {
		if n != n {
			return "\x00NaN\x00"
		}
		return n + 0
	}
	return v
}
