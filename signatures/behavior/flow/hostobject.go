package flow

import (
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// newPath is "new X(…)" of the browser or the language.
func (e *Engine) newPath(f *activation, p string, c call) *value {
	p = strings.TrimPrefix(p, "window.")
	switch p {
	case "Promise":
		return e.newPromise(f, c)
	case "Proxy":
		return e.proxy(f, c)
	case "Function":
		return e.evalCall(f, p, c)
	case "Array":
		o := e.alloc(f, c.node, "Array")
		if len(c.args) > 1 {
			return e.fill(f, o, c.args)
		}
		e.setRest(f, o, anything.tainted(e.taintsOf(f, c.args)))
		return objectValue(o)
	case "Object":
		return objectValue(e.alloc(f, c.node, ""))
	case "Map", "Set", "WeakMap", "WeakSet":
		o := e.alloc(f, c.node, "Map")
		if el := e.element(f, c.arg(0)); el != nil {
			for _, pair := range el.objs {
				if pair.class == "Array" && strings.HasSuffix(p, "Map") {
					e.setKey(f, o, e.get(f, pair, "0"), e.get(f, pair, "1"))
				}
			}
			if strings.HasSuffix(p, "Set") || len(el.taints) > 0 {
				e.setRest(f, o, el)
			}
		}
		return objectValue(o)
	case "XMLHttpRequest":
		e.called(f, c.node, "XMLHttpRequest", nil)
		return objectValue(e.alloc(f, c.node, p))
	case "WebSocket", "EventSource":
		return e.newSocket(f, p, c)
	case "Image", "Audio":
		o := e.alloc(f, c.node, "element")
		o.more().tag, o.info.own = "img", true
		if p == "Audio" && c.arg(0) != nil {
			e.setSource(f, c.node, o.info, c.arg(0))
		}
		return objectValue(o)
	case "FontFace":
		e.styleAddress(f, c.node, c.arg(1))
	case "MediaRecorder":
		e.called(f, c.node, p, nil)
		o := e.alloc(f, c.node, "FileReader")
		o.more().taints = joinTaints(o.info.taints, e.taintsIn(f, c.arg(0)))
		return objectValue(o)
	case "FormData", "URLSearchParams", "Headers", "Blob", "File", "Response", "Request", "URL", "Uint8Array", "DataView",
		"Uint16Array", "Uint32Array", "ClipboardItem", "String", "CustomEvent", "Event", "InputEvent", "Notification", "Error", "TypeError":
		return e.newCarrier(f, p, c)
	case "MutationObserver", "IntersectionObserver", "ResizeObserver", "PerformanceObserver":
		el := objectValue(e.alloc(f, c.node, "element"))
		rec := e.alloc(f, c.node, "")
		e.setRest(f, rec, el)
		list := e.alloc(f, c.node, "Array")
		e.setRest(f, list, objectValue(rec))
		e.callValue(f, c.arg(0), call{node: c.node, args: []*value{objectValue(list), anything}})
		return anything
	case "FileReader", "RTCPeerConnection", "BroadcastChannel", "Worker", "SharedWorker", "MessageChannel":
		e.called(f, c.node, p, c.args)
		o := e.alloc(f, c.node, p)
		if p == "Worker" || p == "SharedWorker" {
			e.sink(f, c.node, sinkScriptSrc, c.arg(0), c.arg(0).allTaints(), "runs a script from HOST")
		}
		return objectValue(o)
	case "RegExp", "Date", "TextEncoder", "TextDecoder", "AbortController", "XMLSerializer", "DOMParser":
		return e.newTool(f, p, c)
	}
	if own := e.get(f, e.pathObject(p), "construct"); own != nil {
		return own
	}
	if v := e.serviceCall(f, p, c); v != nil {
		return v
	}
	if transaction(p) {
		return e.parsed(f, c.node, e.taintsOf(f, c.args)...)
	}
	return e.unknownCall(f, nil, c)
}

func (e *Engine) newTool(f *activation, p string, c call) *value {
	if p == "RegExp" {
		return objectValue(e.alloc(f, c.node, p))
	}
	return objectValue(e.alloc(f, c.node, "tool"))
}

// proxy is what it stands for; its traps see everything.
func (e *Engine) proxy(f *activation, c call) *value {
	for _, p := range c.arg(0).orEmpty().paths {
		e.proxied(f, strings.TrimPrefix(p, "window."), c)
	}
	for _, h := range c.arg(1).orEmpty().objs {
		for _, k := range h.keys {
			if v := h.field(k).ever; v != nil && k == "apply" {
				o := e.nativeFn("proxy", func(e *Engine, f *activation, k call) *value {
					args := e.alloc(f, k.node, "Array")
					e.fill(f, args, k.args)
					return e.callValue(f, v, call{node: k.node, args: []*value{c.arg(0), k.this, objectValue(args)}})
				})
				return join(c.arg(0), closureValue(o))
			}
		}
	}
	if c.arg(0) == nil {
		return anything
	}
	return c.arg(0)
}

func (e *Engine) newSocket(f *activation, p string, c call) *value {
	e.called(f, c.node, p, c.args)
	o := e.alloc(f, c.node, p)
	o.more().url = join(o.info.url, c.arg(0))
	kind := sinkWebSocket
	if p == "EventSource" {
		kind = sinkEvents
	}
	e.sink(f, c.node, kind, c.arg(0), joinTaints(c.arg(0).allTaints(), e.taintsIn(f, c.arg(1))), "connects to HOST")
	e.hosts(f, c.node, c.arg(0), kind)
	return objectValue(o)
}

// newCarrier is an object that holds what it is made from.
func (e *Engine) newCarrier(f *activation, p string, c call) *value {
	o := e.alloc(f, c.node, p)
	d := o.more()
	ts := e.taintsIn(f, c.args...)
	switch p {
	case "URL":
		d.url = join(d.url, e.resolveURL(f, c))
	case "Request":
		d.url = join(d.url, c.arg(0))
	case "FormData":
		for _, form := range c.arg(0).orEmpty().objs {
			if form.class == "element" {
				from := form.more().selector
				if from == "" && f.u.InPage() {
					from = "form"
				}
				ts = joinTaints(ts, []*taint{e.newTaint(f, c.node, srcForm, from, "reads all fields of a form")})
				if src := fieldSource(form.more().selector); !f.u.InPage() && (src == srcSeed || src == srcOTP) {
					ts = joinTaints(ts, []*taint{e.newTaint(f, c.node, src, from, "reads all fields of a form")})
				}
			}
		}
		if v := c.arg(0); v != nil && len(v.objs) == 0 {
			ts = joinTaints(ts, []*taint{e.newTaint(f, c.node, srcForm, "", "reads all fields of a form")})
		}
	}
	d.taints = joinTaints(d.taints, ts)
	if p == "CustomEvent" {
		e.newEvent(f, o, c)
	}
	return objectValue(o)
}

func (e *Engine) resolveURL(f *activation, c call) *value {
	for _, t := range c.arg(0).texts() {
		if _, ok := parties.HostOf(t); ok {
			return c.arg(0)
		}
	}
	if c.arg(1) == nil {
		return c.arg(0)
	}
	var out *value
	for _, base := range c.arg(1).texts() {
		if h, ok := parties.HostOf(base); ok {
			out = join(out, textValue("https://"+strings.ReplaceAll(h, "*", parties.Gap)+"/"+parties.Gap))
		}
	}
	if out == nil {
		return anything
	}
	return out.tainted(c.arg(0).allTaints())
}

// hostField reads a property that the browser gives an object; nil when it gives none.
func (e *Engine) hostField(f *activation, node js.INode, o *object, name string) *value {
	switch o.class {
	case "element":
		if v := e.elementField(f, node, o, name); v != nil {
			return v
		}
	case "elements":
		switch name {
		case "length":
			return anything
		case "prevObject":
			return objectValue(o)
		}
		if name == parties.Gap || name >= "0" && name <= "9~" {
			return e.nodeOfList(f, o)
		}
		if o.more().tag == "fields" { // form.elements.…
			r := e.related(o, name)
			r.more().selector = name
			return objectValue(r)
		}
	case "XMLHttpRequest":
		switch name {
		case "responseText", "response", "responseXML":
			if o.more().channel == "hook" {
				return taintValue(o.info.taints...)
			}
			return taintValue(e.answer(f, node, o.info.url, sinkXHR)...)
		}
	case "SharedWorker", "MessageChannel":
		if name == "port" || name == "port1" || name == "port2" {
			return objectValue(e.portOf(o))
		}
	case "URL":
		switch name {
		case "searchParams":
			return objectValue(o)
		case "href", "toString":
			return o.more().url
		}
	case "port":
		if strings.HasPrefix(name, "on") {
			key := nodeKey{o, name}
			ev := e.links.nodes[key]
			if ev == nil {
				ev = e.newObject("portevent")
				ev.more().channel, ev.info.tag = o.more().channel, name
				e.links.nodes[key] = ev
			}
			return objectValue(ev)
		}
	case "FileReader":
		if name == "result" {
			return anything.tainted(o.contents())
		}
	case "Generator", "AsyncGenerator":
		if name == "next" || name == "return" || name == "throw" {
			return closureValue(e.nativeFn(name, func(e *Engine, f *activation, c call) *value {
				v, _ := e.hostCall(f, o, name, c)
				return v
			}))
		}
	case "Request", "Response", "FormData", "Blob", "Headers", "idb", "URLSearchParams", "Uint8Array":
		if ts := o.contents(); len(ts) > 0 && !countLike(name) {
			return taintValue(ts...)
		}
	case "client": // what it holds is part of it
		return join(anything, objectValue(o))
	case "stored", "details":
		if c := o.field(name); c == nil && o.rest != nil {
			return e.read(f, o.rest)
		}
	}
	return unlisted(o)
}

// unlisted is a property of an object of the browser that the engine does not list, such as the type of an input or
// the status of a request: it may be anything. Taken for undefined, it would decide conditions that it does not.
func unlisted(o *object) *value {
	switch o.class {
	case "element", "elements", "XMLHttpRequest", "WebSocket", "EventSource", "FileReader", "Request", "Response", "Blob", "File",
		"Headers", "URL", "port", "idb", "tool", "clipboardData":
		return anything
	}
	return nil
}

func (e *Engine) elementField(f *activation, node js.INode, o *object, name string) *value {
	if v := e.elementSource(f, node, o, name); v != nil {
		return v
	}
	switch name {
	case "parentElement", "parentNode", "firstChild", "lastChild", "nextSibling", "previousSibling", "children", "childNodes",
		"firstElementChild", "nextElementSibling", "previousElementSibling", "lastElementChild", "shadowRoot", "form", "content":
		return objectValue(e.related(o, name))
	case "elements":
		r := e.related(o, name)
		r.class, r.more().tag = "elements", "fields"
		if r.info.selector == "" && f.u.InPage() {
			r.info.selector = "form"
		}
		return objectValue(r)
	case "contentWindow":
		return e.windowOf(f, node, o.more().url)
	case "contentDocument", "ownerDocument":
		return pathValue("document")
	case "style", "classList", "dataset", "attributes":
		return anything
	case "remove", "focus", "length", "type", "name", "id", "disabled", "dispatchEvent", "submit", "click":
		return nil
	case "email", "password", "username", "pass", "login":
		if o.more().tag == "form" {
			return objectValue(e.related(o, name))
		}
	case parties.Gap:
		return objectValue(e.related(o, "item"))
	}
	if o.more().tag == "form" && name >= "0" && name <= "9~" {
		return objectValue(e.related(o, "item"))
	}
	if o.more().tag == "form" || o.info.selector == "form" {
		return e.control(f, o, name)
	}
	return nil
}

// setHostField sets a property that means something to the browser. It returns true when nothing else is to be done.
func (e *Engine) setHostField(f *activation, node js.INode, o *object, name string, v *value) bool {
	if strings.HasPrefix(name, "on") && len(name) > 2 && len(v.orEmpty().fns) > 0 {
		switch o.class {
		case "element", "elements":
			e.listen(f, node, objectValue(o), name[2:], v)
			return false
		case "XMLHttpRequest", "WebSocket", "EventSource", "FileReader", "BroadcastChannel", "Worker", "MessageChannel", "port", "idb",
			"RTCDataChannel", "RTCPeerConnection", "StreamFilter":
			if !unopened(o) {
				e.listenObject(f, node, o, name[2:], v)
			}
			return false
		}
	}
	switch o.class {
	case "element":
		e.setElement(f, node, o, name, v)
		return name == "innerHTML" || name == "value"
	case "URL":
		if name != parties.Gap {
			o.more().url = join(o.info.url, anything).tainted(v.allTaints())
			o.info.taints = joinTaints(o.info.taints, e.deepTaints(f, v)) // for who is given the object
		}
	}
	return false
}

// listenObject calls the listener of a request, socket or reader with what it will get.
func (e *Engine) listenObject(f *activation, node js.INode, o *object, event string, fn *value) {
	ev := e.newObject("event")
	if node != nil {
		ev = e.alloc(f, node, "event "+event)
	}
	e.set(f, ev, "target", objectValue(o))
	e.set(f, ev, "currentTarget", objectValue(o))
	switch o.class {
	case "WebSocket", "EventSource":
		if event == "message" || o.class == "EventSource" {
			e.set(f, ev, "data", taintValue(e.answer(f, node, o.more().url, sinkWebSocket)...))
		}
	case "BroadcastChannel", "Worker":
		for _, h := range fn.fns {
			e.hear(f, "worker", h, node)
		}
		return
	case "StreamFilter":
		if event == "data" {
			e.set(f, ev, "data", taintValue(o.contents()...))
		}
	case "FileReader":
		e.set(f, ev, "data", anything.tainted(o.contents()))
	case "idb":
		e.callValue(f, fn, call{node: node, this: objectValue(o), args: []*value{taintValue(o.contents()...)}})
		return
	}
	e.callValue(f, fn, call{node: node, this: objectValue(o), args: []*value{objectValue(ev)}})
}
