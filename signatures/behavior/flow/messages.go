package flow

import (
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// channels join the contexts of an extension: what one sends reaches the listeners of the others.
type channels struct {
	sent      map[string][]*message // by channel
	hearing   map[string][]*hearer  // by channel
	seen      map[sendKey]*message
	stored    map[string]*object // storage areas; one object, since areas are seldom told apart
	listening map[listenKey]bool
	resolvers map[promiseKey]*closure
	lists     map[promiseKey]*object
	pairs     map[pairKey]*object
	pages     map[*Script]*Script
	worlds    map[*Script]*Script
	codes     map[*code]*code
	nodes     map[nodeKey]*object
	evals     map[*Script]spot
	texts     map[string]*Script
	results   map[*Script]*object // of texts that are run in pages
	shown     []string            // the last texts that a framework was told to show
}

// A message is what one place sends.
type message struct {
	value *value
	node  js.INode
	reply *object // promise for the answer
	tasks []*job
}

type sendKey struct {
	channel string
	node    js.INode
	hash    string
}

// A hearer is a listener of a channel.
type hearer struct {
	u    *Script
	fn   *closure
	node js.INode
	near int
}

const (
	maxMessages = 300 // per channel
	maxHearers  = 60
)

func newChannels() *channels {
	return &channels{
		sent: map[string][]*message{}, hearing: map[string][]*hearer{}, seen: map[sendKey]*message{},
		stored: map[string]*object{}, listening: map[listenKey]bool{}, resolvers: map[promiseKey]*closure{},
		lists: map[promiseKey]*object{}, pairs: map[pairKey]*object{}, pages: map[*Script]*Script{}, worlds: map[*Script]*Script{}, codes: map[*code]*code{},
		nodes: map[nodeKey]*object{}, evals: map[*Script]spot{}, texts: map[string]*Script{}, results: map[*Script]*object{},
	}
}

// send delivers a value to all listeners, present and future, and returns a promise for the answer.
func (e *Engine) send(f *activation, channel string, c call, v *value, what string) *object {
	if v == nil {
		v = undef
	}
	v = e.stamped(f, c, v, what)
	key := sendKey{channel: channel, node: c.node, hash: e.shape(f, v)}
	m := e.links.seen[key]
	if m == nil {
		if len(e.links.sent[channel]) >= maxMessages {
			return e.newObject("Promise")
		}
		m = &message{value: v, node: c.node, reply: e.newObject("Promise")}
		e.links.seen[key] = m
		e.links.sent[channel] = append(e.links.sent[channel], m)
		for _, h := range e.links.hearing[channel] {
			e.deliver(channel, h, m)
		}
		return m.reply
	}
	if j := join(m.value, v); j != m.value {
		m.value = j
		for _, t := range m.tasks {
			e.enqueue(t)
		}
	}
	return m.reply
}

// stamped adds the step to the taints of a message without losing its fields.
func (e *Engine) stamped(f *activation, c call, v *value, what string) *value {
	if len(v.taints) == 0 {
		return v
	}
	w := *v
	w.taints = e.via(f, c.node, v.taints, what)
	return &w
}

// shape tells messages of one place apart by their constant fields.
func (e *Engine) shape(f *activation, v *value) string {
	var b strings.Builder
	for _, o := range v.objs {
		for _, k := range []string{"type", "action", "cmd", "command", "method", "name", "kind", "event"} {
			if a, ok := e.get(f, o, k).known(); ok && o.field(k).live() {
				b.WriteString(k + "=" + a.text() + ";")
			}
		}
	}
	return b.String()
}

// hear adds a listener.
func (e *Engine) hear(f *activation, channel string, fn *closure, node js.INode) {
	key := listenKey{fn.id, channel}
	if e.links.listening[key] || len(e.links.hearing[channel]) >= maxHearers {
		return
	}
	e.links.listening[key] = true
	h := &hearer{u: f.u, fn: fn, node: node, near: f.near}
	e.links.hearing[channel] = append(e.links.hearing[channel], h)
	e.start(f.u, func(f *activation) { // a message that nobody in the package sends
		f.near = h.near
		e.callClosure(f, fn, call{node: node, args: e.foreignArgs(f, channel, node)})
	})
	for _, m := range e.links.sent[channel] {
		e.deliver(channel, h, m)
	}
}

// foreignArgs are what a listener gets from outside of the package.
func (e *Engine) foreignArgs(f *activation, channel string, node js.INode) []*value {
	switch {
	case channel == "window":
		o := e.alloc(f, node, "event")
		e.setRest(f, o, anything)
		e.set(f, o, "data", taintValue(e.newTaint(f, node, srcPageMessage, "", "gets a message from the page")))
		return []*value{objectValue(o)}
	}
	return []*value{anything, anything, anything}
}

// answersSites registers a listener for messages of web pages and other extensions: what it answers leaves the extension.
func (e *Engine) answersSites(f *activation, fn *closure, node js.INode) {
	near := f.near
	e.start(f.u, func(f *activation) {
		f.near = near
		give := func(e *Engine, f *activation, k call) *value {
			e.sink(f, k.node, sinkPageMessage, nil, e.taintsIn(f, k.arg(0)), "answers a web page with it")
			return undef
		}
		reply := closureValue(e.nativeFn("sendResponse", give))
		asked := taintValue(e.newTaint(f, node, srcPageMessage, "", "gets a message from a page or another extension"))
		r := e.callClosure(f, fn, call{node: node, args: []*value{asked, anything, reply}})
		give(e, f, call{node: node, args: []*value{e.await(f, r)}})
	})
}

func (e *Engine) deliver(channel string, h *hearer, m *message) {
	t := e.start(h.u, func(f *activation) {
		f.near = h.near
		v := m.value
		reply := e.nativeReply(m)
		var args []*value
		kind, _, _ := strings.Cut(channel, " ")
		switch kind {
		case "window", "worker", "broadcast":
			o := e.alloc(f, h.node, "event")
			e.setRest(f, o, anything)
			e.set(f, o, "data", v)
			args = []*value{objectValue(o)}
		case "event": // see custom events
			args = []*value{v}
		default:
			args = []*value{v, anything, closureValue(reply)}
		}
		r := e.callClosure(f, h.fn, call{node: h.node, args: args})
		if r = e.await(f, r); r != nil && channel == "runtime" && len(r.objs)+len(r.taints) > 0 {
			e.settle(f, m.reply, r)
		}
	})
	m.tasks = append(m.tasks, t)
}

func (e *Engine) nativeReply(m *message) *closure {
	key := promiseKey{m.reply}
	fn := e.links.resolvers[key]
	if fn == nil {
		fn = e.nativeFn("sendResponse", func(e *Engine, f *activation, c call) *value {
			v := c.arg(0)
			if v != nil {
				v = e.stamped(f, c, v, "answers the message")
			}
			e.settle(f, m.reply, v)
			return undef
		})
		e.links.resolvers[key] = fn
	}
	return fn
}

// channelCall is a call of the extension API that sends something between contexts.
func (e *Engine) channelCall(f *activation, p string, c call) (*value, bool) {
	switch p {
	case "runtime.sendMessage", "extension.sendMessage", "extension.sendRequest":
		return e.sendMessage(f, c, 0), true
	case "tabs.sendMessage", "tabs.sendRequest":
		return e.sendMessage(f, c, 1), true
	case "runtime.connect", "tabs.connect", "extension.connect":
		o := e.alloc(f, c.node, "port")
		o.more().channel = "client"
		if id, ok := c.arg(0).constant(); ok && p == "runtime.connect" && extensionID(id) {
			o.info.channel = "extension"
		}
		return objectValue(o), true
	case "runtime.connectNative":
		o := e.alloc(f, c.node, "port")
		o.more().channel = "native"
		return objectValue(o), true
	case "runtime.sendNativeMessage":
		e.sink(f, c.node, sinkNative, nil, e.taintsOf(f, c.args), "sends it to a program on the computer")
		v := taintValue(e.newTaint(f, c.node, srcNetwork, "", "gets the answer of a program on the computer"))
		e.callLast(f, c, v)
		return e.promise(f, c.node, v), true
	}
	return nil, false
}

func (e *Engine) sendMessage(f *activation, c call, from int) *value {
	i := from
	if from == 0 && len(c.args) > 1 && len(c.args[0].texts()) > 0 && len(c.args[1].orEmpty().fns) == 0 {
		i = 1 // (extensionId, message)
		if !c.args[0].any && extensionID(c.args[0].texts()[0]) {
			e.sink(f, c.node, sinkPageMessage, nil, e.taintsIn(f, c.arg(1)), "sends it to another extension")
		}
	}
	reply := e.send(f, "runtime", c, c.arg(i), "sends it to another part of the extension")
	e.addReaction(f, reply, c)
	return objectValue(reply)
}

// extensionID says whether a text is the ID of an extension.
func extensionID(s string) bool {
	if len(s) != 32 {
		return len(s) > 4 && strings.Contains(s, "@") || len(s) == 38 && s[0] == '{' && s[37] == '}'
	}
	return strings.Trim(s, "abcdefghijklmnop") == ""
}

// addReaction calls the callback of a message with its answer.
func (e *Engine) addReaction(f *activation, reply *object, c call) {
	n := len(c.args)
	if n == 0 || len(c.args[n-1].orEmpty().fns) == 0 {
		return
	}
	fn := c.args[n-1]
	for _, h := range reply.more().handlers {
		if h.fn == fn || len(h.fn.orEmpty().fns) > 0 && h.fn.fns[0] == fn.fns[0] {
			return
		}
	}
	reply.info.handlers = append(reply.info.handlers, handler{event: "then", fn: fn, node: c.node})
	v := e.get(f, reply, "settled")
	if v == nil {
		v = anything
	}
	e.callValue(f, fn, call{node: c.node, args: []*value{v}})
}

func (e *Engine) channelListener(f *activation, event string, fn *closure, c call) bool {
	switch event {
	case "runtime.onMessageExternal":
		key := listenKey{fn.id, event}
		if !e.links.listening[key] {
			e.links.listening[key] = true
			e.answersSites(f, fn, c.node)
		}
	case "runtime.onMessage", "extension.onMessage", "extension.onRequest":
		e.hear(f, "runtime", fn, c.node)
	case "runtime.onConnect", "runtime.onConnectExternal", "extension.onConnect":
		key := listenKey{fn.id, event}
		if e.links.listening[key] {
			return true
		}
		e.links.listening[key] = true
		node := c.node
		e.start(f.u, func(f *activation) {
			o := e.alloc(f, node, "port")
			o.more().channel = "server"
			e.callClosure(f, fn, call{node: node, args: []*value{objectValue(o)}})
		})
	default:
		return false
	}
	return true
}

// portCall is a method of a port, or of its events.
func (e *Engine) portCall(f *activation, o *object, name string, c call) (*value, bool) {
	side := o.more().channel
	other := map[string]string{"client": "server", "server": "client"}[side]
	switch name {
	case "postMessage":
		if side == "native" {
			e.sink(f, c.node, sinkNative, nil, e.taintsOf(f, c.args), "sends it to a program on the computer")
			return undef, true
		}
		if side == "extension" {
			e.sink(f, c.node, sinkPageMessage, nil, e.taintsIn(f, c.arg(0)), "sends it to another extension")
			return undef, true
		}
		e.send(f, "port:"+other, c, c.arg(0), "sends it to another part of the extension")
		return undef, true
	case "disconnect":
		return undef, true
	}
	return nil, false
}

func (e *Engine) portListen(f *activation, side, event string, c call) {
	for _, fn := range c.arg(0).orEmpty().fns {
		if event != "onMessage" {
			e.callClosure(f, fn, call{node: c.node, args: []*value{anything}})
			continue
		}
		if side == "native" {
			v := taintValue(e.newTaint(f, c.node, srcNetwork, "", "gets a message of a program on the computer"))
			e.callClosure(f, fn, call{node: c.node, args: []*value{v}})
			continue
		}
		e.hear(f, "port:"+side, fn, c.node)
	}
}
