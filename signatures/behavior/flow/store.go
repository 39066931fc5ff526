package flow

import (
	"github.com/tdewolff/parse/v2/js"
)

// store is what the extension keeps in chrome.storage.
func (e *Engine) store() *object {
	o := e.links.stored["ext"]
	if o == nil {
		o = e.newObject("")
		e.links.stored["ext"] = o
	}
	return o
}

func (e *Engine) storeAll(f *activation, c call) {
	for _, o := range c.arg(0).orEmpty().objs {
		for _, k := range o.keys {
			if cell := o.field(k); cell.live() {
				e.set(f, e.store(), k, e.marked(f, c.node, e.read(f, cell)))
			}
		}
		if o.rest != nil {
			e.setRest(f, e.store(), e.marked(f, c.node, e.read(f, o.rest)))
		}
	}
	if ts := c.arg(0).allTaints(); len(ts) > 0 {
		e.setRest(f, e.store(), anything.tainted(e.via(f, c.node, ts, "keeps it in the extension's storage")))
	}
}

// marked adds a step to the taints of v and to those deep inside.
func (e *Engine) marked(f *activation, node js.INode, v *value) *value {
	ts := e.deepTaints(f, v)
	if len(ts) == 0 || v == nil {
		return v
	}
	e.sink(f, node, sinkStorage, nil, typed(ts), "keeps it in the extension's storage")
	w := *v
	w.taints = e.via(f, node, ts, "keeps it in the extension's storage")
	return &w
}

// loadStored is what storage.get gives: what was stored under the keys, or anything.
func (e *Engine) loadStored(f *activation, c call) *value {
	out := e.alloc(f, c.node, "stored")
	keys := e.storageKeys(f, c.arg(0))
	if len(keys) == 0 {
		t := e.newTaint(f, c.node, srcStorage, "", "reads the extension's storage")
		e.watch(f, e.store())
		for _, k := range e.store().keys {
			e.set(f, out, k, e.stored(f, c.node, k))
		}
		e.setRest(f, out, taintValue(t))
		if e.store().rest != nil && e.store().rest.ever != nil { // kept under names that are made while it runs
			e.setRest(f, out, e.read(f, e.store().rest))
		}
		return objectValue(out)
	}
	for _, k := range keys {
		e.set(f, out, k, e.stored(f, c.node, k))
	}
	return objectValue(out)
}

func (e *Engine) stored(f *activation, node js.INode, key string) *value {
	t := e.newTaint(f, node, srcStorage, key, "reads "+key+" from the extension's storage")
	v := e.get(f, e.store(), key)
	e.note(f, e.store().others()) // what is stored later under a name that is made may be this one
	return join(join(v, taintValue(t)), objectValue(e.listUnder(key)))
}

// listUnder is the list that may be stored under a key: what is pushed to it before it is stored again is in it for
// whoever reads it later.
func (e *Engine) listUnder(key string) *object {
	const maxKeys = 200
	key = "list:" + key
	o := e.links.stored[key]
	if o == nil {
		if len(e.links.stored) > maxKeys {
			key = "list:"
			if o = e.links.stored[key]; o != nil {
				return o
			}
		}
		o = e.newObject("Array")
		e.links.stored[key] = o
	}
	return o
}

func (e *Engine) storageKeys(f *activation, v *value) []string {
	if v == nil {
		return nil
	}
	var out []string
	for _, a := range v.atoms {
		if a.kind == aString {
			out = append(out, a.s)
		}
	}
	for _, o := range v.objs {
		if o.class == "Array" {
			for _, i := range e.items(f, objectValue(o)) {
				out = append(out, i.texts()...)
			}
			continue
		}
		for _, k := range o.keys {
			if o.field(k).live() {
				out = append(out, k)
			}
		}
	}
	return out
}

// changes is the argument of storage.onChanged.
func (e *Engine) changes(f *activation, node js.INode) *value {
	out := e.alloc(f, node, "stored")
	change := func(v *value) *value {
		o := e.newObject("")
		e.set(f, o, "newValue", v)
		e.set(f, o, "oldValue", v)
		return objectValue(o)
	}
	e.watch(f, e.store())
	for _, k := range e.store().keys {
		if e.store().field(k).live() && out.field(k) == nil {
			e.set(f, out, k, change(e.stored(f, node, k)))
		}
	}
	if out.rest == nil {
		e.setRest(f, out, change(taintValue(e.newTaint(f, node, srcStorage, "", "watches the extension's storage"))))
	}
	return objectValue(out)
}

// typed are those taints that are keys pressed in pages.
func typed(ts []*taint) []*taint {
	var out []*taint
	for _, t := range ts {
		if t.source != srcKeys {
			continue
		}
		l := t.way
		for l.prev != nil {
			l = l.prev
		}
		if l.at.u.InPage() {
			out = append(out, t)
		}
	}
	return out
}
