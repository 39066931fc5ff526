package flow

import "github.com/tdewolff/parse/v2/js"

// Workers run scripts of the extension beside those that start them; what one side posts, the other hears. Which script
// belongs to which worker is not kept apart: all share one channel.

// hearAsWorker has a listener for messages of its own global object get what scripts post to workers.
func (e *Engine) hearAsWorker(f *activation, fn *closure, node js.INode) {
	if !f.u.InPage() {
		e.hear(f, "worker", fn, node)
	}
}

// postedByWorker is postMessage of the global object, in a worker.
func (e *Engine) postedByWorker(f *activation, c call) {
	if !f.u.InPage() && f.u.Page == "" {
		e.send(f, "worker", c, c.arg(0), "sends it to another part of the extension")
	}
}

// portOf is the port of a SharedWorker or a MessageChannel.
func (e *Engine) portOf(o *object) *object {
	key := nodeKey{o, "port"}
	p := e.links.nodes[key]
	if p == nil {
		p = e.newObject("Worker")
		e.links.nodes[key] = p
	}
	return p
}

// ports is the list of ports that comes with an event.
func (e *Engine) ports(f *activation, node js.INode) *object {
	list := e.alloc(f, node, "Array")
	e.setRest(f, list, objectValue(e.alloc(f, node, "Worker")))
	return list
}
