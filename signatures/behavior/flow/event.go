package flow

import (
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/tdewolff/parse/v2/js"
)

// Events of a script's own making join its scripts as messages do: the world of the page and that of content scripts see
// each other's, with what they carry in detail.

// newEvent gives a new CustomEvent what its listeners will see.
func (e *Engine) newEvent(f *activation, o *object, c call) {
	e.set(f, o, "type", c.arg(0))
	for _, options := range c.arg(1).orEmpty().objs {
		if v := e.get(f, options, "detail"); v != nil {
			e.set(f, o, "detail", v)
		}
	}
}

// Channels of events, by where they are made. Within one world only those of a target of one's own count: an event of the
// document is there for a framework, and joins what functions keep apart.
const (
	fromPage    = "event of the page "
	fromContent = "event of scripts "
	fromTarget  = "event "
)

// madeIn is the channel for events of the document that a script makes. Code in a text is mostly put into the page.
func (u *Script) madeIn() string {
	if u.Context == behavior.PageWorld || u.nested > 0 {
		return fromPage
	}
	return fromContent
}

// dispatch hands an event to the listeners of its name.
func (e *Engine) dispatch(f *activation, channel string, c call) {
	for _, o := range c.arg(0).orEmpty().objs {
		if o.class != "CustomEvent" || e.get(f, o, "detail") == nil {
			continue
		}
		for _, name := range e.get(f, o, "type").texts() {
			e.send(f, channel+name, c, objectValue(o), "sends it as an event of the page")
		}
	}
}

// awaitEvent has a listener get the events of that name that scripts make.
func (e *Engine) awaitEvent(f *activation, event string, fn *closure, node js.INode) {
	other := fromPage
	if f.u.madeIn() == fromPage {
		other = fromContent
	}
	for _, channel := range [...]string{other + event, fromTarget + event} {
		if event == "" || len(e.links.hearing[channel]) >= maxHearers {
			continue
		}
		h := &hearer{u: f.u, fn: fn, node: node, near: f.near}
		e.links.hearing[channel] = append(e.links.hearing[channel], h)
		for _, m := range e.links.sent[channel] {
			e.deliver(channel, h, m)
		}
	}
}
