package flow

import (
	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/tdewolff/parse/v2/js"
)

// Requests that code has the browser send elsewhere.

// redirects is what a listener of requests answers: another address, to which the browser then goes.
func (e *Engine) redirects(f *activation, node js.INode, from string, answer *value) {
	for _, o := range e.await(f, answer).orEmpty().objs {
		to := e.get(f, o, "redirectUrl")
		if ts := e.foreign(remoteOf(to.allTaints())); ts != nil {
			e.sink(f, node, SinkRequestRules, to, ts, "sends requests to HOST instead")
		}
		for _, t := range to.texts() {
			if h, ok := parties.HostOf(t); ok && h != "*" {
				at := e.newTaint(f, node, SrcConstant, from, "waits for requests")
				e.sink(f, node, SinkRequestRules, textValue(t), []*taint{at}, "sends them to HOST")
			}
		}
	}
}

// netRules looks at the rules for requests that code makes. A list from a server that is only blocked or allowed, or led
// to a place that the code knows, is what filters are made of. Where a server says both which requests and where to, it
// opens whatever it likes in place of any page.
func (e *Engine) netRules(f *activation, c call) {
	for _, o := range c.arg(0).orEmpty().objs {
		for _, rule := range e.items(f, e.get(f, o, "addRules")) {
			for _, r := range rule.orEmpty().objs {
				if which := e.taintsIn(f, e.get(f, r, "condition")); remoteOf(which) != nil {
					e.netRedirect(f, c, e.get(f, r, "action"))
				}
			}
		}
	}
}

func (e *Engine) netRedirect(f *activation, c call, action *value) {
	to := func(v *value) {
		if ts := remoteOf(v.allTaints()); ts != nil {
			e.sink(f, c.node, SinkRequestRules, v, ts, "has the browser open HOST in place of what it says")
		}
	}
	for _, a := range action.orEmpty().objs {
		for _, r := range e.get(f, a, "redirect").orEmpty().objs {
			to(e.get(f, r, "url"))
			to(e.get(f, r, "regexSubstitution"))
			for _, t := range e.get(f, r, "transform").orEmpty().objs {
				if h := e.get(f, t, "host"); h != nil {
					to(e.concat(f, textValue("https://"), h))
				}
			}
		}
	}
}

// remoteOf is what of the data came from a server or out of storage.
func remoteOf(ts []*taint) []*taint {
	var out []*taint
	for _, t := range ts {
		if t.source == srcNetwork || t.source == srcStorage {
			out = append(out, t)
		}
	}
	return out
}

// foreign leaves out what the maker's own servers say: a listener that also answers for known requests, such as those for
// shortened or tracking addresses, is told from one that answers for any only by who tells it.
func (e *Engine) foreign(ts []*taint) []*taint {
	var out []*taint
	for _, t := range ts {
		if t.source != srcNetwork || e.parties.Of(t.from, "") != behavior.Own {
			out = append(out, t)
		}
	}
	return out
}
