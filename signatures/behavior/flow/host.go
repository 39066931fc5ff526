package flow

import (
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// rooted are names of the global object.
func rooted(name string) bool {
	switch name {
	case "window", "self", "globalThis", "top", "parent", "frames", "unsafeWindow", "global":
		return true
	}
	return false
}

// library says whether a global name is a library that the engine knows by its interface. What its code does inside is
// not followed from there.
func library(name string) bool {
	switch name {
	case "$", "jQuery", "axios", "browser", "chrome":
		return true
	}
	return false
}

// native says whether scripts that replace a global mean the browser's own.
func native(name string) bool {
	switch name {
	case "fetch", "XMLHttpRequest", "WebSocket", "eval", "Function", "document", "navigator", "location", "localStorage",
		"sessionStorage", "indexedDB", "setTimeout", "setInterval", "ethereum", "solana", "JSON", "Object", "Promise", "Array",
		"EventSource", "Image", "Headers", "Request", "Response", "FormData", "URL", "alert", "open", "postMessage",
		"io": // of socket.io: its code is of no interest
		return true
	}
	return false
}

// builtIn says whether a global is a class of the language that neither reads nor runs anything.
func builtIn(name string) bool {
	switch name {
	case "Date", "Math", "Number", "Boolean", "RegExp", "Error", "TypeError", "RangeError", "Symbol", "BigInt":
		return true
	}
	return false
}

func (e *Engine) globalName(f *activation, x *js.Var, name string) *value {
	switch name {
	case "undefined":
		return undef
	case "arguments":
		if x != nil {
			return e.arrayOf(f, resolve(x), f.args)
		}
	case "NaN", "Infinity":
		return anything
	case "wrappedJSObject": // Firefox: the window as the page sees it
		return pathValue("window")
	}
	if rooted(name) {
		return e.pathNamed("window")
	}
	if name == "chrome" || name == "browser" {
		return e.pathNamed("@")
	}
	if library(name) {
		return e.pathNamed(name)
	}
	if v := e.commonName(f, name); v != nil {
		return v
	}
	g := e.global(f.u)
	if k := g.field(name); builtIn(name) && (k == nil || !k.live()) { // what is put there by names that are not known is not its successor
		return e.pathNamed(name)
	}
	if v := e.get(f, g, name); v != nil {
		if native(name) {
			v = join(v, pathValue(name))
		}
		return v
	}
	if name == parties.Gap {
		return anything
	}
	return e.pathNamed(name)
}

// pathNamed is pathValue, made once for each path.
func (e *Engine) pathNamed(path string) *value {
	v := e.paths[path]
	if v == nil {
		v = pathValue(path)
		e.paths[path] = v
	}
	return v
}

func (e *Engine) setGlobal(f *activation, node js.INode, name string, v *value) {
	e.hooked(f, node, name, v)
	if name == "location" {
		e.navigate(f, node, v)
		return
	}
	if strings.HasPrefix(name, "on") && len(v.orEmpty().fns) > 0 {
		e.listen(f, node, pathValue("window"), name[2:], v)
	}
	if name == parties.Gap || rooted(name) {
		return
	}
	e.set(f, e.global(f.u), name, v)
}

// pathMember reads a member of an object of the browser.
func (e *Engine) pathMember(f *activation, node js.INode, p, name string) *value {
	switch {
	case p == "window":
		return e.globalName(f, nil, name)
	case p == "@":
		if name == "default" {
			return pathValue("@")
		}
		return pathValue("@" + name)
	case name == parties.Gap:
		return e.storageItem(f, node, p, nil)
	}
	full := p + "." + name
	if v := e.propertySource(f, node, p, name); v != nil {
		return v
	}
	if len(full) > 120 || strings.Count(full, ".") > 7 {
		return anything
	}
	if isElementPath(full) || full == "document.currentScript" {
		return join(pathValue(full), nil)
	}
	if p == "window.opener" {
		return pathValue("window")
	}
	v := pathValue(full)
	if own := e.get(f, e.pathObject(p), name); own != nil { // code that puts its own members there
		v = join(v, own)
	}
	return v
}

// pathObject holds what code stored in members of an object of the browser.
func (e *Engine) pathObject(p string) *object {
	o := e.globals["path:"+p]
	if o == nil {
		o = e.newObject("path")
		e.globals["path:"+p] = o
	}
	return o
}

func (e *Engine) setPath(f *activation, node js.INode, p, name string, v *value) {
	if p == "window" {
		e.setGlobal(f, node, name, v)
		return
	}
	full := p + "." + name
	e.hooked(f, node, full, v)
	switch {
	case full == "location.href" || full == "document.location" || full == "document.location.href":
		e.navigate(f, node, v)
		return
	case full == "document.cookie":
		e.called(f, node, "document.cookie=", nil)
		e.sink(f, node, sinkSetCookie, nil, e.taintsIn(f, v), "sets document.cookie")
		return
	case p == "localStorage" || p == "sessionStorage":
		e.storePage(f, node, name, v)
		return
	case strings.HasPrefix(name, "on") && strings.ToLower(name) == name && len(v.orEmpty().fns) > 0:
		e.listen(f, node, pathValue(p), name[2:], v)
		return
	case isElementPath(p):
		e.setElement(f, node, nil, name, v)
	}
	if name != parties.Gap {
		e.set(f, e.pathObject(p), name, v)
	}
}

// isElementPath says whether a path is an element of the page.
func isElementPath(p string) bool {
	switch strings.TrimPrefix(p, "document.") {
	case "body", "documentElement", "activeElement", "head":
		return strings.HasPrefix(p, "document.")
	}
	return false
}

// callMember calls recv[key](…).
func (e *Engine) callMember(f *activation, recv, key *value, c call) *value {
	c.this = recv
	name, named := key.name()
	if named {
		if v := e.builtCall(f, recv, name, c); v != nil {
			return v
		}
	}
	if recv == nil {
		return e.unknownCall(f, nil, c)
	}
	if named {
		c.name = name
		e.transfer(f, name, c)
		e.handedOver(f, recv, name, c)
		if v := e.callNamed(f, recv, name, c); v != nil {
			return v
		}
		return undef
	}
	var out *value
	for _, name := range namesOf(key) {
		c.name = name
		out = join(out, e.callNamed(f, recv, name, c))
	}
	if out == nil {
		return undef
	}
	return out
}

func (e *Engine) callNamed(f *activation, recv *value, name string, c call) *value {
	var out *value
	for _, p := range recv.paths {
		out = join(out, e.callPathMember(f, p, name, c))
	}
	for _, o := range recv.objs {
		out = join(out, e.callObject(f, o, name, c))
	}
	for _, fn := range recv.fns {
		out = join(out, e.callFunctionMember(f, fn, name, c))
	}
	if len(recv.atoms) > 0 || recv.any || len(recv.taints) > 0 {
		loose := recv
		if len(recv.paths)+len(recv.objs)+len(recv.fns) > 0 {
			loose = &value{atoms: recv.atoms, taints: recv.taints, any: recv.any}
		}
		out = join(out, e.callLoose(f, loose, name, c))
	}
	return out
}

func (e *Engine) callPathMember(f *activation, p, name string, c call) *value {
	if p == "window" {
		return e.callWindow(f, name, c)
	}
	if p != "@" && p != "Reflect" {
		switch name {
		case "call", "apply":
			return e.callPath(f, p+"."+name, c)
		case "bind":
			if len(c.args) <= 1 {
				return pathValue(p)
			}
			rest := c.args[1:]
			return closureValue(e.nativeFn("bound "+p, func(e *Engine, f *activation, k call) *value {
				k.args = append(rest[:len(rest):len(rest)], k.args...)
				return e.callPath(f, p, k)
			}))
		}
	}
	if p == "@" {
		return e.callPath(f, "@"+name, c)
	}
	if own := e.get(f, e.pathObject(p), name); own != nil && len(own.fns) > 0 {
		return join(e.callPath(f, p+"."+name, c), e.callValue(f, own, c))
	}
	return e.callPath(f, p+"."+name, c)
}

func (e *Engine) callWindow(f *activation, name string, c call) *value {
	switch name {
	case "addEventListener", "removeEventListener", "postMessage":
		return e.callPath(f, name, c)
	}
	return e.callValue(f, e.globalName(f, nil, name), c)
}

// sequenceAll are the elements of the list of arguments of apply.
func (e *Engine) sequenceAll(f *activation, v *value) []*value {
	if items, exact := e.exactItems(f, v); exact {
		return items
	}
	el := e.element(f, v)
	if el == nil {
		return nil
	}
	return []*value{el, el, el, el}
}

func (e *Engine) nativeFn(name string, fn func(e *Engine, f *activation, c call) *value) *closure {
	e.ids++
	return &closure{id: e.ids, name: name, native: fn}
}

func (e *Engine) callFunctionMember(f *activation, fn *closure, name string, c call) *value {
	switch name {
	case "call":
		k := c
		k.this, k.args = c.arg(0), argsFrom(c.args, 1)
		return e.callClosure(f, fn, k)
	case "apply":
		k := c
		k.this, k.args = c.arg(0), e.sequenceAll(f, c.arg(1))
		return e.callClosure(f, fn, k)
	case "bind":
		return closureValue(e.bound(f, fn, c))
	case "toString":
		return anything
	}
	m := e.functionMember(f, fn, name)
	c.this = closureValue(fn)
	if m == nil {
		return e.unknownCall(f, nil, c)
	}
	return e.callValue(f, m, c)
}

func (e *Engine) bound(f *activation, fn *closure, c call) *closure {
	if len(c.args) <= 1 && fn.native != nil {
		return fn
	}
	key := allocKey{c.node, "bound"}
	if old, ok := f.entry.allocs.get(key).(*closure); ok && old.info == fn.info {
		old.this = join(old.this, c.arg(0))
		return old
	}
	e.ids++
	b := *fn
	b.id, b.isBound, b.this = e.ids, true, c.arg(0)
	b.bound = append(fn.bound[:len(fn.bound):len(fn.bound)], argsFrom(c.args, 1)...)
	if c.node != nil {
		f.entry.allocs.put(key, &b)
	}
	return &b
}

func (e *Engine) callObject(f *activation, o *object, name string, c call) *value {
	c.this = objectValue(o)
	if name == parties.Gap {
		return join(join(e.callValue(f, e.whole(f, o), c), e.callAnyMethod(f, o, c)), anything)
	}
	if k := o.lookup(name, 0); k != nil && k.live() {
		v := e.readCell(f, k, objectValue(o))
		if o.rest != nil {
			v = join(v, e.read(f, o.rest))
		}
		out := e.callValue(f, v, c)
		if o.class != "" && o.class != "function" {
			if r, ok := e.hostCall(f, o, name, c); ok {
				return join(out, r)
			}
		}
		return out
	}
	if v, ok := e.hostCall(f, o, name, c); ok {
		return v
	}
	if v := e.get(f, o, name); v != nil {
		return e.callValue(f, v, c)
	}
	return e.unknownCall(f, taintedBy(o), c)
}

// callAnyMethod calls the methods of an object's class with data of a source, when a message or the like names which.
func (e *Engine) callAnyMethod(f *activation, o *object, c call) *value {
	const maxMethods = 60
	if o.class != "" || !slices.ContainsFunc(c.args, carries) {
		return nil
	}
	var out *value
	n := 0
	for _, p := range o.protos {
		for i, cell := range p.cells {
			if p.keys[i] == "constructor" {
				continue
			}
			for _, fn := range e.read(f, cell).orEmpty().fns {
				if n++; n <= maxMethods {
					out = join(out, e.callClosure(f, fn, c))
				}
			}
		}
	}
	return out
}

func taintedBy(o *object) *value { return &value{any: true, taints: o.contents()} }
