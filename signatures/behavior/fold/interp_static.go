package fold

import "math"

// staticFunctions are the functions that a constructor holds: String.fromCharCode, Object.keys…
func staticFunctions(name string) map[string]jsNative {
	switch name {
	case "String":
		return map[string]jsNative{"fromCharCode": fromCharCode, "fromCodePoint": fromCodePoint, "raw": rawText}
	case "Array", "Uint8Array":
		return map[string]jsNative{
			"isArray": func(_ *interp, _ jsv, args []jsv) jsv {
				o, ok := arg(args, 0).(*jsObject)
				return ok && o.class == classArray
			},
			"of": func(in *interp, _ jsv, args []jsv) jsv { return in.newArray(append([]jsv(nil), args...)) },
			"from": func(in *interp, _ jsv, args []jsv) jsv {
				out := in.arrayFrom(args)
				if name == "Uint8Array" {
					return in.makeBytes(out)
				}
				return out
			},
		}
	case "Number":
		return map[string]jsNative{
			"isInteger": func(_ *interp, _ jsv, args []jsv) jsv {
				n, ok := arg(args, 0).(float64)
				return ok && n == math.Trunc(n) && !math.IsInf(n, 0)
			},
			"isNaN":      func(_ *interp, _ jsv, args []jsv) jsv { n, ok := arg(args, 0).(float64); return ok && n != n },
			"parseInt":   globalFunction("parseInt"),
			"parseFloat": globalFunction("parseFloat"),
			"isFinite": func(_ *interp, _ jsv, args []jsv) jsv {
				n, ok := arg(args, 0).(float64)
				return ok && n == n && !math.IsInf(n, 0)
			},
		}
	case "Object":
		return objectFunctions()
	}
	return nil
}

func fromCharCode(in *interp, _ jsv, args []jsv) jsv {
	in.work(len(args))
	in.take(2 * len(args))
	if len(args) == 1 {
		if isUnknown(args[0]) {
			return unknown{}
		}
		if u := uint16(in.uint32(args[0])); u < 0x80 {
			return asciiTexts[u : u+1]
		}
	}
	units := make([]uint16, len(args))
	for i, v := range args {
		units[i] = uint16(in.uint32(v))
	}
	return string(wtf8(units))
}

// asciiTexts holds each ASCII character, to cut one-letter texts from.
var asciiTexts = func() string {
	var b [128]byte
	for i := range b {
		b[i] = byte(i)
	}
	return string(b[:])
}()

func fromCodePoint(in *interp, _ jsv, args []jsv) jsv {
	in.work(len(args))
	in.take(4 * len(args))
	var out []byte
	for _, v := range args {
		n := in.number(v)
		if n < 0 || n > 0x10FFFF || n != math.Trunc(n) {
			in.throw("RangeError", "Invalid code point")
		}
		out = append(out, wtf8Rune(rune(n))...)
	}
	return joinSurrogates(string(out))
}

func rawText(in *interp, _ jsv, args []jsv) jsv {
	var out jsv = ""
	parts := in.items(in.get(arg(args, 0), "raw"))
	for i, p := range parts {
		out = in.concat(out, in.str(p))
		if i+1 < len(parts) && i+1 < len(args) {
			out = in.concat(out, in.str(args[i+1]))
		}
	}
	return out
}

func (in *interp) arrayFrom(args []jsv) *jsObject {
	var list []jsv
	if o, ok := arg(args, 0).(*jsObject); ok && o.class == classPlain {
		list = in.arrayLike(o).list
	} else {
		list = append(list, in.items(arg(args, 0))...)
	}
	if given(args, 1) {
		for i, v := range list {
			list[i] = in.call(args[1], undefined{}, []jsv{v, float64(i)})
		}
	}
	return in.newArray(list)
}

func objectFunctions() map[string]jsNative {
	list := func(each func(in *interp, v jsv, key string) jsv) jsNative {
		return func(in *interp, _ jsv, args []jsv) jsv {
			v := arg(args, 0)
			if nullish(v) {
				in.throw("TypeError", "Cannot convert undefined or null to object")
			}
			keys := in.ownKeys(v)
			out := make([]jsv, len(keys))
			for i, k := range keys {
				out[i] = each(in, v, k)
			}
			return in.newArray(out)
		}
	}
	same := func(in *interp, _ jsv, args []jsv) jsv { return arg(args, 0) }
	return map[string]jsNative{
		"keys":   list(func(_ *interp, _ jsv, key string) jsv { return key }),
		"values": list(func(in *interp, v jsv, key string) jsv { return in.get(v, key) }),
		"entries": list(func(in *interp, v jsv, key string) jsv {
			return in.newArray([]jsv{key, in.get(v, key)})
		}),
		"getOwnPropertyNames": list(func(_ *interp, _ jsv, key string) jsv { return key }),
		"assign": func(in *interp, _ jsv, args []jsv) jsv {
			for _, from := range args[min(1, len(args)):] {
				if nullish(from) {
					continue
				}
				for _, k := range in.ownKeys(from) {
					in.put(args[0], k, in.get(from, k))
				}
			}
			return arg(args, 0)
		},
		"fromEntries": func(in *interp, _ jsv, args []jsv) jsv {
			o := in.newObject()
			for _, pair := range in.items(arg(args, 0)) {
				in.take(64)
				o.set(in.str(in.index(pair, 0.0)), in.index(pair, 1.0))
			}
			return o
		},
		"freeze": func(_ *interp, _ jsv, args []jsv) jsv {
			if o, ok := arg(args, 0).(*jsObject); ok {
				o.frozen = true
			}
			return arg(args, 0)
		},
		"seal": same, "preventExtensions": same,
		"create": func(in *interp, _ jsv, args []jsv) jsv {
			o := in.newObject()
			switch p := arg(args, 0).(type) {
			case *jsObject:
				o.proto = p
			case nil:
			default:
				in.throw("TypeError", "Object prototype may only be an Object or null")
			}
			return o
		},
		"hasOwn": func(in *interp, _ jsv, args []jsv) jsv {
			return objectMethod("hasOwnProperty")(in, arg(args, 0), args[min(1, len(args)):])
		},
		"is": func(in *interp, _ jsv, args []jsv) jsv {
			a, b := flat(arg(args, 0)), flat(arg(args, 1))
			return mapKey(a) == mapKey(b)
		},
	}
}
