package fold

import (
	"github.com/tdewolff/parse/v2/js"
)

// The interpreter evaluates code that works on nothing but its own values: no host object, no clock, no randomness. What it
// doesn't know is the value unknown; what would need it fails. Failing and JavaScript's exceptions travel as panics of the
// private types below, as they do in encoding/json, and never leave folder's methods.

const (
	maxStringBytes = 8 << 20  // of one text: the largest script that is read at all
	maxHeapBytes   = 96 << 20 // of all texts and arrays made by one evaluation, whether still used or not
	maxCallDepth   = 400      // decoders recurse a few calls deep; JSON walkers some dozens
	maxCodeDepth   = 400      // nesting of one function's code
	maxElements    = 1 << 20  // of one array
)

// jsv is a JavaScript value: nil for null, undefined, bool, float64, string (UTF-8, lone surrogates as three bytes),
// *jsRope, *jsObject, or unknown.
type jsv = any

// undefined is JavaScript's undefined.
type undefined struct{}

// unknown is a value that only a browser could give.
type unknown struct{}

// failure ends an evaluation: code can't catch it.
type failure struct{ why string }

// thrown is an exception of the evaluated code.
type thrown struct{ value jsv }

// An interp holds what evaluations of one script share.
type interp struct {
	steps   int // left for this evaluation
	heap    int // bytes left for this evaluation
	depth   int
	runs    int  // evaluations so far
	run     int  // number of the evaluation, to tell its own objects from older ones
	shared  int  // how often this evaluation changed older objects
	asking  bool // only a question: the program would not run this code now, so it may not turn older arrays
	statics func(*js.Var) *staticVar
	texts   func(*js.FuncDecl) (string, bool)
	known   map[*js.FuncDecl]jsv // texts of functions that were asked for
	globals map[string]jsv
	wides   [4]wideText
	nextW   int
	code    []string // texts given to eval or Function
	regexps map[string]*jsPattern
}

func (in *interp) fail(why string) { panic(failure{why}) }

// throw raises an exception as the language itself does.
func (in *interp) throw(kind, message string) {
	in.work(1000) // what carries it costs as much as many steps do
	e := in.newObject()
	e.class = classError
	e.set("name", kind)
	e.set("message", message)
	panic(thrown{e})
}

func (in *interp) tick() {
	if in.steps--; in.steps < 0 {
		in.fail("too many steps")
	}
}

// work counts n cheap inner steps of a builtin.
func (in *interp) work(n int) {
	if in.steps -= n/16 + 1; in.steps < 0 {
		in.fail("too many steps")
	}
}

// take counts memory.
func (in *interp) take(n int) {
	if in.heap -= n; in.heap < 0 {
		in.fail("too much memory")
	}
}

// attempt runs f and reports whether it came to its end. An exception that nobody catches is a failure too.
func (in *interp) attempt(f func()) (ok bool) {
	depth := in.depth
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure, thrown:
			in.depth = depth
			ok = false
		default:
			panic(r)
		}
	}()
	f()
	return true
}

// catch runs f and returns the exception that left it.
func (in *interp) catch(f func()) (exception *thrown) {
	depth := in.depth
	defer func() {
		switch r := recover().(type) {
		case nil:
		case thrown:
			in.depth = depth
			exception = &r
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// A jsFrame is one running call.
type jsFrame struct {
	in    *interp
	slots []*jsCell
	ups   []*jsCell
	this  jsv
	args  []jsv
	outer *jsFrame // of an arrow function: where its this and arguments are
	ret   jsv
	label string // target of a running break or continue
}

// A jsCell is one variable.
type jsCell struct{ v jsv }

func (f *jsFrame) cell(i int) *jsCell {
	if c := f.slots[i]; c != nil {
		return c
	}
	c := &jsCell{undefined{}}
	f.slots[i] = c
	return c
}

// A jsFunc is a compiled function.
type jsFunc struct {
	name     string
	arrow    bool
	slots    int
	length   int
	self     int // slot of the function's own name, -1 without
	fresh    []int
	captures []jsCapture
	params   []jsBind
	rest     jsBind
	body     jsStep
	decl     *js.FuncDecl // nil for arrow functions and methods
}

// A jsCapture says where a closure finds an outer variable when it is made.
type jsCapture struct {
	fromUp bool
	index  int
}

// call calls a function value.
func (in *interp) call(fn, this jsv, args []jsv) jsv {
	in.tick()
	o, ok := fn.(*jsObject)
	if !ok || o.class != classFunction {
		if _, host := fn.(unknown); host {
			in.fail("call of a function that is not known")
		}
		in.throw("TypeError", "not a function")
	}
	if in.depth++; in.depth > maxCallDepth {
		in.fail("calls too deep")
	}
	var out jsv
	if o.native != nil {
		out = o.native(in, this, args)
	} else {
		out = in.enter(o, this, args)
	}
	in.depth--
	return out
}

func (in *interp) enter(o *jsObject, this jsv, args []jsv) jsv {
	fn := o.code
	in.take(64 + 24*fn.slots)
	f := &jsFrame{in: in, slots: make([]*jsCell, fn.slots), ups: o.ups, this: this, args: args, ret: undefined{}}
	if fn.arrow {
		f.outer = o.frame
		f.this = o.this
	} else if _, none := this.(undefined); none {
		f.this = unknown{} // the global object in sloppy code
	}
	for _, i := range fn.fresh {
		f.slots[i] = &jsCell{undefined{}}
	}
	if fn.self >= 0 {
		f.slots[fn.self].v = o
	}
	for i, bind := range fn.params {
		var v jsv = undefined{}
		if i < len(args) {
			v = args[i]
		}
		bind(f, v)
	}
	if fn.rest != nil {
		var more []jsv
		if len(args) > len(fn.params) {
			more = append(more, args[len(fn.params):]...)
		}
		fn.rest(f, in.newArray(more))
	}
	fn.body(f)
	return f.ret
}

// construct is `new fn(args)`.
func (in *interp) construct(fn jsv, args []jsv) jsv {
	o, ok := fn.(*jsObject)
	if !ok || o.class != classFunction {
		in.fail("new of something that is not known")
	}
	if o.make != nil {
		in.tick()
		return o.make(in, args)
	}
	if o.native != nil || o.code.arrow {
		in.throw("TypeError", "not a constructor")
	}
	this := in.newObject()
	if p, ok := in.get(o, "prototype").(*jsObject); ok {
		this.proto = p
	}
	if r, ok := in.call(o, this, args).(*jsObject); ok {
		return r
	}
	return this
}
