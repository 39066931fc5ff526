package flow

import (
	"slices"

	"github.com/tdewolff/parse/v2/js"
)

// A cell is a place that holds a value: a variable or a field. now is what the code that owns it sees as it runs; ever
// is the join of all that it held, which is what others see, since nobody knows when they run.
type cell struct {
	now, ever *value
	home      *entry // the run that declared it
	cond      int    // how many conditions enclosed its declaration
	readers   []*entry
	getter    *closure
	setter    *closure
}

// maxReaders bounds the runs that a cell knows; further readers are not run again when it changes.
const maxReaders = 200

// An env holds the variables of one run of a function, those of its inner blocks included: tdewolff gives every
// declaration its own *js.Var.
type env struct {
	parent *env
	id     int
	names  []*js.Var
	cells  []*cell
	index  map[*js.Var]*cell // when there are many
}

// manyVars is the number of variables from which on they are found by a map.
const manyVars = 12

func (s *env) own(v *js.Var) *cell {
	if s.index != nil {
		return s.index[v]
	}
	for i, n := range s.names {
		if n == v {
			return s.cells[i]
		}
	}
	return nil
}

// put sets the cell of a variable that may have one.
func (s *env) put(v *js.Var, c *cell) {
	for i, n := range s.names {
		if n == v {
			s.cells[i] = c
			if s.index != nil {
				s.index[v] = c
			}
			return
		}
	}
	s.add(v, c)
}

// reserve makes room for n more variables.
func (s *env) reserve(n int) { s.names, s.cells = slices.Grow(s.names, n), slices.Grow(s.cells, n) }

// add sets the cell of a variable that has none.
func (s *env) add(v *js.Var, c *cell) {
	s.names, s.cells = append(s.names, v), append(s.cells, c)
	if s.index != nil {
		s.index[v] = c
	} else if len(s.names) > manyVars {
		s.index = make(map[*js.Var]*cell, 2*len(s.names))
		for i, n := range s.names {
			s.index[n] = s.cells[i]
		}
	}
}

func (s *env) find(v *js.Var) *cell {
	for ; s != nil; s = s.parent {
		if c := s.own(v); c != nil {
			return c
		}
	}
	return nil
}

func resolve(v *js.Var) *js.Var {
	for v.Link != nil {
		v = v.Link
	}
	return v
}

// An entry is one run of a function (or of a script) with certain arguments. It keeps what it allocated, so that running
// it again, after something that it read has changed, grows the same objects instead of making new ones.
type entry struct {
	info    *code
	env     *env
	allocs  allocTable
	parents []*entry
	task    *job
	result  *value
	cl      *closure // to run it again
	call    call
	running bool
	stale   bool // something that it read has changed while it ran
	queued  bool
	runs    int

	recursed bool // it was called while it ran
}

// An allocKey names what a run allocates at a node.
type allocKey struct {
	node js.INode
	kind string
}

// An allocTable holds the *object or *closure of each key. Most runs make few.
type allocTable struct {
	list  []allocation
	index map[allocKey]any
}

type allocation struct {
	key  allocKey
	made any
}

const manyAllocs = 8

func (t *allocTable) get(k allocKey) any {
	if t.index != nil {
		return t.index[k]
	}
	for i := range t.list {
		if t.list[i].key == k {
			return t.list[i].made
		}
	}
	return nil
}

func (t *allocTable) put(k allocKey, made any) {
	if t.index != nil {
		t.index[k] = made
		return
	}
	if len(t.list) < manyAllocs {
		t.list = append(t.list, allocation{k, made})
		return
	}
	t.index = make(map[allocKey]any, 4*manyAllocs)
	for _, a := range t.list {
		t.index[a.key] = a.made
	}
	t.list = nil
	t.index[k] = made
}

// A closure is a function with the variables around it, or one of the engine's own.
type closure struct {
	id      int
	u       *Script
	info    *code
	env     *env
	this    *value // of an arrow function, or bound
	bound   []*value
	isBound bool
	met     bool   // it has been called
	alone   *value // closureValue
	props   *object
	home    *object // whose method it is; for super
	native  func(e *Engine, f *activation, c call) *value
	name    string
}

// code is what the engine knows about one function of the source.
type code struct {
	size                    int32 // nodes
	heat                    heat  // of a function that was measured
	node                    js.INode
	u                       *Script
	params                  *js.Params
	body                    *js.BlockStmt
	name                    string
	arrow, async, generator bool
	steps                   bool          // it drives the steps of another function
	awaits                  bool          // it makes a promise of a generator
	states                  bool          // a generator, as regenerator writes it
	marked                  bool          // it makes such a generator
	spreads                 bool          // it gives what it was given, as a list
	requires                bool          // the require of webpack's runtime
	buffers                 bool          // it makes bytes for whoever asks, and nothing else
	class                   *js.ClassDecl // set for a constructor made from a class
	memo                    map[uint64]*entry
	runs                    int
	met                     int // closures that were called
	again                   int // steps of repeated runs
	executed                bool
	asked                   bool             // whether it names something hot
	kept                    map[*js.Var]bool // variables whose results it keeps
	handed                  bool             // to a function that keeps its result
	enlisted                map[*js.Var]bool // parameters that it puts under a key or into a list
	summary                 *summary
	result                  *value
}

// A summary is about the calls of a function past the bounds of runs with arguments of their own. Calls that bring data
// of a source do not meet those that do not: else all that a helper returns would be that data.
type summary struct {
	plain, tainted joined
	runs           int // of plain calls with arguments of their own
}

// A joined run has the arguments of many calls.
type joined struct {
	entry *entry
	args  []*value
	this  *value
}

// An object is something with fields. Its class says which of the engine's behaviours it has: "Array", "Promise",
// "element", …; "" is a plain object.
type object struct {
	id     int
	class  string
	keys   []string         // in the order of creation
	cells  []*cell          // of the keys
	index  map[string]*cell // when there are many
	grown  []*entry         // readers of all fields, present and future
	alone  *value           // objectValue
	rest   *cell            // fields whose name is not known, elements of arrays past the bound
	protos []*object
	info   *details

	joining bool // its text is being made
	search  int  // the last search for what flows that came by
}

// details are what the engine keeps about an object of the browser.
type details struct {
	tag      string    // of an element
	selector string    // how an element was found
	url      *value    // of a request, socket, frame
	taints   []*taint  // collected contents
	channel  string    // of a port
	opened   js.IExpr  // what a request's address is written as
	handlers []handler // listeners and promise reactions
	own      bool      // an element that the code made itself
	kin      *kinship  // where it stands
}

type handler struct {
	event string
	fn    *value
	out   *object
	node  js.INode
}

// An activation is the state of one run while it lasts.
type activation struct {
	u      *Script
	entry  *entry
	env    *env
	fn     *closure
	this   *value
	args   []*value
	cond   int
	near   int // offset of the literal that was seen last
	ret    *value
	yields *value
	module *object  // exports of an ES module
	given  js.IExpr // what is being assigned to a member
}

// A call is the arguments of a call.
type call struct {
	node  js.INode
	name  string // as called, for the description
	this  *value
	args  []*value
	isNew bool
	given *value // the list that its arguments are, when they are one
}

func (c call) arg(i int) *value {
	if i >= 0 && i < len(c.args) {
		return c.args[i]
	}
	return nil
}

// maxFields bounds the fields of one object; further ones are joined under an unknown name.
const maxFields = 4096

func (e *Engine) newObject(class string) *object {
	e.ids++
	return &object{id: e.ids, class: class}
}

func (o *object) field(name string) *cell {
	if o.index != nil {
		return o.index[name]
	}
	for i, k := range o.keys {
		if k == name {
			return o.cells[i]
		}
	}
	return nil
}

func (o *object) ensure(name string) *cell {
	if c := o.field(name); c != nil {
		return c
	}
	if len(o.keys) >= maxFields {
		return o.others()
	}
	c := &cell{}
	o.add(name, c)
	return c
}

// add makes a cell the field of a name that the object lacks.
func (o *object) add(name string, c *cell) {
	o.keys, o.cells = append(o.keys, name), append(o.cells, c)
	if o.index != nil {
		o.index[name] = c
		return
	}
	if len(o.keys) > manyFields {
		o.index = make(map[string]*cell, 2*len(o.keys))
		for i, k := range o.keys {
			o.index[k] = o.cells[i]
		}
	}
}

// replace makes a cell the field of a name.
func (o *object) replace(name string, c *cell) {
	if i := slices.Index(o.keys, name); i >= 0 {
		o.cells[i] = c
		if o.index != nil {
			o.index[name] = c
		}
		return
	}
	o.add(name, c)
}

// manyFields is the number of fields from which on they are found by a map.
const manyFields = 10

func (o *object) others() *cell {
	if o.rest == nil {
		o.rest = &cell{}
	}
	return o.rest
}

func (o *object) more() *details {
	if o.info == nil {
		o.info = &details{}
	}
	return o.info
}

// lookup finds a field in the object or what it inherits from.
func (o *object) lookup(name string, depth int) *cell {
	if c := o.field(name); c != nil {
		return c
	}
	if depth > 12 {
		return nil
	}
	for _, p := range o.protos {
		if c := p.lookup(name, depth+1); c != nil {
			return c
		}
	}
	return nil
}
