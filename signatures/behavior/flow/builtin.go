package flow

import (
	"net/url"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// carrier says whether a global function gives back what it gets, in another form.
func carrier(p string) (what string, ok bool) {
	switch p {
	case "JSON.stringify", "btoa", "atob", "encodeURIComponent", "encodeURI", "escape", "unescape", "decodeURIComponent",
		"decodeURI", "String", "structuredClone", "JSON.parse", "Array.from":
		return p, true
	}
	return "", false
}

// builtin calls a function of the language itself.
func (e *Engine) builtin(f *activation, p string, c call) (*value, bool) {
	if ns, name, ok := strings.Cut(p, "."); ok {
		switch ns {
		case "Object":
			return e.objectStatic(f, name, c)
		case "Reflect":
			return e.reflect(f, name, c)
		case "Promise":
			return e.promiseStatic(f, name, c), true
		case "Array":
			return e.arrayStatic(f, name, c)
		case "Math", "Number", "Date", "performance", "console":
			if p == "Number.isNaN" || ns == "console" {
				return anything, true
			}
			return anything.tainted(e.taintsOf(f, c.args)), true
		case "crypto":
			return e.cryptoCall(f, name, c)
		case "String":
			if name == "fromCharCode" || name == "fromCodePoint" {
				return e.charCodes(f, c), true
			}
		}
	}
	if what, ok := carrier(p); ok {
		return e.carry(f, what, c), true
	}
	switch p {
	case "Number", "parseInt", "parseFloat", "BigInt":
		if a, ok := c.arg(0).known(); ok {
			return numberValue(a.number()), true
		}
		return anything.tainted(e.taintsOf(f, c.args)), true
	case "Boolean", "isNaN", "isFinite":
		return aBoolean, true
	case "Array": // as with new
		return e.newPath(f, p, c), true
	case "Symbol", "Symbol.for":
		return anything, true
	case "queueMicrotask", "requestAnimationFrame", "requestIdleCallback", "setImmediate":
		e.callBack(f, c, anything)
		return anything, true
	}
	return nil, false
}

// carry is JSON.stringify, btoa and the like.
func (e *Engine) carry(f *activation, what string, c call) *value {
	v := c.arg(0)
	ts := e.via(f, c.node, e.deepTaints(f, v), what)
	if v == nil {
		return anything
	}
	switch what {
	case "structuredClone":
		return v
	case "Array.from":
		return e.arrayFrom(f, c)
	case "JSON.parse":
		return e.parseJSON(f, c, ts)
	}
	out := &value{}
	for _, a := range v.atoms {
		if s, ok := transform(what, a.text()); ok {
			out = join(out, textValue(s))
			if what == "atob" {
				e.out.folded(s)
			}
		}
	}
	if len(out.atoms) == 0 || v.any {
		out = join(out, anything)
	}
	if what == "JSON.stringify" && len(v.objs) > 0 {
		o := e.alloc(f, c.node, "json")
		e.set(f, o, "value", v)
		e.keepJSON(c.node, o)
		out = join(out, objectValue(o))
	}
	return out.tainted(ts)
}

func (e *Engine) parseJSON(f *activation, c call, ts []*taint) *value {
	v := c.arg(0)
	var out *value
	for _, o := range v.objs {
		if o.class == "json" {
			out = join(out, e.get(f, o, "value"))
		}
	}
	if out != nil && len(v.objs) == 1 && len(out.objs) > 0 {
		return out
	}
	if slices.ContainsFunc(ts, func(t *taint) bool { return t.source == srcRequestBody || t.source == srcWalletRequest }) {
		out = join(out, e.parsed(f, c.node, ts...))
	}
	if kept, rest, ok := e.vaultOf(f, ts); ok {
		return join(join(out, kept), anything.tainted(rest))
	}
	return join(out, anything.tainted(ts))
}

// maxJSON bounds the objects that are known of one call of JSON.stringify.
const maxJSON = 8

// keepJSON notes what a call of JSON.stringify made a text of.
func (e *Engine) keepJSON(node js.INode, o *object) {
	if known := e.jsons[node]; len(known) < maxJSON && !slices.Contains(known, o) {
		e.jsons[node] = append(known, o)
	}
}

// vaultOf is the vault of a wallet, read again: what was made a text of, was encrypted, and is decrypted now. Its members are
// known one by one, so that the address in it is no seed phrase. The rest is data that came another way, or that is in none
// of the objects that are known.
func (e *Engine) vaultOf(f *activation, ts []*taint) (vault *value, rest []*taint, ok bool) {
	for _, t := range ts {
		for _, o := range e.jsons[t.way.sealed()] {
			vault = join(vault, e.get(f, o, "value"))
		}
	}
	if vault == nil {
		return nil, ts, false
	}
	within := e.deepTaints(f, vault)
	rest = slices.DeleteFunc(slices.Clone(ts), func(t *taint) bool {
		return t.source == srcDecrypted || t.way.sealed() != nil && slices.ContainsFunc(within, func(w *taint) bool {
			return w.source == t.source && w.from == t.from
		})
	})
	return vault, rest, true
}

// sealed returns the last call of JSON.stringify on a way whose result was encrypted.
func (l *link) sealed() js.INode {
	encrypted := false
	for ; l != nil; l = l.prev {
		switch {
		case strings.HasPrefix(l.what, "encrypts it"):
			encrypted = true
		case encrypted && l.what == "JSON.stringify":
			return l.at.node
		}
	}
	return nil
}

func transform(what, s string) (string, bool) {
	switch what {
	case "String":
		return s, true
	case "atob":
		return decodeBase64(s)
	case "encodeURIComponent":
		if strings.Contains(s, parties.Gap) {
			return "", false
		}
		return strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), true
	case "decodeURIComponent", "unescape", "decodeURI":
		t, err := url.PathUnescape(s)
		return t, err == nil
	case "encodeURI":
		return s, true
	}
	return "", false
}

func (e *Engine) charCodes(f *activation, c call) *value {
	if s, ok := charsOf(c.args); ok {
		e.out.folded(s)
		return textValue(s)
	}
	v := anything
	for _, o := range c.given.orEmpty().objs { // one of several lists, such as the row of a table
		if len(c.given.objs) == 1 {
			break
		}
		items, exact := e.exactItems(f, objectValue(o))
		if s, ok := charsOf(items); exact && ok {
			e.out.folded(s)
			v = join(v, textValue(s))
		}
	}
	return v.tainted(e.taintsOf(f, c.args))
}

// charsOf is the text of constant character codes.
func charsOf(codes []*value) (string, bool) {
	var b strings.Builder
	for _, a := range codes {
		k, ok := a.known()
		if !ok || k.kind != aNumber || k.n < 1 || k.n > 0x10ffff {
			return "", false
		}
		b.WriteRune(rune(k.n))
	}
	return b.String(), true
}

func (e *Engine) arrayFrom(f *activation, c call) *value {
	o := e.alloc(f, c.node, "Array")
	el := e.element(f, c.arg(0))
	if el == nil {
		el = anything
	}
	if fn := c.arg(1); fn != nil && len(fn.fns) > 0 {
		el = e.callValue(f, fn, call{node: c.node, args: []*value{el, anything}})
	}
	e.setRest(f, o, el)
	return objectValue(o)
}

func (e *Engine) arrayStatic(f *activation, name string, c call) (*value, bool) {
	switch name {
	case "isArray":
		return aBoolean, true
	case "of":
		return e.arrayOf(f, c.node, c.args), true
	case "from":
		return e.arrayFrom(f, c), true
	}
	return nil, false
}

// objectStatic is Object.keys and its like.
func (e *Engine) objectStatic(f *activation, name string, c call) (*value, bool) {
	v := c.arg(0)
	switch name {
	case "freeze", "seal", "preventExtensions":
		if v == nil {
			return anything, true
		}
		return v, true
	case "assign":
		for _, src := range argsFrom(c.args, 1) {
			for _, o := range v.orEmpty().objs {
				if o.class == "element" {
					e.assignElement(f, c.node, o, src)
					continue
				}
				e.spread(f, o, src)
			}
			for _, k := range v.orEmpty().fns {
				e.spread(f, e.props(k), src)
			}
		}
		if v != nil && v.any {
			return v.tainted(e.taintsOf(f, c.args)), true
		}
		return v, true
	case "keys", "getOwnPropertyNames":
		o := e.alloc(f, c.node, "Array")
		return e.list(f, o, e.keysOf(f, v)), true
	case "values":
		o := e.alloc(f, c.node, "Array")
		el := e.element(f, v)
		if el != nil {
			e.setRest(f, o, el)
		}
		return objectValue(o), true
	case "entries":
		return e.entries(f, c), true
	case "fromEntries":
		o := e.alloc(f, c.node, "")
		if el := e.element(f, c.arg(0)); el != nil {
			e.setRest(f, o, anything.tainted(e.deepTaints(f, el)))
		}
		return objectValue(o), true
	case "create":
		o := e.alloc(f, c.node, "")
		for _, p := range v.orEmpty().objs {
			addProto(o, p)
		}
		return join(objectValue(o), &value{paths: v.orEmpty().paths}), true
	case "defineProperty":
		e.defineProperty(f, v, c.arg(1), c.arg(2), c)
		return v, true
	case "defineProperties":
		for _, d := range c.arg(1).orEmpty().objs {
			for _, k := range slices.Clone(d.keys) {
				e.defineProperty(f, v, textValue(k), e.get(f, d, k), c)
			}
		}
		return v, true
	case "setPrototypeOf":
		for _, o := range v.orEmpty().objs {
			for _, p := range c.arg(1).orEmpty().objs {
				addProto(o, p)
			}
		}
		return v, true
	case "getOwnPropertyDescriptor":
		return e.descriptor(f, c), true
	case "getPrototypeOf":
		for _, fn := range v.orEmpty().fns { // its constructor is AsyncFunction or its like
			if fn.info != nil && (fn.info.async || fn.info.generator) {
				return join(anything, closureValue(fn)), true
			}
		}
		return anything, true
	case "getOwnPropertyDescriptors":
		return anything, true
	case "hasOwn", "is", "prototype.hasOwnProperty":
		return aBoolean, true
	}
	return nil, false
}

func (e *Engine) list(f *activation, o *object, items []*value) *value {
	if len(items) <= 256 {
		open := false
		for _, v := range items {
			open = open || v.any
		}
		if !open {
			return e.fill(f, o, items)
		}
	}
	for _, v := range items {
		e.setRest(f, o, v)
	}
	return objectValue(o)
}

func (e *Engine) entries(f *activation, c call) *value {
	out := e.alloc(f, c.node, "Array")
	v := c.arg(0)
	n := 0
	for _, o := range v.orEmpty().objs {
		e.watch(f, o)
		for _, k := range slices.Clone(o.keys) {
			if !o.field(k).live() || n > maxItems {
				continue
			}
			pair := e.pairFor(o, k)
			e.fill(f, pair, []*value{textValue(k), e.readCell(f, o.field(k), objectValue(o))})
			e.set(f, out, showNumber(float64(n)), objectValue(pair))
			n++
		}
	}
	if v == nil || v.any || len(v.taints) > 0 || len(v.paths) > 0 || slices.ContainsFunc(v.objs, func(o *object) bool { return o.rest != nil || o.info != nil }) {
		pair := e.pairFor(out, "")
		el := anything.tainted(e.deepTaints(f, v))
		e.fill(f, pair, []*value{el, el})
		e.setRest(f, out, objectValue(pair))
	}
	return objectValue(out)
}

type pairKey struct {
	o    *object
	name string
}

func (e *Engine) pairFor(o *object, name string) *object {
	key := pairKey{o, name}
	if p := e.links.pairs[key]; p != nil {
		return p
	}
	p := e.newObject("Array")
	e.links.pairs[key] = p
	return p
}

func (e *Engine) defineProperty(f *activation, v, key, desc *value, c call) {
	if v == nil || desc == nil {
		return
	}
	for _, d := range desc.objs {
		if val := e.get(f, d, "value"); val != nil {
			e.setMember(f, c.node, v, key, val)
		}
		get, set := e.get(f, d, "get"), e.get(f, d, "set")
		for _, o := range v.objs {
			for _, n := range namesOf(key) {
				k := o.ensure(n)
				if n == parties.Gap {
					k = o.others()
				}
				for _, fn := range get.orEmpty().fns {
					k.getter = fn
				}
				for _, fn := range set.orEmpty().fns {
					k.setter = fn
				}
			}
		}
		for _, p := range v.paths {
			for _, n := range namesOf(key) {
				if get != nil || set != nil {
					e.hooked(f, c.node, strings.TrimPrefix(p+"."+n, "window."), join(get, set))
					e.awaitWallet(f, c.node, strings.TrimPrefix(p+"."+n, "window."), set)
				}
			}
		}
		e.answered(f, v, key, get, c)
	}
}

func (e *Engine) reflect(f *activation, name string, c call) (*value, bool) {
	switch name {
	case "get":
		return e.member(f, c.node, c.arg(0), c.arg(1)), true
	case "set":
		e.setMember(f, c.node, c.arg(0), c.arg(1), c.arg(2))
		return aBoolean, true
	case "apply":
		k := c
		k.this, k.args = c.arg(1), e.sequenceAll(f, c.arg(2))
		return e.callValue(f, c.arg(0), k), true
	case "construct":
		k := c
		k.args = e.sequenceAll(f, c.arg(1))
		return e.construct(f, c.arg(0), k), true
	case "ownKeys":
		return e.list(f, e.alloc(f, c.node, "Array"), e.keysOf(f, c.arg(0))), true
	}
	return nil, false
}

// fromConstant is the value for a constant of the folder.
func (e *Engine) fromConstant(f *activation, node any, r any, depth int) *value {
	switch x := r.(type) {
	case string:
		return textValue(strings.ReplaceAll(x, parties.Gap, " "))
	case float64:
		return numberValue(x)
	case bool:
		return boolValue(x)
	case nil:
		return undef
	}
	return e.fromStructure(f, r, depth)
}
