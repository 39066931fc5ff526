package fold

import (
	"math"
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// constructorFunction gives constructors called without new.
func constructorFunction(name string) jsNative {
	switch name {
	case "String":
		return func(in *interp, _ jsv, args []jsv) jsv {
			if len(args) == 0 {
				return ""
			}
			if isUnknown(args[0]) {
				return unknown{}
			}
			return in.str(args[0])
		}
	case "Number":
		return func(in *interp, _ jsv, args []jsv) jsv {
			if len(args) == 0 {
				return 0.0
			}
			if isUnknown(args[0]) {
				return unknown{}
			}
			return in.number(args[0])
		}
	case "Boolean":
		return func(in *interp, _ jsv, args []jsv) jsv { return in.truth(arg(args, 0)) }
	case "Array":
		return func(in *interp, _ jsv, args []jsv) jsv { return in.makeArray(args) }
	case "Object":
		return func(in *interp, _ jsv, args []jsv) jsv {
			switch v := arg(args, 0).(type) {
			case nil, undefined:
				return in.newObject()
			case *jsObject, unknown:
				return v
			default:
				return &jsObject{class: classBox, list: []jsv{v}, run: in.run}
			}
		}
	case "RegExp":
		return func(in *interp, _ jsv, args []jsv) jsv {
			flags := ""
			if given(args, 1) {
				flags = in.str(args[1])
			}
			if o, ok := arg(args, 0).(*jsObject); ok && o.class == classRegExp {
				if !given(args, 1) {
					flags = o.pattern.flags
				}
				return in.newRegExp(o.pattern.source, flags)
			}
			if !given(args, 0) {
				return in.newRegExp("", flags)
			}
			return in.newRegExp(in.str(args[0]), flags)
		}
	case "Function":
		return func(in *interp, _ jsv, args []jsv) jsv {
			return in.makeFunction(args)
		}
	case "Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError":
		return func(in *interp, _ jsv, args []jsv) jsv {
			e := in.newObject()
			e.class = classError
			e.set("name", name)
			e.set("message", "")
			if given(args, 0) {
				e.set("message", in.str(args[0]))
			}
			return e
		}
	case "Map", "Set", "Uint8Array", "TextDecoder", "TextEncoder", "WeakMap", "WeakSet":
		return func(in *interp, _ jsv, args []jsv) jsv {
			in.throw("TypeError", "Constructor requires 'new'")
			return nil
		}
	}
	return nil
}

// fillConstructor adds what can be done with `new`, and the functions kept in the constructor.
func (in *interp) fillConstructor(o *jsObject) {
	call := o.native
	switch o.name {
	case "Array", "Object", "RegExp", "Function", "Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError":
		o.make = func(in *interp, args []jsv) jsv { return call(in, undefined{}, args) }
	case "String", "Number", "Boolean":
		o.make = func(in *interp, args []jsv) jsv {
			return &jsObject{class: classBox, list: []jsv{call(in, undefined{}, args)}, run: in.run}
		}
	case "Map", "WeakMap":
		o.make = func(in *interp, args []jsv) jsv {
			m := in.newObject()
			m.class, m.index = classMap, map[jsv]int{}
			if given(args, 0) && args[0] != nil {
				for _, pair := range in.items(args[0]) {
					in.setEntry(m, in.index(pair, 0.0), in.index(pair, 1.0))
				}
			}
			return m
		}
	case "Set", "WeakSet":
		o.make = func(in *interp, args []jsv) jsv {
			m := in.newObject()
			m.class, m.index = classSet, map[jsv]int{}
			if given(args, 0) && args[0] != nil {
				for _, v := range in.items(args[0]) {
					in.setEntry(m, v, v)
				}
			}
			return m
		}
	case "Uint8Array":
		o.make = func(in *interp, args []jsv) jsv { return in.makeBytes(arg(args, 0)) }
	case "TextDecoder":
		o.make = func(in *interp, args []jsv) jsv {
			if given(args, 0) && !strings.Contains(strings.ToLower(in.str(args[0])), "utf") {
				in.fail("text encoding")
			}
			return in.module(map[string]jsNative{"decode": textFromBytes})
		}
	case "TextEncoder":
		o.make = func(in *interp, _ []jsv) jsv {
			return in.module(map[string]jsNative{"encode": onString(func(in *interp, s string) jsv {
				list := make([]jsv, len(s))
				for i := range list {
					list[i] = float64(s[i])
				}
				return in.makeBytes(in.newArray(list))
			})})
		}
	}
	for name, f := range staticFunctions(o.name) {
		o.set(name, in.newNative(name, f))
	}
	if o.name == "Number" {
		o.set("MAX_SAFE_INTEGER", 9007199254740991.0)
		o.set("MIN_SAFE_INTEGER", -9007199254740991.0)
		o.set("EPSILON", math.Pow(2, -52))
	}
	if proto := in.prototype(o.name); proto != nil {
		o.set("prototype", proto)
	}
}

// prototype is a constructor's prototype, for code that takes methods from it.
func (in *interp) prototype(name string) *jsObject {
	switch name {
	case "Array":
		return &jsObject{class: classArray, frozen: true}
	case "String":
		return &jsObject{class: classBox, list: []jsv{""}, frozen: true}
	case "Number":
		return &jsObject{class: classBox, list: []jsv{0.0}, frozen: true}
	case "Object":
		return &jsObject{frozen: true}
	case "Function":
		o := in.newNative("", func(*interp, jsv, []jsv) jsv { return undefined{} })
		o.frozen = true
		return o
	}
	return nil
}

const maxMadeFunction = 16 << 10 // bytes of code that Function makes a function of; all longer ones are only reported

// makeFunction is Function(…, body).
func (in *interp) makeFunction(args []jsv) jsv {
	texts := make([]string, len(args))
	for i, a := range args {
		s, ok := flat(a).(string)
		if !ok {
			return unknown{}
		}
		texts[i] = s
	}
	if len(texts) == 0 {
		return unknown{}
	}
	last := len(texts) - 1
	if len(in.code) < maxUnpacked {
		in.code = append(in.code, texts[last])
	}
	code := "(function(" + strings.Join(texts[:last], ",") + "){" + texts[last] + "\n})"
	if len(code) > maxMadeFunction {
		return unknown{}
	}
	in.work(64 * len(code))
	in.take(32 * len(code))
	ast, err := js.Parse(parse.NewInputString(code), js.Options{})
	if err != nil || len(ast.List) != 1 {
		return unknown{}
	}
	x, ok := ast.List[0].(*js.ExprStmt)
	if !ok {
		return unknown{}
	}
	// Its variables are its own or global: it sees nothing of what stands around it.
	own := &interp{statics: func(*js.Var) *staticVar { return nil }, steps: in.steps, heap: in.heap}
	c := &jsCompiler{in: own, fn: &jsScope{}}
	made := c.expr(x.Value)(&jsFrame{in: in, slots: make([]*jsCell, c.fn.count), this: unknown{}})
	in.steps, in.heap = min(in.steps, own.steps), min(in.heap, own.heap)
	return made
}

func (in *interp) makeArray(args []jsv) jsv {
	if n, ok := arg(args, 0).(float64); ok && len(args) == 1 {
		if n < 0 || n != math.Trunc(n) || n >= 1<<32 {
			in.throw("RangeError", "Invalid array length")
		}
		a := in.newArray(nil)
		in.resize(a, n)
		return a
	}
	return in.newArray(append([]jsv(nil), args...))
}

func (in *interp) makeBytes(v jsv) jsv {
	var list []jsv
	switch v := v.(type) {
	case float64:
		if v < 0 || v > maxElements {
			in.fail("array too long")
		}
		list = make([]jsv, int(v))
		for i := range list {
			list[i] = 0.0
		}
	case *jsObject:
		for _, e := range in.items(v) {
			list = append(list, float64(uint8(in.int32(e))))
		}
	case undefined:
	default:
		in.fail("bytes of something that is not known")
	}
	a := in.newArray(list)
	a.class = classBytes
	return a
}

func textFromBytes(in *interp, _ jsv, args []jsv) jsv {
	if len(args) == 0 {
		return ""
	}
	list := in.items(args[0])
	in.take(len(list))
	buf := make([]byte, len(list))
	for i, v := range list {
		buf[i] = byte(in.int32(v))
	}
	return strings.TrimPrefix(strings.ToValidUTF8(string(buf), string(utf8.RuneError)), "\ufeff")
}

func (in *interp) mathObject() jsv {
	one := func(f func(float64) float64) jsNative {
		return func(in *interp, _ jsv, args []jsv) jsv {
			if isUnknown(arg(args, 0)) {
				return unknown{}
			}
			return f(in.number(arg(args, 0)))
		}
	}
	many := func(start float64, f func(a, b float64) float64) jsNative {
		return func(in *interp, _ jsv, args []jsv) jsv {
			out := start
			for _, v := range args {
				out = f(out, in.number(v))
			}
			return out
		}
	}
	o := in.module(map[string]jsNative{
		"floor": one(math.Floor), "ceil": one(math.Ceil), "trunc": one(math.Trunc), "abs": one(math.Abs), "sqrt": one(math.Sqrt),
		"cbrt": one(math.Cbrt), "sin": one(math.Sin), "cos": one(math.Cos), "tan": one(math.Tan), "atan": one(math.Atan),
		"log": one(math.Log), "log2": one(math.Log2), "log10": one(math.Log10), "exp": one(math.Exp),
		"round": one(func(n float64) float64 {
			if n != n || math.Abs(n) >= 1<<52 {
				return n
			}
			if n < 0 && n >= -0.5 {
				return math.Copysign(0, -1)
			}
			return math.Floor(n + 0.5)
		}),
		"sign": one(func(n float64) float64 {
			if n > 0 {
				return 1
			} else if n < 0 {
				return -1
			}
			return n
		}),
		"fround": one(func(n float64) float64 { return float64(float32(n)) }),
		"clz32":  func(in *interp, _ jsv, args []jsv) jsv { return float64(bits.LeadingZeros32(in.uint32(arg(args, 0)))) },
		"imul": func(in *interp, _ jsv, args []jsv) jsv {
			return float64(in.int32(arg(args, 0)) * in.int32(arg(args, 1)))
		},
		"pow": func(in *interp, _ jsv, args []jsv) jsv {
			return power(in.number(arg(args, 0)), in.number(arg(args, 1)))
		},
		"max":   many(math.Inf(-1), math.Max),
		"min":   many(math.Inf(1), math.Min),
		"hypot": many(0, math.Hypot),
	})
	o.set("PI", math.Pi)
	o.set("E", math.E)
	o.set("LN2", math.Ln2)
	o.set("LN10", math.Ln10)
	o.set("SQRT2", math.Sqrt2)
	o.set("random", unknown{})
	return o
}
