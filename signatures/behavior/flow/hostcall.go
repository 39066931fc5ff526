package flow

import (
	"strings"
)

// hostCall is a method that the engine knows of an object's class.
func (e *Engine) hostCall(f *activation, o *object, name string, c call) (*value, bool) {
	switch o.class {
	case "Array":
		return e.arrayCall(f, o, name, c)
	case "event":
		if name == "composedPath" { // the innermost element stands first
			list := e.alloc(f, c.node, "Array")
			e.set(f, list, "0", e.get(f, o, "target"))
			e.setRest(f, list, anything)
			return objectValue(list), true
		}
		if name == "preventDefault" && e.keyEvent(f, o) { // the page does not get the key: it is a command
			e.called(f, c.node, "KeyboardEvent.preventDefault", nil)
			return undef, true
		}
	case "Promise":
		return e.promiseCall(f, o, name, c)
	case "Map":
		return e.mapCall(f, o, name, c)
	case "element":
		return e.elementCall(f, o, name, c)
	case "elements":
		if v, ok := e.iterate(f, name, c, func() *value { return e.nodeOfList(f, o) }); ok {
			if name == "each" { // jQuery: each(function (i, element))
				e.callValue(f, c.arg(0), call{node: c.node, this: e.nodeOfList(f, o), args: []*value{anything, e.nodeOfList(f, o)}})
			}
			return v, true
		}
		if name == "slice" || name == "toArray" { // Array.prototype.slice.call(list)
			return objectValue(o), true
		}
		return e.elementCall(f, e.related(o, "item"), name, c)
	case "port":
		return e.portCall(f, o, name, c)
	case "portevent":
		if name == "addListener" {
			e.portListen(f, o.info.channel, o.info.tag, c)
		}
		return undef, true
	case "XMLHttpRequest":
		return e.xhrCall(f, o, name, c)
	case "RTCPeerConnection":
		if name == "createDataChannel" {
			return objectValue(e.alloc(f, c.node, "RTCDataChannel")), true
		}
	case "RTCDataChannel":
		if name == "send" {
			e.called(f, c.node, "RTCDataChannel.send", nil)
			e.sink(f, c.node, sinkWebRTC, nil, e.taintsIn(f, c.args...), "sends it to another computer")
		}
		return undef, true
	case "WebSocket", "EventSource", "FileReader", "BroadcastChannel", "Worker":
		return e.socketCall(f, o, name, c)
	case "Generator", "AsyncGenerator":
		return e.generatorCall(f, o, name, c)
	case "clipboardData":
		return e.clipboardCall(f, name, c)
	case "StreamFilter":
		if name == "write" {
			e.called(f, c.node, "StreamFilter.write", nil)
			e.answerPage(f, c.node, c.arg(0))
		}
		return undef, true
	case "context":
		return e.contextCall(f, o, name, c), true
	case "frame":
		if name == "postMessage" {
			e.sink(f, c.node, sinkFrame, o.more().url, e.taintsIn(f, c.arg(0)), "posts it to a frame of HOST")
		}
		return undef, true
	case "client":
		return e.clientMethod(f, o, name, c), true
	case "parsed":
		return e.parsedCall(f, o, name, c), true
	case "RegExp":
		if name == "exec" {
			return anything.tainted(e.taintsOf(f, c.args)), true
		}
		return aBoolean, name == "test"
	case "tool":
		return e.toolCall(f, name, c), true
	case "FormData", "URLSearchParams", "Headers", "URL", "Blob", "Request", "Response", "Uint8Array", "File", "String", "Uint16Array", "idb":
		return e.carrierCall(f, o, name, c)
	}
	switch name {
	case "hasOwnProperty", "propertyIsEnumerable", "isPrototypeOf":
		return aBoolean, true
	case "toString", "valueOf", "toLocaleString":
		if o.field(name) == nil {
			return anything.tainted(o.contents()), true
		}
	}
	return nil, false
}

func (e *Engine) toolCall(f *activation, name string, c call) *value {
	ts := e.taintsOf(f, c.args)
	for _, a := range c.args {
		for _, p := range a.orEmpty().paths {
			if isElementPath(p) || p == "document" {
				ts = joinTaints(ts, e.elementSource(f, c.node, nil, "outerHTML").allTaints())
			}
		}
	}
	return anything.tainted(ts)
}

func (e *Engine) mapCall(f *activation, o *object, name string, c call) (*value, bool) {
	switch name {
	case "set":
		e.setKey(f, o, c.arg(0), c.arg(1))
		return objectValue(o), true
	case "add":
		e.setRest(f, o, c.arg(0))
		return objectValue(o), true
	case "get":
		if s, ok := c.arg(0).constant(); ok {
			return join(e.get(f, o, s), undef), true
		}
		return join(e.whole(f, o), undef), true
	case "has", "delete":
		return aBoolean, true
	case "values", "keys", "entries":
		out := e.alloc(f, c.node, "Array")
		v := e.whole(f, o)
		if name == "entries" {
			v = e.elementOf(f, o)
		}
		if v != nil {
			e.setRest(f, out, v)
		}
		return objectValue(out), true
	}
	return e.iterate(f, name, c, func() *value { return e.whole(f, o) })
}

// carrierCall is a method of FormData, Headers, Blob, … .
func (e *Engine) carrierCall(f *activation, o *object, name string, c call) (*value, bool) {
	switch name {
	case "append", "set", "setItem", "add", "put", "fill":
		if o.class != "idb" {
			o.more().taints = joinTaints(o.info.taints, e.taintsOf(f, c.args))
		}
		if o.class == "URL" { // url.searchParams
			o.info.url = o.info.url.tainted(e.taintsOf(f, c.args))
		}
		return undef, true
	case "has", "delete":
		return aBoolean, true
	case "text", "json", "arrayBuffer", "formData", "blob":
		return e.promise(f, c.node, anything.tainted(o.contents())), true
	case "toString":
		if o.class == "URL" {
			return o.more().url, true
		}
	}
	if v, ok := e.iterate(f, name, c, func() *value { return anything.tainted(o.contents()) }); ok {
		return v, true
	}
	if o.class == "idb" {
		if name == "addEventListener" {
			e.listenObject(f, c.node, o, e.eventName(c), c.arg(1))
		}
		return objectValue(o), true
	}
	return anything.tainted(o.contents()), true
}

func (e *Engine) xhrCall(f *activation, o *object, name string, c call) (*value, bool) {
	d := o.more()
	switch name {
	case "open":
		first := d.url == nil
		d.url = join(d.url, c.arg(1))
		d.opened = argument(c.node, 1)
		e.called(f, c.node, "XMLHttpRequest.open", c.args)
		if m, ok := c.arg(0).constant(); ok {
			d.tag = strings.ToUpper(m)
		}
		if first {
			e.hearAnswers(f, o, c)
		}
		return undef, true
	case "setRequestHeader":
		if name, ok := c.arg(0).constant(); !ok || !forbiddenHeader(name) {
			d.taints = joinTaints(d.taints, e.taintsOf(f, c.args))
		}
		return undef, true
	case "send":
		what := "sends it to HOST"
		if d.tag != "" && len(d.tag) < 10 {
			what = d.tag + " to HOST"
		}
		if d.channel == "hook" {
			e.sink(f, c.node, sinkRequestBody, nil, e.taintsIn(f, c.args...), "hands it on as a request of the page")
			return undef, true
		}
		if f.u.InPage() {
			e.called(f, c.node, "XMLHttpRequest.send", []*value{d.url, textValue(d.tag), c.arg(0)})
		}
		e.request(f, c.node, sinkXHR, d.url, homeward(d.opened, d.url, joinTaints(d.taints, e.taintsIn(f, c.args...))), what)
		return undef, true
	case "addEventListener":
		if unopened(o) {
			e.set(f, o, "on"+e.eventName(c), c.arg(1))
			return undef, true
		}
		e.listenObject(f, c.node, o, e.eventName(c), c.arg(1).orEmpty())
		return undef, true
	}
	return anything, true
}

// unopened says whether a request has no address yet: what listens for its answer has to wait until it is known whose
// answer that is.
func unopened(o *object) bool {
	return o.class == "XMLHttpRequest" && o.more().url == nil && o.info.channel != "hook"
}

// hearAnswers calls what was set to listen before the request was opened.
func (e *Engine) hearAnswers(f *activation, o *object, c call) {
	for _, event := range [...]string{"load", "loadend", "readystatechange", "progress"} {
		if cell := o.field("on" + event); cell != nil && cell.live() {
			if fn := e.readCell(f, cell, objectValue(o)); fn != nil && len(fn.fns) > 0 {
				e.listenObject(f, c.node, o, event, fn)
			}
		}
	}
}

func (e *Engine) socketCall(f *activation, o *object, name string, c call) (*value, bool) {
	d := o.more()
	switch name {
	case "send":
		e.called(f, c.node, "WebSocket.send", nil)
		e.sink(f, c.node, sinkWebSocket, d.url, e.taintsIn(f, c.args...), "sends it to HOST")
	case "emit":
		e.sink(f, c.node, sinkWebSocket, d.url, e.taintsIn(f, c.args...), "sends it to HOST")
	case "addEventListener":
		e.listenObject(f, c.node, o, e.eventName(c), c.arg(1).orEmpty())
	case "on": // of socket.io: the listener gets the data itself
		if o.class == "WebSocket" {
			e.callBack(f, c, taintValue(e.answer(f, c.node, d.url, sinkWebSocket)...))
		}
	case "postMessage":
		e.send(f, "worker", c, c.arg(0), "sends it to another part of the extension")
	case "readAsText", "readAsDataURL", "readAsArrayBuffer", "readAsBinaryString":
		d.taints = joinTaints(d.taints, e.taintsIn(f, c.arg(0)))
		if len(d.taints) > 0 { // a listener that was set before reads it
			e.set(f, o, "result", anything.tainted(d.taints))
		}
		if fn := e.get(f, o, "onload"); fn != nil {
			e.listenObject(f, c.node, o, "load", fn)
		}
	}
	return undef, true
}

func (e *Engine) generatorCall(f *activation, o *object, name string, c call) (*value, bool) {
	switch name {
	case "next", "return", "throw":
		r := e.alloc(f, c.node, "")
		e.set(f, r, "value", e.get(f, o, "yields"))
		e.set(f, r, "done", aBoolean)
		if o.class == "AsyncGenerator" {
			return e.promise(f, c.node, objectValue(r)), true
		}
		return objectValue(r), true
	}
	return e.iterate(f, name, c, func() *value { return e.get(f, o, "yields") })
}

func (e *Engine) clipboardCall(f *activation, name string, c call) (*value, bool) {
	switch name {
	case "getData":
		return taintValue(e.newTaint(f, c.node, srcClipboard, "", "reads what is pasted or copied")), true
	case "setData":
		e.called(f, c.node, "clipboardData.setData", c.args)
		e.sink(f, c.node, sinkSetClipboard, nil, e.taintsIn(f, c.args...), "writes it to the clipboard")
	}
	return undef, true
}
