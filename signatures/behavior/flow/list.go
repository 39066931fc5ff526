package flow

import (
	"strconv"
)

// exactItems are the elements of v when it is one array all of whose elements are known one by one.
func (e *Engine) exactItems(f *activation, v *value) ([]*value, bool) {
	if v == nil || v.any || len(v.objs) != 1 || v.objs[0].class != "Array" || v.objs[0].rest != nil ||
		len(v.paths)+len(v.fns) > 0 {
		return nil, false
	}
	e.watch(f, v.objs[0])
	return e.sequence(f, v, v.objs[0].count()), true
}

// sequence returns the first n elements of v.
func (e *Engine) sequence(f *activation, v *value, n int) []*value {
	out := make([]*value, min(n, maxFields))
	if v == nil {
		return out
	}
	for i := range out {
		for _, o := range v.objs {
			switch o.class {
			case "Array":
				out[i] = join(out[i], e.get(f, o, strconv.Itoa(i)))
			default:
				out[i] = join(out[i], e.elementOf(f, o))
			}
		}
		if len(v.taints) > 0 {
			out[i] = join(out[i], taintValue(v.taints...))
		} else if v.any || len(v.paths) > 0 {
			out[i] = join(out[i], anything)
		}
	}
	for _, a := range v.atoms {
		if a.kind == aString {
			for i := range out {
				out[i] = join(out[i], anything)
			}
		}
	}
	return out
}

// items are the elements of v for a loop: one by one when they are known, else one for all.
func (e *Engine) items(f *activation, v *value) []*value {
	if items, exact := e.exactItems(f, v); exact {
		return items
	}
	if el := e.element(f, v); el != nil {
		return []*value{el}
	}
	return nil
}

// element is any element of v.
func (e *Engine) element(f *activation, v *value) *value {
	if v == nil {
		return nil
	}
	var out *value
	for _, o := range v.objs {
		out = join(out, e.elementOf(f, o))
	}
	if len(v.taints) > 0 {
		out = join(out, taintValue(v.taints...))
	} else if v.any || len(v.paths) > 0 {
		out = join(out, anything)
	}
	for _, a := range v.atoms {
		if a.kind == aString {
			out = join(out, anything)
		}
	}
	return out
}

func (e *Engine) elementOf(f *activation, o *object) *value {
	switch o.class {
	case "Generator", "AsyncGenerator":
		return e.get(f, o, "yields")
	case "Map":
		pair := e.newObject("Array")
		pair.ensure("0").ever = anything
		pair.ensure("1").ever = e.whole(f, o)
		return join(objectValue(pair), anything)
	case "elements":
		return e.nodeOfList(f, o)
	}
	v := e.whole(f, o)
	if ts := o.contents(); len(ts) > 0 {
		v = join(v, taintValue(ts...))
	}
	return v
}

// keysOf are the keys that for-in sees.
func (e *Engine) keysOf(f *activation, v *value) []*value {
	if v == nil {
		return nil
	}
	var out []*value
	open := v.any || len(v.taints) > 0 || len(v.paths) > 0
	for _, o := range v.objs {
		e.watch(f, o)
		for i, k := range o.keys {
			if len(out) < maxFields && o.cells[i].live() {
				out = append(out, textValue(k))
			}
		}
		open = open || o.rest != nil
	}
	for _, c := range v.fns {
		for _, k := range e.props(c).keys {
			out = append(out, textValue(k))
		}
	}
	if open {
		out = append(out, anything.tainted(v.taints))
	}
	return out
}

// deepTaints collects what is in v and in the objects that it holds.
func (e *Engine) deepTaints(f *activation, v *value) []*taint {
	if v != nil && len(v.paths) > 0 && f.u.InPage() {
		for _, p := range v.paths {
			if p == "localStorage" || p == "sessionStorage" {
				v = v.tainted(e.storageItem(f, nil, p, nil).taints)
			}
		}
	}
	if v == nil || len(v.objs) == 0 {
		return v.allTaints()
	}
	e.searches, e.met = e.searches+1, 0
	return e.collect(f, v, nil, 120, 0)
}

// shallow is the number of objects that nearTaints looks at.
const shallow = 4

// nearTaints is deepTaints for calls of what is not known, of which there are many: it looks at few objects.
func (e *Engine) nearTaints(f *activation, args []*value) []*taint {
	if e.tainted == 0 {
		return nil
	}
	var ts []*taint
	e.searches, e.met = e.searches+1, 0
	for _, a := range args {
		if a == nil {
			continue
		}
		if len(a.objs) == 0 {
			ts = joinTaints(ts, a.taints)
			continue
		}
		ts = e.collect(f, a, ts, shallow, 5)
	}
	return ts
}

// collect adds what is in v and in objects that this search has not met.
func (e *Engine) collect(f *activation, v *value, ts []*taint, limit, depth int) []*taint {
	const maxDeep = 6
	if v == nil {
		return ts
	}
	ts = joinTaints(ts, v.taints)
	for _, o := range v.objs {
		if o.search == e.searches || depth > maxDeep || e.met > limit {
			continue
		}
		o.search = e.searches
		e.met++
		if limit > shallow { // what a listener puts in later reaches the one that sends
			e.watch(f, o)
		}
		if o.class == "global" || o.class == "element" || o.class == "port" || o.class == "function" {
			continue
		}
		ts = joinTaints(ts, o.contents())
		for _, c := range o.cells {
			ts = e.collect(f, e.read(f, c), ts, limit, depth+1)
		}
		if o.rest != nil {
			ts = e.collect(f, e.read(f, o.rest), ts, limit, depth+1)
		}
	}
	return ts
}
