package fold

import (
	"math"
	"sort"
	"strconv"
)

type jsClass uint8

const (
	classPlain jsClass = iota
	classArray
	classFunction
	classError
	classRegExp
	classMap
	classSet
	classBytes  // Uint8Array
	classGlobal // globalThis
	classBox    // what Object("text") makes: in list[0]
)

// jsNative is a builtin function.
type jsNative func(in *interp, this jsv, args []jsv) jsv

// A jsObject is any value that is not primitive.
type jsObject struct {
	class   jsClass
	frozen  bool
	settled bool // all of the program that changes it has run
	run     int
	proto   *jsObject
	props   map[string]jsv
	keys    []string // of props, in the order of making
	list    []jsv    // elements of an array, values of a map or set, bytes
	index   map[jsv]int

	// Functions.
	code   *jsFunc
	ups    []*jsCell
	frame  *jsFrame
	this   jsv
	native jsNative
	make   func(in *interp, args []jsv) jsv
	name   string

	pattern *jsPattern
}

// hole is an element of an array that was never set.
type hole struct{}

// accessor is a property with a getter or a setter.
type accessor struct{ get, set *jsObject }

func (in *interp) newObject() *jsObject {
	in.take(96)
	return &jsObject{run: in.run}
}

func (in *interp) newArray(list []jsv) *jsObject {
	if len(list) > maxElements {
		in.fail("array too long")
	}
	in.take(96 + 16*len(list))
	return &jsObject{class: classArray, list: list, run: in.run}
}

func (in *interp) newNative(name string, f jsNative) *jsObject {
	return &jsObject{class: classFunction, native: f, name: name, run: in.run}
}

func (o *jsObject) set(key string, v jsv) {
	if o.props == nil {
		o.props = map[string]jsv{}
	}
	if _, ok := o.props[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.props[key] = v
}

func (o *jsObject) remove(key string) {
	if _, ok := o.props[key]; !ok {
		return
	}
	delete(o.props, key)
	for i, k := range o.keys {
		if k == key {
			o.keys = append(o.keys[:i:i], o.keys[i+1:]...)
			return
		}
	}
}

// arrayIndex is the index that a key names, or -1.
func arrayIndex(key string) int {
	if len(key) == 0 || len(key) > 9 || key[0] == '0' && len(key) > 1 {
		return -1
	}
	n := 0
	for i := 0; i < len(key); i++ {
		if key[i] < '0' || key[i] > '9' {
			return -1
		}
		n = n*10 + int(key[i]-'0')
	}
	return n
}

func indexOf(v jsv) int {
	if n, ok := v.(float64); ok && n >= 0 && n < 1<<31 && n == math.Trunc(n) {
		return int(n)
	}
	return -1
}

// ownKeys lists the enumerable own keys, integers first as the language has it.
func (in *interp) ownKeys(v jsv) []string {
	switch v := flat(v).(type) {
	case string:
		out := make([]string, in.length(v))
		for i := range out {
			out[i] = strconv.Itoa(i)
		}
		in.take(24 * len(out))
		return out
	case *jsObject:
		in.work(len(v.list) + len(v.keys))
		if v.class == classGlobal || v.class == classBox {
			in.fail("keys of a host object")
		}
		var out []string
		if v.class == classArray || v.class == classBytes {
			for i, e := range v.list {
				if e != (hole{}) {
					out = append(out, strconv.Itoa(i))
				}
			}
		}
		var numbers []int
		for _, k := range v.keys {
			if i := arrayIndex(k); i >= 0 {
				numbers = append(numbers, i)
			}
		}
		sort.Ints(numbers)
		for _, n := range numbers {
			out = append(out, strconv.Itoa(n))
		}
		for _, k := range v.keys {
			if arrayIndex(k) < 0 && v.class != classError {
				out = append(out, k)
			}
		}
		in.take(24 * len(out))
		return out
	case unknown:
		in.fail("keys of something that is not known")
	}
	return nil
}

// index is v[key].
func (in *interp) index(v, key jsv) jsv {
	in.tick()
	if i := indexOf(key); i >= 0 {
		switch v := v.(type) {
		case *jsObject:
			if v.class == classArray || v.class == classBytes {
				if i < len(v.list) && v.list[i] != (hole{}) {
					return v.list[i]
				}
				return undefined{}
			}
		case string, *jsRope:
			if s := flat(v).(string); i < in.length(s) {
				return in.slice(s, i, i+1)
			}
			return undefined{}
		}
	}
	if _, host := key.(unknown); host {
		return unknown{}
	}
	return in.get(v, in.str(key))
}

// get is v.key.
func (in *interp) get(v jsv, key string) jsv {
	in.tick()
	switch v := v.(type) {
	case nil:
		in.throw("TypeError", "Cannot read properties of null (reading '"+key+"')")
	case undefined:
		in.throw("TypeError", "Cannot read properties of undefined (reading '"+key+"')")
	case unknown:
		return v
	case *jsRope:
		if key == "length" {
			return float64(v.units)
		}
		return in.get(flat(v), key)
	case string:
		if key == "length" {
			return float64(in.length(v))
		}
		if i := arrayIndex(key); i >= 0 && i < in.length(v) {
			return in.slice(v, i, i+1)
		}
	case *jsObject:
		if out, ok := in.own(v, key, v); ok {
			return out
		}
	}
	if m := in.method(v, key); m != nil {
		return in.newNative(key, m)
	}
	if key == "constructor" {
		if name := in.constructorOf(v); name != "" {
			return in.global(name)
		}
		return unknown{}
	}
	if key == "__proto__" {
		return unknown{}
	}
	return undefined{}
}

// own looks a property up in an object and its prototypes.
func (in *interp) own(o *jsObject, key string, this jsv) (jsv, bool) {
	for depth := 0; o != nil; o, depth = o.proto, depth+1 {
		if depth > 64 {
			in.fail("prototypes too deep")
		}
		if v, ok := o.props[key]; ok {
			if a, ok := v.(accessor); ok {
				if a.get == nil {
					return undefined{}, true
				}
				return in.call(a.get, this, nil), true
			}
			return v, true
		}
		if v, ok := in.special(o, key); ok {
			return v, true
		}
	}
	return nil, false
}

// special gives the properties that are not kept in props.
func (in *interp) special(o *jsObject, key string) (jsv, bool) {
	switch o.class {
	case classArray, classBytes:
		if key == "length" || o.class == classBytes && key == "byteLength" {
			return float64(len(o.list)), true
		}
		if i := arrayIndex(key); i >= 0 && i < len(o.list) && o.list[i] != (hole{}) {
			return o.list[i], true
		}
	case classMap, classSet:
		if key == "size" {
			return float64(len(o.index)), true
		}
	case classGlobal:
		return in.global(key), true
	case classRegExp:
		return o.pattern.property(key)
	case classBox:
		if key == "length" {
			return in.get(o.list[0], key), true
		}
	case classFunction:
		switch key {
		case "name":
			return o.name, true
		case "length":
			if o.code != nil {
				return float64(o.code.length), true
			}
			return unknown{}, true
		case "prototype":
			if o.code != nil && !o.code.arrow {
				p := in.newObject()
				p.set("constructor", o)
				o.set("prototype", p)
				return p, true
			}
			return unknown{}, true
		}
	}
	return nil, false
}

// put is v[key] = x.
func (in *interp) put(v, key, x jsv) {
	in.tick()
	o, ok := v.(*jsObject)
	if !ok {
		switch v.(type) {
		case nil, undefined:
			in.throw("TypeError", "Cannot set properties of undefined")
		case unknown:
			in.fail("change of something that is not known")
		}
		return
	}
	if _, host := key.(unknown); host || o.class == classGlobal {
		in.fail("change of something that is not known")
	}
	if o.run != in.run && o.class == classArray {
		in.shared++ // a cache that is half filled does no harm, an array half turned does
	}
	if o.frozen {
		return
	}
	if o.class == classArray || o.class == classBytes {
		i := indexOf(key)
		if i < 0 {
			i = arrayIndex(in.str(key))
		}
		if i >= 0 {
			in.putElement(o, i, x)
			return
		}
	}
	k := in.str(key)
	if o.class == classArray && k == "length" {
		in.resize(o, in.integer(x))
		return
	}
	for p := o; p != nil; p = p.proto {
		if a, ok := p.props[k].(accessor); ok {
			if a.set != nil {
				in.call(a.set, o, []jsv{x})
			}
			return
		}
	}
	if k == "__proto__" {
		in.fail("change of a prototype")
	}
	if _, ok := o.props[k]; !ok {
		in.take(64 + len(k))
		if len(o.keys) >= maxElements {
			in.fail("object too large")
		}
	}
	o.set(k, x)
}

func (in *interp) putElement(o *jsObject, i int, x jsv) {
	if o.class == classBytes {
		if i < len(o.list) {
			o.list[i] = float64(uint8(in.int32(x)))
		}
		return
	}
	if i >= len(o.list) {
		in.resize(o, float64(i+1))
	}
	o.list[i] = x
}

func (in *interp) resize(o *jsObject, length float64) {
	if length < 0 || length > maxElements {
		in.fail("array too long")
	}
	n := int(length)
	if n < len(o.list) {
		o.list = o.list[:n:n]
		return
	}
	in.take(16 * (n - len(o.list)))
	for len(o.list) < n {
		o.list = append(o.list, hole{})
	}
}
