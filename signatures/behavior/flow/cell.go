package flow

import "slices"

// read returns what a cell may hold, and notes the reader.
func (e *Engine) read(f *activation, c *cell) *value {
	if c.home != nil && c.home == f.entry {
		return c.now
	}
	e.note(f, c)
	return c.ever
}

func (e *Engine) note(f *activation, c *cell) {
	c.readers = noted(c.readers, f.entry)
}

// noted adds a reader to a list that lacks it.
func noted(readers []*entry, r *entry) []*entry {
	n := len(readers)
	if n >= maxReaders {
		return readers
	}
	for i := n - 1; i >= 0; i-- { // who reads now has mostly read before, and not long ago
		if readers[i] == r {
			return readers
		}
	}
	return append(readers, r)
}

// write stores v. It replaces what was there only when the run that owns the variable does so unconditionally.
func (e *Engine) write(f *activation, c *cell, v *value) {
	if v == nil {
		v = undef
	}
	if c.home != nil && c.home == f.entry && f.cond <= c.cond {
		c.now = v
	} else {
		c.now = join(c.now, v)
	}
	e.grow(c, v)
}

func (e *Engine) grow(c *cell, v *value) {
	old := c.ever
	ever := join(old, v)
	if ever == old {
		return
	}
	c.ever = ever
	e.version++
	if len(c.readers) == 0 || !e.telling(old, ever) {
		return
	}
	readers := c.readers
	c.readers = nil
	for _, r := range readers {
		e.spoil(r)
	}
}

// telling says whether those who saw the old value would do anything else with the new one.
func (e *Engine) telling(old, ever *value) bool {
	old = old.orEmpty()
	if len(ever.taints) > len(old.taints) || len(ever.fns) > len(old.fns) {
		return true
	}
	if e.uncalled { // then it counts only what data and which functions come together
		return false
	}
	if len(ever.objs) > len(old.objs) || len(ever.paths) > len(old.paths) {
		return true
	}
	// That a constant was no constant is not told: a branch that was left out for it is looked at in the end.
	for _, a := range ever.atoms[min(len(old.atoms), len(ever.atoms)):] {
		if a.kind == aString && len(a.s) > 3 {
			return true
		}
	}
	return false
}

// spoil has a run done again, because something that it read has changed. Those that called it are run again only when
// its result changes, too.
func (e *Engine) spoil(r *entry) {
	switch {
	case r.running:
		r.stale = true
	case r.queued || r.runs >= r.maxRepeats():
	case r.task != nil:
		e.enqueue(r.task)
	case r.cl != nil:
		r.queued = true
		e.dirty = append(e.dirty, r)
	}
}

// maxAgain is how many steps the repetitions of one function may take before each of its runs is repeated only once.
const maxAgain = 1500

// maxRepeats bounds the repetitions of one run; large functions are seldom worth it.
func (r *entry) maxRepeats() int {
	switch {
	case r.info == nil:
		return maxTaskRuns
	case r.info.size > 10_000, r.info.again > maxAgain:
		return 2
	case r.info.size > 500:
		return 3
	}
	return 4
}

// get reads a field of an object without running getters.
func (e *Engine) get(f *activation, o *object, name string) *value {
	c := o.lookup(name, 0)
	if c == nil {
		c = o.ensure(name) // so that a later write reaches this reader
		e.note(f, c)
		return e.unnamed(f, o, name)
	}
	v := e.read(f, c)
	if o.rest != nil && !c.settled() {
		v = join(v, e.unnamed(f, o, name))
	}
	return v
}

// unnamed is what a member may be of which it is only known that something was stored under some name.
func (e *Engine) unnamed(f *activation, o *object, name string) *value {
	if o.rest == nil {
		return nil
	}
	v := e.read(f, o.rest)
	if v != nil && len(v.taints) > 0 && forEverybody(name) {
		part := *v
		part.taints, part.any = withoutSecrets(v.taints), true
		return &part
	}
	return v
}

// settled says whether a member has a value of its own that says something: what is stored under names that are made
// while it runs is then not taken for it.
func (c *cell) settled() bool {
	if c.getter != nil {
		return true
	}
	v := c.ever
	if v == nil {
		return false
	}
	return len(v.objs)+len(v.fns)+len(v.taints) > 0 || slices.ContainsFunc(v.atoms, atom.truthy)
}

func (e *Engine) set(f *activation, o *object, name string, v *value) {
	c := o.ensure(name)
	if c.ever == nil {
		e.grew(o)
	}
	e.write(f, c, v)
}

func (e *Engine) setRest(f *activation, o *object, v *value) {
	if o.rest == nil {
		e.grew(o)
	}
	e.write(f, o.others(), v)
}

// grew tells those who read all fields of o that there is one more.
func (e *Engine) grew(o *object) {
	readers := o.grown
	o.grown = nil
	for _, r := range readers {
		e.spoil(r)
	}
}

func (e *Engine) watch(f *activation, o *object) { o.grown = noted(o.grown, f.entry) }

// live says whether the field was ever set, not only asked for.
func (c *cell) live() bool { return c.ever != nil || c.getter != nil }

// count is the number of elements of an array.
func (o *object) count() int {
	n := 0
	for i, k := range o.keys {
		if k != "" && k[0] >= '0' && k[0] <= '9' && o.cells[i].ever != nil {
			n++
		}
	}
	return n
}

// whole joins all that the object's fields hold.
func (e *Engine) whole(f *activation, o *object) *value {
	known := &e.wholes[o.id&(len(e.wholes)-1)]
	if known.o == o && known.reader == f.entry && known.version == e.version && known.cells == len(o.cells) && known.rest == o.rest {
		return known.v
	}
	var all joiner
	e.watch(f, o)
	own := false
	for _, c := range o.cells {
		all.add(e.read(f, c))
		own = own || c.home != nil // it may be written without a new version
	}
	if o.rest != nil {
		all.add(e.read(f, o.rest))
	}
	if !own {
		*known = wholeValue{o, f.entry, e.version, len(o.cells), o.rest, all.v}
	}
	return all.v
}

// A wholeValue is what whole gave for an object. As long as no cell has grown, it gives the same to the same reader, who
// is noted already.
type wholeValue struct {
	o       *object
	reader  *entry
	version int
	cells   int
	rest    *cell
	v       *value
}
